//! Records of the health topic: how a customer is, and what is open about it.
//!
//! The topic is compacted and its key is the customer, so its last record of a customer is how that customer is now. A record without a value
//! says that the customer was erased.

use std::collections::BTreeMap;

use bellwether_engine::customer::Customer;
use bellwether_engine::episode::{Episode, Mark, Phase};
use bellwether_engine::feature::{GRADES, QUADRANTS};
use bellwether_engine::health;
use bellwether_engine::journey::Stay;
use bellwether_engine::rule::{Mode, Rule};
use bellwether_engine::rule_set::RuleSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::contract::{CURRENCY_PATTERN, kinds, marks, or_null, severities};
use crate::signal::{BinaryOutput, CONTENT_TYPE, SOURCE, SPEC_VERSION, round};
use crate::timestamp::format_time;

/// CloudEvents `type` of a health record.
pub const HEALTH_TYPE: &str = "bellwether.health.v1";

const SECONDS_PER_DAY: f64 = 86_400.0;

/// The value of a health record.
///
/// A new one is written when anything changes but `as_of`, `health_contributions` and `top_driver`: these explain the score as it was then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HealthRecord {
    /// The customer id.
    pub customer: String,
    /// Journal time at which it was so, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub as_of: String,
    /// The health score, 0 to 100, rounded to a tenth; absent where nothing is known that it could be made from.
    #[schemars(range(min = 0, max = 100))]
    pub health: Option<f64>,
    /// How the score came about.
    pub health_contributions: Vec<HealthContribution>,
    /// `red`, `amber` or `green`; absent with the score.
    #[schemars(extend("enum" = or_null(GRADES)))]
    pub grade: Option<String>,
    /// Name of the health profile; empty for customers that no other profile is for.
    pub health_profile: String,
    /// Its version.
    pub health_version: u32,
    /// `rising` or `falling` by five points or more within 28 days, else `steady`; absent without health then and now.
    #[schemars(extend("enum" = or_null(&["rising", "steady", "falling"])))]
    pub trend: Option<String>,
    /// The component that pulled the score down most, or the veto that capped it; explains the score as `health_contributions` do.
    pub top_driver: Option<String>,
    /// How it is to be a customer, 0 to 100, rounded to a tenth; absent without data.
    #[schemars(range(min = 0, max = 100))]
    pub experience: Option<f64>,
    /// What the customer gets out of it, likewise.
    #[schemars(range(min = 0, max = 100))]
    pub outcome: Option<f64>,
    /// Experience and outcome: `thriving`, `vulnerable` (outcomes alone are good), `silent_risk` (experience alone is), `failing`.
    #[schemars(extend("enum" = or_null(QUADRANTS)))]
    pub quadrant: Option<String>,
    /// The journey stage.
    pub stage: String,
    /// When it came into that stage, RFC 3339; absent where the rules have no stages.
    #[schemars(extend("format" = "date-time"))]
    pub stage_since: Option<String>,
    /// The days that it was in each stage that it has left, rounded to a hundredth; stages of former rules are left out.
    pub stage_days: BTreeMap<String, f64>,
    /// Whether an episode of an at-risk rule is open.
    pub at_risk: bool,
    /// Monthly recurring revenue in minor units of `currency`.
    pub mrr_minor: i64,
    /// The customer's main currency, ISO 4217; absent where no subscription names one.
    #[schemars(extend("pattern" = CURRENCY_PATTERN))]
    pub currency: Option<String>,
    /// Who looks after the customer, where that is known.
    pub owner: Option<String>,
    /// Episodes that were raised and are not over, by rule and object; those of rules in shadow mode and those held out are left out.
    pub open_episodes: Vec<OpenEpisode>,
}

/// A component's part in a health score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HealthContribution {
    /// The component, or a veto.
    pub component: String,
    /// Its own score, 0 to 100, rounded to a tenth; for a veto the cap.
    pub score: f64,
    /// Its share of the weight, 0 to 1, rounded to a thousandth; 0 for a veto.
    pub share: f64,
}

/// An episode that was raised and is not over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenEpisode {
    /// Name of the rule.
    pub rule: String,
    /// Kind of the rule.
    #[schemars(extend("enum" = kinds()))]
    pub kind: String,
    /// The thing within the customer, or empty.
    pub object: String,
    /// `info`, `warning` or `critical`.
    #[schemars(extend("enum" = severities()))]
    pub severity: String,
    /// Counts the episodes of (customer, rule, object) from 1.
    pub episode: u32,
    /// When it was raised, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub raised_at: String,
    /// What a person made of it, where somebody did: `acknowledged`, `dismissed` or `snoozed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("enum" = marks()))]
    pub feedback: Option<String>,
}

impl HealthRecord {
    /// How a customer is under the rules in force.
    #[must_use]
    pub fn of(customer: &Customer, rules: &RuleSet) -> Self {
        let settings = &rules.settings;
        let mut open_episodes: Vec<OpenEpisode> = open(customer, rules).map(|(episode, rule)| open_episode(episode, rule)).collect();
        open_episodes.sort_unstable_by(|a, b| (&a.rule, &a.object).cmp(&(&b.rule, &b.object)));
        let contribution = |part: health::Contribution| HealthContribution {
            component: part.name,
            score: round(part.score, 1),
            share: round(part.share, 3),
        };
        let grade = customer.health.grade(&settings.health);
        let tenth = |score: f32| round(f64::from(score), 1);
        let contributions = health::contributions(customer, settings);
        let (health_profile, health_version) = customer.health.profile_of(&settings.health);
        Self {
            customer: customer.id.to_string(),
            as_of: format_time(customer.clock),
            health: customer.health.score.map(tenth),
            top_driver: health::top_driver(&contributions).map(str::to_owned),
            health_contributions: contributions.into_iter().map(contribution).collect(),
            grade: grade.and_then(|grade| GRADES.get(usize::from(grade))).map(|grade| (*grade).to_owned()),
            health_profile: health_profile.into(),
            health_version,
            trend: customer.health.trend(customer.clock.day()).map(str::to_owned),
            experience: customer.health.experience.map(tenth),
            outcome: customer.health.outcome.map(tenth),
            quadrant: quadrant(customer).map(str::to_owned),
            stage: settings.stage_name(customer.health.stage).to_owned(),
            stage_since: customer.journey.entered().map(format_time),
            stage_days: stage_days(customer, rules),
            at_risk: customer.at_risk.open() > 0,
            mrr_minor: customer.billing.mrr_minor(),
            currency: customer.billing.currency().and_then(|currency| String::from_utf8(currency.0.to_vec()).ok()),
            owner: customer.account.owner.get().map(|owner| owner.to_string()),
            open_episodes,
        }
    }

    /// The record in CloudEvents' binary mode. Its id is the same for the same content.
    #[must_use]
    pub fn to_binary(&self) -> BinaryOutput {
        let value = serde_json::to_vec(self).expect("text and numbers always serialise");
        let id = xxh3_128(&[self.customer.as_bytes(), b"\0", &value].concat());
        let headers = vec![
            ("ce_specversion", SPEC_VERSION.to_owned()),
            ("ce_id", format!("{id:032x}")),
            ("ce_source", SOURCE.to_owned()),
            ("ce_type", HEALTH_TYPE.to_owned()),
            ("ce_subject", self.customer.clone()),
            ("ce_time", self.as_of.clone()),
            ("content-type", CONTENT_TYPE.to_owned()),
        ];
        BinaryOutput { headers, value }
    }
}

/// A digest of what a customer's record says, `as_of`, `health_contributions` and `top_driver` left out: two states with the same digest need no new record.
///
/// It is for comparing two states within one process; it is kept nowhere. `scratch` is memory to work in.
#[must_use]
pub fn digest(customer: &Customer, rules: &RuleSet, scratch: &mut Vec<u8>) -> u64 {
    scratch.clear();
    let number = |scratch: &mut Vec<u8>, number: u64| scratch.extend_from_slice(&number.to_le_bytes());
    let text = |scratch: &mut Vec<u8>, text: &str| {
        number(scratch, text.len() as u64);
        scratch.extend_from_slice(text.as_bytes());
    };
    number(scratch, customer.health.score.map_or(u64::MAX, |score| u64::from(score.to_bits())));
    number(scratch, customer.health.grade(&rules.settings.health).map_or(u64::MAX, u64::from));
    journey(customer, rules, scratch);
    scratch.push(u8::from(customer.at_risk.open() > 0));
    number(scratch, customer.billing.mrr_minor().cast_unsigned());
    scratch.extend_from_slice(&customer.billing.currency().map_or([0; 3], |currency| currency.0));
    text(scratch, customer.account.owner.get().map_or("", |owner| owner));
    // A state keeps its episodes in no particular order, so their sum is taken.
    let (mut episodes, end) = (0_u64, scratch.len());
    for (episode, rule) in open(customer, rules) {
        text(scratch, &rule.name);
        text(scratch, &episode.object);
        scratch.extend_from_slice(&[rule.kind as u8, episode.severity() as u8]);
        number(scratch, u64::from(episode.number));
        number(scratch, episode.raised_at.0.cast_unsigned());
        text(scratch, episode.mark.get().copied().map_or("", Mark::name));
        episodes = episodes.wrapping_add(xxh3_64(&scratch[end..]));
        scratch.truncate(end);
    }
    number(scratch, episodes);
    xxh3_64(scratch)
}

/// What a record tells of the profile and the journey.
fn journey(customer: &Customer, rules: &RuleSet, scratch: &mut Vec<u8>) {
    let health = &customer.health;
    let (profile, version) = health.profile_of(&rules.settings.health);
    let trend = health.trend(customer.clock.day()).unwrap_or_default();
    for text in [&*profile, trend, rules.settings.stage_name(health.stage)] {
        scratch.extend_from_slice(text.as_bytes());
        scratch.push(0);
    }
    scratch.extend_from_slice(&version.to_le_bytes());
    for score in [health.experience, health.outcome] {
        scratch.extend_from_slice(&score.map_or(u32::MAX, f32::to_bits).to_le_bytes());
    }
    scratch.push(health.quadrant.unwrap_or(u8::MAX));
    scratch.extend_from_slice(&customer.journey.entered().map_or(0, |time| time.0).to_le_bytes());
    // The days in stages change when another one is come into, or when the rules know others.
    for stay in customer.journey.stays().iter().filter(|stay| rules.settings.stages.iter().any(|stage| stage.hash == stay.stage)) {
        scratch.extend_from_slice(&stay.stage.to_le_bytes());
    }
}

fn quadrant(customer: &Customer) -> Option<&'static str> {
    customer.health.quadrant.and_then(|quadrant| QUADRANTS.get(usize::from(quadrant)).copied())
}

fn stage_days(customer: &Customer, rules: &RuleSet) -> BTreeMap<String, f64> {
    let named = |stay: &Stay| {
        let stage = rules.settings.stages.iter().find(|stage| stage.hash == stay.stage)?;
        Some((stage.name.to_string(), round(stay.seconds as f64 / SECONDS_PER_DAY, 2)))
    };
    customer.journey.stays().iter().filter_map(named).collect()
}

/// The episodes that subscribers were told of and that are not over, with their rules.
fn open<'a>(customer: &'a Customer, rules: &'a RuleSet) -> impl Iterator<Item = (&'a Episode, &'a Rule)> {
    let open = customer.episodes.iter().filter(|episode| episode.phase == Phase::Open);
    open.filter_map(|episode| {
        let rule = rules.rules.iter().find(|rule| rule.hash == episode.rule)?;
        (rule.mode == Mode::Live && !episode.held_out).then_some((episode, &**rule))
    })
}

fn open_episode(episode: &Episode, rule: &Rule) -> OpenEpisode {
    OpenEpisode {
        rule: rule.name.clone(),
        kind: rule.kind.name().to_owned(),
        object: episode.object.to_string(),
        severity: episode.severity().name().to_owned(),
        episode: episode.number,
        raised_at: format_time(episode.raised_at),
        feedback: episode.mark.get().map(|mark| mark.name().to_owned()),
    }
}
