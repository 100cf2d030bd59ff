//! Decision settings other than rules: what a rule-set record carries beside them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::business_hours::BusinessHours;
use crate::expression::Expression;
use crate::feature::{Feature, STAGES};
pub use crate::health_profile::{Axis, Component, HealthProfile, HealthProfiles, Veto};
use crate::holidays::Holidays;
use crate::journey::stage_hash;
use crate::kpi::KpiSettings;
use crate::life_settings::LifeSettings;
use crate::own_feature::{FIRST_OWN_FEATURE, OwnFeatures};
use crate::poison::Poison;
use crate::time::{DAY_MS, Time};

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
    /// Whether that limit is in business hours.
    pub response_in_business_hours: bool,
    /// Business hours.
    pub business_hours: BusinessHours,
    /// Holiday calendars by country.
    pub holidays: Holidays,
    /// The health profiles.
    pub health: HealthProfiles,
    /// The journey's stages, in its order, at most `MAX_STAGES`; the last one whose condition holds is the stage, else the first.
    pub stages: Vec<Stage>,
    /// Whether stages are found before health, as they must be where they choose its profile.
    pub stages_first: bool,
    /// Features that the rule file defines.
    pub own: OwnFeatures,
    /// Named conditions under which signals are held back.
    pub suppressions: Vec<Suppression>,
    /// Bands of the priority.
    pub priority: PriorityBands,
    /// Labels, targets and the like of the KPIs.
    pub kpis: KpiSettings,
    /// How episodes end, are measured and are held back.
    pub life: LifeSettings,
    /// What is dated before this instant is decided and not sent, with the reason `quiet`; at this instant each episode still open is raised
    /// once. All rule sets of a journal have the same, so that no episode that was told is told again. `Time::MIN` is never.
    pub quiet_until: Time,
    /// What panics, for tests of what happens then.
    pub poison: Poison,
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
            response_in_business_hours: false,
            business_hours: BusinessHours::default(),
            holidays: Holidays::default(),
            health: HealthProfiles::default(),
            stages: Vec::new(),
            stages_first: false,
            own: OwnFeatures::default(),
            suppressions: Vec::new(),
            priority: PriorityBands::default(),
            kpis: KpiSettings::default(),
            life: LifeSettings::default(),
            quiet_until: Time::MIN,
            poison: Poison::default(),
        }
    }
}

impl Settings {
    /// The name of a feature by its number, as rules have it.
    #[must_use]
    pub fn feature_name(&self, feature: u16) -> Cow<'static, str> {
        match self.own.get(feature) {
            Some(own) => Cow::Owned(own.name.to_string()),
            None if feature >= FIRST_OWN_FEATURE => Cow::Borrowed(""),
            None => Cow::Borrowed(Feature::at(feature).name()),
        }
    }

    /// The name of a stage by its index.
    #[must_use]
    pub fn stage_name(&self, stage: u8) -> &str {
        let builtin = || STAGES.get(usize::from(stage)).copied().unwrap_or_default();
        self.stages.get(usize::from(stage)).map_or_else(builtin, |stage| &stage.name)
    }

    /// The names of all stages, in their order.
    #[must_use]
    pub fn stage_names(&self) -> Vec<&str> {
        if self.stages.is_empty() { STAGES.to_vec() } else { self.stages.iter().map(|stage| &*stage.name).collect() }
    }
}

/// A stage of the journey.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name.
    pub name: Arc<str>,
    /// [`stage_hash`] of the name.
    pub hash: u16,
    /// When a customer may be in it.
    pub when: Expression,
}

impl Stage {
    /// A stage.
    #[must_use]
    pub fn new(name: &str, when: Expression) -> Self {
        Self { name: name.into(), hash: stage_hash(name), when }
    }
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
    /// Urgency from days to renewal, ascending: the nearest is the most urgent. A bound belongs to the band above it: with a first bound of 7 the
    /// last six days are the most urgent, and seven days are of the next band.
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
