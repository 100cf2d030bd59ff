//! Gates: conditions on the figures of a report, in the language of rules, by which a change of rules can be refused.

use bellwether_engine::expression::{Expected, Expression, ExpressionError, Scope, Symbol, ValueType, compile, nearest};

use crate::report::{CompareReport, Report, RiskReport, RuleReport};

/// A figure by its name.
type Figure<R> = (&'static str, fn(&R) -> Option<f64>);

/// The figures that a gate may name of all rules together and of each alone, in the order of their numbers.
const FIGURES: [Figure<RiskReport>; 14] = [
    ("precision", |figures| figures.precision),
    ("recall", |figures| figures.recall),
    ("lift", |figures| figures.lift),
    ("signals", |figures| Some(figures.signals as f64)),
    ("churns", |figures| Some(figures.churns as f64)),
    ("median_lead_days", |figures| figures.lead_days.map(|lead| lead.median)),
    ("warned_14", |figures| figures.warned.days_14),
    ("warned_30", |figures| figures.warned.days_30),
    ("warned_60", |figures| figures.warned.days_60),
    ("warned_90", |figures| figures.warned.days_90),
    ("alerts_per_1000_customer_months", |figures| figures.alerts_per_1000_customer_months),
    ("false_alarms_per_1000_customer_months", |figures| figures.false_alarms_per_1000_customer_months),
    ("share_of_time_in_alarm", |figures| figures.share_of_time_in_alarm),
    ("flaps", |figures| Some(figures.flaps as f64)),
];

/// Further figures of the whole report.
const OF_REPORT: [Figure<Report>; 3] =
    [("auc", |report| report.health.auc), ("pr_auc", |report| report.health.pr_auc), ("brier", |report| report.health.brier)];

/// Further figures of a report that compares.
const OF_COMPARISON: [Figure<CompareReport>; 5] = [
    ("precision_change", |compare| compare.precision.change),
    ("recall_change", |compare| compare.recall.change),
    ("median_lead_days_change", |compare| compare.median_lead_days.change),
    ("customers_gained", |compare| Some(compare.gained as f64)),
    ("customers_lost", |compare| Some(compare.lost as f64)),
];

/// Further figures of one rule.
const OF_RULE: [Figure<RuleReport>; 2] =
    [("churns_warned_alone", |rule| Some(rule.churns_warned_alone as f64)), ("marginal_recall", |rule| rule.marginal_recall)];

/// A condition that a report must not fulfil.
#[derive(Clone, Debug)]
pub struct Gate {
    text: String,
    /// The rule whose figures it names; none for all rules together.
    rule: Option<String>,
    condition: Expression,
}

/// What a gate has to say about a report.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// The condition does not hold.
    Passes,
    /// It holds; with the figures that it names.
    Fails(Vec<(&'static str, f64)>),
    /// It names figures that this report does not have.
    Unknown(Vec<&'static str>),
}

impl Gate {
    /// Reads a condition such as `precision < 0.2 || customers_lost > 0`, or one on a single of these rules: `usage-decline: precision < 0.2`.
    ///
    /// # Errors
    ///
    /// With everything that is wrong with it, and the nearest known names.
    pub fn parse(text: &str, rules: &[&str]) -> Result<Self, String> {
        let (rule, condition) = match text.split_once(':') {
            // Else the colon belongs to a condition, as in `recall > 0.5 ? ... : ...`.
            Some((rule, condition)) if is_name(rule.trim()) => (Some(rule.trim()), condition),
            _ => (None, text),
        };
        if let Some(rule) = rule.filter(|rule| !rules.contains(rule)) {
            let help = nearest(rule, rules.iter().copied()).map(|near| format!(": did you mean `{near}`?"));
            return Err(format!("there is no rule `{rule}`{}", help.unwrap_or_default()));
        }
        let names: Vec<&str> = names(rule.is_some()).collect();
        let symbol = |(feature, name): (u16, &&'static str)| Symbol {
            name: (*name).into(),
            feature,
            value_type: ValueType::Number,
            clock: false,
            labels: None,
            family: None,
        };
        let symbols: Vec<Symbol> = (0..).zip(&names).map(symbol).collect();
        let condition = compile(condition, Expected::Boolean, &Scope { symbols: &symbols, params: &[] }).map_err(|errors| {
            let told: Vec<String> = errors.iter().map(in_words).collect();
            let whose = if rule.is_some() { "figures of a rule" } else { "figures" };
            format!("{}; {whose} are {}", told.join("; "), names.join(", "))
        })?;
        Ok(Self { text: text.to_owned(), rule: rule.map(str::to_owned), condition })
    }

    /// Judges a report. A figure that is not there lets nothing pass.
    #[must_use]
    pub fn judge(&self, report: &Report) -> Judgement {
        let values = self.values(report);
        let named = self.named();
        let value_of = |figure: u16| values.get(usize::from(figure)).copied().flatten();
        let named: Vec<(&'static str, Option<f64>)> = named.map(|(figure, name)| (name, value_of(figure))).collect();
        let unknown: Vec<&'static str> = named.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
        if !unknown.is_empty() {
            return Judgement::Unknown(unknown);
        }
        match self.condition.is_true(&|figure: u16| value_of(figure).unwrap_or(f64::NAN)) {
            true => Judgement::Fails(named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()),
            false => Judgement::Passes,
        }
    }

    /// A figure that it names and that no report has without a baseline.
    #[must_use]
    pub fn compared(&self) -> Option<&'static str> {
        self.named().map(|(_, name)| name).find(|name| OF_COMPARISON.iter().any(|(known, _)| known == name))
    }

    /// The figures that it names, with their numbers.
    fn named(&self) -> impl Iterator<Item = (u16, &'static str)> {
        let features = self.condition.features();
        (0..).zip(names(self.rule.is_some())).filter(move |(figure, _)| features & (1 << figure) != 0)
    }

    /// Every figure that it may name, in the order of their numbers; none of them where the report has no such rule.
    fn values(&self, report: &Report) -> Vec<Option<f64>> {
        let of = |figures: &RiskReport| FIGURES.map(|(_, of)| of(figures));
        let Some(name) = &self.rule else {
            let compared = OF_COMPARISON.map(|(_, of)| report.compare.as_ref().and_then(of));
            return of(&report.overall).into_iter().chain(OF_REPORT.map(|(_, of)| of(report))).chain(compared).collect();
        };
        let rule = report.by_rule.iter().find(|rule| rule.rule == *name);
        rule.map(|rule| of(&rule.figures).into_iter().chain(OF_RULE.map(|(_, of)| of(rule))).collect()).unwrap_or_default()
    }

    /// The condition as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.text
    }
}

/// The names of the figures, in the order of their numbers.
fn names(is_of_rule: bool) -> impl Iterator<Item = &'static str> {
    let of_report = || OF_REPORT.map(|(name, _)| name).into_iter().chain(OF_COMPARISON.map(|(name, _)| name));
    let others: Vec<&str> = if is_of_rule { OF_RULE.map(|(name, _)| name).into() } else { of_report().collect() };
    FIGURES.map(|(name, _)| name).into_iter().chain(others)
}

/// Whether a text may be the name of a rule, which a condition never is.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|one| one.is_alphanumeric() || matches!(one, '-' | '_' | '.'))
}

fn in_words(error: &ExpressionError) -> String {
    match &error.help {
        Some(help) => format!("{} ({help})", error.message),
        None => error.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: [&str; 2] = ["usage-decline", "no-login-30d"];

    #[test]
    fn a_misspelt_figure_gets_the_nearest_one() {
        let error = Gate::parse("presision < 0.2", &RULES).expect_err("it is wrong");
        assert!(error.starts_with("unknown name `presision` (did you mean `precision`?); figures are precision, recall"), "{error}");
        assert!(Gate::parse("precision", &RULES).is_err());
        assert!(Gate::parse("precision < 0.2 || customers_lost > 3 && recall_change < -0.05", &RULES).is_ok());
    }

    #[test]
    fn a_rule_may_be_named_before_a_condition() {
        let gate = Gate::parse("usage-decline: precision < 0.2 && marginal_recall < 0.01", &RULES).expect("it is right");
        assert_eq!(
            (gate.rule.as_deref(), gate.source()),
            (Some("usage-decline"), "usage-decline: precision < 0.2 && marginal_recall < 0.01")
        );
        let error = Gate::parse("usage-declin: precision < 0.2", &RULES).expect_err("it is wrong");
        assert_eq!(error, "there is no rule `usage-declin`: did you mean `usage-decline`?");
        let error = Gate::parse("usage-decline: customers_lost > 0", &RULES).expect_err("it is wrong");
        assert!(error.contains("unknown name `customers_lost`") && error.contains("figures of a rule are precision"), "{error}");
        assert_eq!(Gate::parse("recall > 0.5 ? precision < 0.1 : precision < 0.2", &RULES).map(|gate| gate.rule), Ok(None));
    }
}
