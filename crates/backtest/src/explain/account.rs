//! The explanation itself: what is true of a customer at an instant.

use bellwether_codec::contract::{Contract, of};
use bellwether_codec::timestamp::format_time;
use bellwether_engine::customer::Customer;
use bellwether_engine::episode::{Episode, Phase};
use bellwether_engine::event::CustomerKey;
use bellwether_engine::expression::Expression;
use bellwether_engine::feature::GRADES;
use bellwether_engine::health::contributions;
use bellwether_engine::inhibition::inhibitor;
use bellwether_engine::known_feature::{KnownFeature, known_features, label};
use bellwether_engine::partition::Partition;
use bellwether_engine::rule::Rule;
use bellwether_engine::settings::Settings;
use bellwether_engine::time::Time;
use bellwether_engine::view::View;
use schemars::JsonSchema;
use serde::Serialize;

use super::follow::Followed;

/// The explanation as a contract.
pub const CONTRACT: Contract =
    Contract { name: "explain", title: "The explanation of a customer at an instant", describe: of::<Explanation> };

/// Everything about a customer at an instant.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Explanation {
    /// The customer id.
    pub customer: String,
    /// The instant.
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// Since when it is a customer.
    #[schemars(extend("format" = "date-time"))]
    pub since: String,
    /// What it pays a month, minor units.
    pub mrr_minor: i64,
    /// Its stage.
    pub stage: String,
    /// Its health, if any component has data.
    pub health: Option<f64>,
    /// The grade of its health.
    pub grade: Option<&'static str>,
    /// How the health comes about.
    pub contributions: Vec<Contribution>,
    /// Every rule.
    pub rules: Vec<RuleState>,
    /// Every feature of the customer as a whole that is known, those of the rule file's own last.
    pub features: Vec<FeatureValue>,
    /// The latest events and signals, oldest first.
    pub timeline: Vec<TimelineEntry>,
}

/// A part of health.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Contribution {
    /// The component, or a veto.
    pub name: String,
    /// Its own score, 0 to 100; for a veto the cap.
    pub score: f64,
    /// Its share of the weight; 0 for a veto.
    pub share: f64,
}

/// A feature with its value.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FeatureValue {
    /// Its name.
    pub feature: String,
    /// Its value; of a label its place in the list.
    pub value: f64,
    /// The label, or `true` or `false`.
    pub label: Option<String>,
    /// Its unit.
    pub unit: &'static str,
}

/// Where a rule stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RuleState {
    /// Its name.
    pub rule: String,
    /// Whether an episode is open.
    pub is_open: bool,
    /// Why it fires, or why it does not.
    pub why: String,
    /// Its condition.
    pub when: String,
    /// Whether the condition holds; null for a rule about objects, of which each has its own answer.
    pub holds: Option<bool>,
    /// The comparisons of the condition with their values; none of a rule about objects.
    pub comparisons: Vec<Comparison>,
}

/// A comparison with its values; null is absent, and makes it false.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Comparison {
    /// The feature.
    pub feature: String,
    /// Its value.
    pub value: Option<f64>,
    /// The label of the value, or `true` or `false`.
    pub label: Option<String>,
    /// The operator.
    pub operator: &'static str,
    /// What it is compared with.
    pub threshold: Option<f64>,
    /// The label of that.
    pub threshold_label: Option<String>,
    /// Whether it speaks for the condition: it holds, or does not where the rule negates it.
    pub holds: bool,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TimelineEntry {
    /// When.
    #[schemars(extend("format" = "date-time"))]
    pub time: String,
    /// The type of an event, or a rule and its transition.
    pub what: String,
    /// The object of the rule, or empty.
    pub of: String,
}

impl Explanation {
    /// Explains the customer of this id; none when the log does not know it at that instant.
    #[must_use]
    pub fn of(followed: Followed, customer: &str) -> Option<Self> {
        let Followed { partition, at, timeline, .. } = followed;
        let rules = partition.rules();
        let customer = partition.get(CustomerKey::of(customer))?;
        let view = View::new(customer, &rules.settings, at);
        let features = known_features(&view, &rules.settings);
        let grade = |grade: u8| GRADES.get(usize::from(grade)).copied().unwrap_or_default();
        Some(Self {
            customer: customer.id.to_string(),
            at: format_time(at),
            since: format_time(customer.since),
            mrr_minor: customer.billing.mrr_minor(),
            stage: rules.settings.stage_name(customer.health.stage).to_owned(),
            health: customer.health.score.map(|score| (f64::from(score) * 10.0).round() / 10.0),
            grade: customer.health.grade(&rules.settings.health).map(grade),
            contributions: contributions(customer, &rules.settings)
                .into_iter()
                .map(|one| Contribution { name: one.name, score: one.score, share: one.share })
                .collect(),
            rules: rules.rules.iter().map(|rule| explain_rule(rule, customer, &partition, at)).collect(),
            features: features.map(FeatureValue::of).collect(),
            timeline,
        })
    }
}

impl FeatureValue {
    fn of(known: KnownFeature) -> Self {
        Self { feature: known.name.into_owned(), value: known.value, label: known.label, unit: known.unit }
    }
}

fn explain_rule(rule: &Rule, customer: &Customer, partition: &Partition, at: Time) -> RuleState {
    let rules = partition.rules();
    let view = View::new(customer, &rules.settings, at);
    let holds = rule.object.is_none().then(|| rule.when.is_true(&|feature| view.value(feature)));
    let episodes: Vec<&Episode> = customer.episodes.iter().filter(|episode| episode.rule == rule.hash).collect();
    RuleState {
        rule: rule.name.clone(),
        is_open: episodes.iter().any(|episode| episode.phase == Phase::Open),
        why: why(rule, customer, partition, at, holds, &episodes),
        when: rule.when.source().to_owned(),
        holds,
        comparisons: if rule.object.is_none() { comparisons(&rule.when, &view, &rules.settings) } else { Vec::new() },
    }
}

fn comparisons(condition: &Expression, view: &View<'_>, settings: &Settings) -> Vec<Comparison> {
    let value_of = |feature: u16| view.value(feature);
    let known = |value: f64| Some(value).filter(|value| !value.is_nan());
    let explain = |one: &bellwether_engine::expression::Ground| {
        let (value, threshold) = (value_of(one.feature), one.threshold(&value_of));
        Comparison {
            feature: settings.feature_name(one.feature).into_owned(),
            value: known(value),
            label: known(value).and_then(|value| label(one.feature, value, settings)),
            operator: one.operator.symbol(),
            threshold: known(threshold),
            threshold_label: known(threshold).and_then(|threshold| label(one.feature, threshold, settings)),
            holds: one.supports(&value_of),
        }
    };
    condition.grounds().iter().map(explain).collect()
}

/// The first thing that keeps the rule from firing, in the order in which it is looked at; or since when it fires.
fn why(rule: &Rule, customer: &Customer, partition: &Partition, at: Time, holds: Option<bool>, episodes: &[&Episode]) -> String {
    let (rules, is_frozen) = (partition.rules(), partition.is_frozen(rule.hash));
    let of = |episode: &Episode| if episode.object.is_empty() { String::new() } else { format!(" about {}", episode.object) };
    if let Some(open) = episodes.iter().find(|episode| episode.phase == Phase::Open) {
        let frozen = if is_frozen { ", and frozen while a source that it needs is silent" } else { "" };
        return format!("open since {}{}, {}{frozen}", format_time(open.raised_at), of(open), open.severity().name());
    }
    if is_frozen {
        return "frozen: a source of the events that it waits for is silent".to_owned();
    }
    if !rule.needs.iter().all(|types| customer.seen.intersects(*types)) {
        return "inactive: the events that it needs never came".to_owned();
    }
    if rule.kind.needs_paying() && customer.billing.mrr_minor() <= 0 {
        return "inactive: the customer does not pay".to_owned();
    }
    let warm = customer.since.plus_ms(rule.warm_up_ms.unwrap_or(rules.settings.warm_up_ms));
    if warm > at {
        return format!("silent until the warm-up is over, {}", format_time(warm));
    }
    if let Some(held) = episodes.iter().find(|episode| episode.phase == Phase::Held) {
        let view = View::new(customer, &rules.settings, at);
        let suppressions = rule.unless.iter().map(|index| &rules.settings.suppressions[*index]);
        let mut holding = suppressions.filter(|one| one.when.is_true(&|feature| view.value(feature)));
        let inhibitor = || inhibitor(customer, rules, rule, held.severity(), at).map(|(inhibitor, _)| inhibitor.name.as_str());
        let name = holding.next().map(|one| one.name.as_str()).or_else(inhibitor);
        return format!("held back by `{}`{}", name.unwrap_or("a suppression"), of(held));
    }
    if let Some(pending) = episodes.iter().find(|episode| episode.phase == Phase::Pending) {
        let ready = pending.since.plus_ms(rule.hold_ms);
        return format!("holds since {}{}, and must until {}", format_time(pending.since), of(pending), format_time(ready));
    }
    match (holds, episodes.iter().find(|episode| episode.phase == Phase::Closed)) {
        (Some(true), Some(closed)) if !closed.armed => "closed, and its condition has held ever since".to_owned(),
        (Some(true), Some(closed)) => {
            format!("closed, and not raised again before {}", format_time(closed.since.plus_ms(rule.cooldown_ms)))
        }
        (Some(false), _) => "its condition does not hold".to_owned(),
        (Some(true), None) => "its condition holds, and has not been looked at since it does".to_owned(),
        _ => "none of its objects fulfils the condition".to_owned(),
    }
}
