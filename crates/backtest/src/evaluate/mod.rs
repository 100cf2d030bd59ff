//! The evaluation: from what was observed of a log to a report. Pure; the definitions are those of the report's fields.
//!
//! [`life`] says when customers churned, `outcome` what each alarm turned out to be, `tally` counts, `figures` makes figures of the
//! counts, and [`bootstrap`] says how certain they are.

pub mod bootstrap;
mod calibration;
mod compare;
mod figures;
mod health;
pub mod life;
mod outcome;
mod overlap;
mod population;
mod ranking;
mod slices;
mod stories;
mod tally;
mod whole;

pub use health::{Observation, Observations};
pub use life::{Churn, ChurnAt, Life, Spell};
pub use outcome::{Judge, Outcome};
pub use population::{Chance, DEFAULT_HORIZON_MS, DEFAULT_MIN_LEAD_MS, EvaluationOptions, HORIZONS_DAYS, Judged, MIN_CHURNS, Population};
pub use whole::{Evaluated, Side, evaluate};

/// What the evaluation has to know of a rule, in the order of its rule set.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSpec {
    /// Its name.
    pub name: String,
    /// Name of its kind.
    pub kind: &'static str,
    /// By what its alarms are judged.
    pub judge: Judge,
    /// Whether its signals are sent.
    pub is_live: bool,
    /// Whether it reads nothing but the cancellation page and the notice.
    pub is_notice_driven: bool,
    /// What it is there for.
    pub role: Role,
}

/// What a rule is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is one of the rules that are evaluated.
    Own,
    /// The baseline "nobody has logged in for 30 days".
    NoLogin,
    /// The baseline "the renewal is 60 days away".
    RenewalDate,
    /// A copy of a rule under another value of its param: the point of the sweep.
    Sweep(usize),
}

impl RuleSpec {
    /// Whether it comes from the rule file.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.role == Role::Own
    }

    /// Whether it is one of the rules of `overall`.
    #[must_use]
    pub fn is_in_overall(&self) -> bool {
        self.is_own() && self.is_live && self.judge == Judge::Churn && !self.is_notice_driven
    }
}
