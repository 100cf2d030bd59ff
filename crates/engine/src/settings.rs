//! Decision settings other than rules: what a rule-set record carries beside them.

use crate::expression::Expression;
use crate::feature::{Feature, FeatureSet};
use crate::life_settings::LifeSettings;
use crate::time::{DAY_MS, HOUR_MS, Time};

/// Settings as the engine uses them, compiled.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rules skip a customer younger than this, unless they say otherwise.
    pub warm_up_ms: i64,
    /// Name hashes of the product's core features; empty: each customer's own most used.
    pub core_features: Vec<u32>,
    /// Name hashes of features that show interest in a higher tier.
    pub gated_features: Vec<u32>,
    /// Name hash of the milestone that is the first value.
    pub first_value: Option<u32>,
    /// Name hashes of the features each plan pays for.
    pub plan_features: Vec<(String, Vec<u32>)>,
    /// Limit for the first answer in hours, by ticket priority (low, normal, high, urgent).
    pub response_limit_hours: [f64; 4],
    /// Business hours, UTC.
    pub business_hours: BusinessHours,
    /// The health profile.
    pub health: HealthProfile,
    /// Conditions of the journey's stages, by index in `feature::STAGES`; the last one that holds is the stage.
    pub stages: Vec<(u8, Expression)>,
    /// Named conditions under which signals are held back.
    pub suppressions: Vec<Suppression>,
    /// Bands of the priority.
    pub priority: PriorityBands,
    /// How episodes end, are measured and are held back.
    pub life: LifeSettings,
    /// What is dated before this instant is decided and not sent, with the reason `quiet`; at this instant each episode still open is raised
    /// once. All rule sets of a journal have the same, so that no episode that was told is told again. `Time::MIN` is never.
    pub quiet_until: Time,
    /// For tests of what happens when folding panics: the identity of an event that does. No rule file can set it.
    pub poison: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            warm_up_ms: 28 * DAY_MS,
            core_features: Vec::new(),
            gated_features: Vec::new(),
            first_value: None,
            plan_features: Vec::new(),
            response_limit_hours: [48.0, 24.0, 8.0, 4.0],
            business_hours: BusinessHours { opens: 9, closes: 17 },
            health: HealthProfile::default(),
            stages: Vec::new(),
            suppressions: Vec::new(),
            priority: PriorityBands::default(),
            life: LifeSettings::default(),
            quiet_until: Time::MIN,
            poison: None,
        }
    }
}

/// Opening hours from Monday to Friday, in whole hours UTC; `opens < closes <= 24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusinessHours {
    /// First hour of the business day.
    pub opens: u8,
    /// Hour at which it ends.
    pub closes: u8,
}

impl BusinessHours {
    /// Business hours between two instants.
    #[must_use]
    pub fn between(self, from: Time, to: Time) -> f64 {
        if to <= from {
            return 0.0;
        }
        // Whole weeks first, so that the walk over single days stays short.
        let weeks = to.since_ms(from) / (7 * DAY_MS);
        let mut total_ms = weeks * 5 * i64::from(self.closes - self.opens) * HOUR_MS;
        let mut cursor = from.plus_ms(weeks * 7 * DAY_MS);
        while cursor < to {
            let (opens, closes) = self.of_day(cursor);
            total_ms += closes.min(to).since_ms(opens.max(cursor)).max(0);
            cursor = cursor.day().next().start();
        }
        total_ms as f64 / HOUR_MS as f64
    }

    /// The instant at which so many business hours have passed since `from`.
    #[must_use]
    pub fn after(self, from: Time, hours: f64) -> Time {
        let week_hours = 5.0 * f64::from(self.closes - self.opens);
        let weeks = (hours / week_hours).floor().clamp(0.0, 10_000.0);
        let mut rest_ms = ((hours - weeks * week_hours) * HOUR_MS as f64).ceil() as i64;
        let mut cursor = from.plus_ms(weeks as i64 * 7 * DAY_MS);
        loop {
            let (opens, closes) = self.of_day(cursor);
            let open_ms = closes.since_ms(opens.max(cursor)).max(0);
            if rest_ms <= open_ms {
                return opens.max(cursor).plus_ms(rest_ms.max(0));
            }
            rest_ms -= open_ms;
            cursor = cursor.day().next().start();
        }
    }

    /// Opening and closing of the day that holds an instant; the same instant twice on a weekend.
    fn of_day(self, time: Time) -> (Time, Time) {
        let start = time.day().start();
        // 1970-01-01 was a Thursday: day 2 is a Saturday.
        if (time.day().0 - 2).rem_euclid(7) < 2 {
            return (start, start);
        }
        (start.plus_ms(i64::from(self.opens) * HOUR_MS), start.plus_ms(i64::from(self.closes) * HOUR_MS))
    }
}

/// How health is made of features.
#[derive(Clone, Debug, Default)]
pub struct HealthProfile {
    /// A number that changes when the profile does; changes of health are only told within one version.
    pub version: u32,
    /// The components; the weights need not sum to one.
    pub components: Vec<Component>,
    /// Conditions that cap the score.
    pub vetoes: Vec<Veto>,
    /// Scores under this are red.
    pub amber_from: f64,
    /// Scores from this on are green.
    pub green_from: f64,
    /// Every feature read.
    pub features: FeatureSet,
}

/// A part of health with its weight.
#[derive(Clone, Debug)]
pub struct Component {
    /// Name in contributions.
    pub name: String,
    /// Weight, over zero; a component without data gives its weight to the others.
    pub weight: f64,
    /// The features it is the mean of, each mapped to 0-100 by straight lines between points.
    pub inputs: Vec<(Feature, Vec<(f64, f64)>)>,
}

/// A condition that caps health.
#[derive(Clone, Debug)]
pub struct Veto {
    /// Name in contributions.
    pub name: String,
    /// When it holds.
    pub when: Expression,
    /// The score is at most this.
    pub cap: f64,
}

/// A named reason to hold a signal back.
#[derive(Clone, Debug)]
pub struct Suppression {
    /// Name, as in `unless`.
    pub name: String,
    /// When it holds.
    pub when: Expression,
}

/// Upper bounds of the bands of a priority's parts; a value under bound `i` has part [`SCALE`]`[i]`.
#[derive(Clone, Debug)]
pub struct PriorityBands {
    /// Business value from MRR in minor units, ascending.
    pub value_mrr_minor: [f64; 6],
    /// Urgency from days to renewal, ascending: the nearest is the most urgent.
    pub urgency_days: [f64; 6],
}

/// The scale of a priority's parts.
pub const SCALE: [u8; 7] = [1, 2, 3, 5, 8, 13, 21];

impl Default for PriorityBands {
    fn default() -> Self {
        Self {
            value_mrr_minor: [5_000.0, 20_000.0, 50_000.0, 100_000.0, 300_000.0, 1_000_000.0],
            urgency_days: [7.0, 14.0, 30.0, 60.0, 90.0, 180.0],
        }
    }
}
