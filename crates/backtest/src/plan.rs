//! What a backtest puts into one rule set: the rules of a file, and in shadow mode, so that they change nothing, baselines and the points of a
//! sweep. One fold of states serves them all.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use bellwether_codec::rules::{RuleFile, VariantError};
use bellwether_engine::event_type::Family;
use bellwether_engine::rule::{Kind, Mode, Rule};
use bellwether_engine::rule_set::{MAX_RULES, RuleSet};

use crate::evaluate::{Judge, Role, RuleSpec};

/// The baselines that are rules.
const BASELINES: &str = r"
signals:
  - { name: baseline-no-login-30d, kind: at_risk, mode: shadow, when: days_since_login >= 30, summary: baseline }
  - { name: baseline-renewal-date, kind: at_risk, mode: shadow, when: days_to_renewal <= 60, summary: baseline }
";

/// Points of a sweep.
pub const MAX_SWEEP_POINTS: usize = 64;

/// Why a backtest cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The sweep.
    #[error(transparent)]
    Variant(#[from] VariantError),
    /// Too many rules.
    #[error(
        "the {own} rules, {hidden} baselines and points of the sweep are more than the {MAX_RULES} rules that a set holds: sweep fewer points"
    )]
    TooMany {
        /// Rules of the file.
        own: usize,
        /// Others.
        hidden: usize,
    },
    /// A rule has a name that the backtest needs.
    #[error("the rule `{0}` has the same hash as one that the backtest adds: give it another name")]
    Name(String),
}

/// A param of a rule, and the values that it is to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// The rule.
    pub rule: String,
    /// The param.
    pub param: String,
    /// The values, ascending.
    pub values: Vec<f64>,
}

/// A rule set with what each rule of it is there for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The rule set.
    pub rule_set: Arc<RuleSet>,
    /// Its rules, in its order.
    pub rules: Vec<RuleSpec>,
    /// Hashes of the rules that are not of the file.
    pub hidden: Vec<u32>,
    /// The sweep, with the value that the file has.
    pub sweep: Option<(Sweep, f64)>,
}

impl Plan {
    /// Plans for a rule file.
    ///
    /// # Errors
    ///
    /// When the sweep names what is not there, or there are too many rules.
    ///
    /// # Panics
    ///
    /// Never: the baselines are right, as a test shows.
    pub fn new(file: &RuleFile, sweep: Option<Sweep>) -> Result<Self, PlanError> {
        let baselines = RuleFile::parse("the baselines", BASELINES).expect("the baselines are right");
        let mut hidden: Vec<(Arc<Rule>, Role)> = baselines.rules.into_iter().zip([Role::NoLogin, Role::RenewalDate]).collect();
        let mut current = None;
        if let Some(sweep) = sweep {
            let value = file.param(&sweep.rule, &sweep.param)?;
            for (number, value) in sweep.values.iter().enumerate() {
                let name = format!("sweep-{number}-{}", sweep.rule);
                hidden.push((file.variant(&sweep.rule, &sweep.param, *value, name)?, Role::Sweep(number)));
            }
            current = Some((sweep, value));
        }
        if file.rules.len() + hidden.len() > MAX_RULES {
            return Err(PlanError::TooMany { own: file.rules.len(), hidden: hidden.len() });
        }
        if let Some(rule) = file.rules.iter().find(|own| hidden.iter().any(|(rule, _)| rule.hash == own.hash)) {
            return Err(PlanError::Name(rule.name.clone()));
        }
        let rules = file.rules.iter().chain(hidden.iter().map(|(rule, _)| rule)).cloned().collect();
        let rule_set = Arc::new(RuleSet::new(1, rules, file.settings.clone()));
        let role = |rule: &Rule| hidden.iter().find(|(known, _)| known.hash == rule.hash).map_or(Role::Own, |(_, role)| *role);
        let rules = rule_set.rules.iter().map(|rule| spec(rule, role(rule))).collect();
        Ok(Self { rule_set, rules, hidden: hidden.iter().map(|(rule, _)| rule.hash).collect(), sweep: current })
    }
}

fn spec(rule: &Rule, role: Role) -> RuleSpec {
    RuleSpec {
        name: rule.name.clone(),
        kind: rule.kind.name(),
        judge: match rule.kind {
            Kind::AtRisk => Judge::Churn,
            Kind::Upsell => Judge::Expansion,
            Kind::Advocacy => Judge::Conversion,
            Kind::Return | Kind::Attention | Kind::DataQuality => Judge::Nothing,
        },
        is_live: rule.mode == Mode::Live,
        is_notice_driven: !rule.families.is_empty() && rule.families.iter().all(|family| *family == Family::Cancellation),
        role,
    }
}

impl FromStr for Sweep {
    type Err = String;

    /// Reads `RULE.PARAM=FROM..TO:STEP`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = "write RULE.PARAM=FROM..TO:STEP, for example no-login-30d.days=10..60:5";
        let parts = || {
            let (name, range) = text.split_once('=')?;
            let (rule, param) = name.rsplit_once('.')?;
            let (range, step) = range.rsplit_once(':')?;
            let (from, to) = range.split_once("..")?;
            let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            Some((rule.trim(), param.trim(), number(from)?..=number(to)?, number(step)?))
        };
        let (rule, param, range, step) = parts().ok_or(wanted)?;
        Ok(Self { rule: rule.to_owned(), param: param.to_owned(), values: values(&range, step)? })
    }
}

fn values(range: &RangeInclusive<f64>, step: f64) -> Result<Vec<f64>, String> {
    if range.start() > range.end() || step <= 0.0 {
        return Err("a sweep goes up: FROM is not over TO, and STEP is over 0".to_owned());
    }
    // A hair more, so that 0.1..0.3:0.1 has its last point in spite of binary fractions.
    let steps = ((range.end() - range.start()) / step + 1e-9).floor();
    if steps >= MAX_SWEEP_POINTS as f64 {
        return Err(format!("this sweep has {} points, and at most {MAX_SWEEP_POINTS} are possible", steps + 1.0));
    }
    // Rounded to what people write.
    let value = |number: usize| ((range.start() + number as f64 * step) * 1e9).round() / 1e9;
    Ok((0..=steps as usize).map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "signals:\n  - { name: quiet, kind: at_risk, params: { days: 20 }, when: days_since_login >= days, summary: s }\n";

    fn file() -> RuleFile {
        RuleFile::parse("test", RULES).expect("it is right")
    }

    #[test]
    fn a_sweep_is_read_or_explained() {
        let sweep: Sweep = "no-login-30d.days=10..60:25".parse().expect("it is right");
        assert_eq!((sweep.rule.as_str(), sweep.param.as_str(), sweep.values), ("no-login-30d", "days", vec![10.0, 35.0, 60.0]));
        let fractions: Sweep = "r.share=0.1..0.3:0.1".parse().expect("it is right");
        assert_eq!(fractions.values, [0.1, 0.2, 0.3]);
        for wrong in ["", "a=1..2:1", "a.b=1..2", "a.b=1:2", "a.b=x..2:1", "a.b=2..1:1", "a.b=1..2:0", "a.b=1..1000:1", "a.b=1..NaN:1"] {
            assert!(wrong.parse::<Sweep>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn hidden_rules_stand_behind_those_of_their_kind_and_are_no_rules_of_overall() {
        let plan = Plan::new(&file(), Some("quiet.days=10..30:10".parse().expect("it is right"))).expect("it fits");
        let names: Vec<&str> = plan.rules.iter().map(|rule| rule.name.as_str()).collect();
        let expected = ["quiet", "baseline-no-login-30d", "baseline-renewal-date", "sweep-0-quiet", "sweep-1-quiet", "sweep-2-quiet"];
        assert_eq!(names, expected);
        assert_eq!(plan.rules.iter().filter(|rule| rule.is_in_overall()).count(), 1);
        assert_eq!((plan.hidden.len(), plan.sweep.map(|(_, current)| current)), (5, Some(20.0)));
    }

    #[test]
    fn what_is_not_there_cannot_be_swept() {
        let told = |sweep: &str| Plan::new(&file(), Some(sweep.parse().expect("it reads"))).expect_err("it is wrong").to_string();
        assert_eq!(told("quit.days=1..2:1"), "there is no rule `quit`: did you mean `quiet`?");
        assert_eq!(told("quiet.day=1..2:1"), "the rule `quiet` has no param `day`: did you mean `days`?");
    }
}
