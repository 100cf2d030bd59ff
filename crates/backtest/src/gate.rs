//! Gates: conditions on the figures of a report, in the language of rules, by which a change of rules can be refused.

use bellwether_engine::expression::{Expected, Expression, ExpressionError, Scope, Symbol, ValueType, compile};

use crate::report::Report;

/// A figure by its name.
type Figure = (&'static str, fn(&Report) -> Option<f64>);

/// The figures that a gate may name, in the order of their numbers.
const FIGURES: [Figure; 22] = [
    ("precision", |report| report.overall.precision),
    ("recall", |report| report.overall.recall),
    ("lift", |report| report.overall.lift),
    ("signals", |report| Some(report.overall.signals as f64)),
    ("churns", |report| Some(report.overall.churns as f64)),
    ("median_lead_days", |report| report.overall.lead_days.map(|lead| lead.median)),
    ("warned_14", |report| report.overall.warned.days_14),
    ("warned_30", |report| report.overall.warned.days_30),
    ("warned_60", |report| report.overall.warned.days_60),
    ("warned_90", |report| report.overall.warned.days_90),
    ("alerts_per_1000_customer_months", |report| report.overall.alerts_per_1000_customer_months),
    ("false_alarms_per_1000_customer_months", |report| report.overall.false_alarms_per_1000_customer_months),
    ("share_of_time_in_alarm", |report| report.overall.share_of_time_in_alarm),
    ("flaps", |report| Some(report.overall.flaps as f64)),
    ("auc", |report| report.health.auc),
    ("pr_auc", |report| report.health.pr_auc),
    ("brier", |report| report.health.brier),
    ("precision_change", |report| report.compare.as_ref()?.precision.change),
    ("recall_change", |report| report.compare.as_ref()?.recall.change),
    ("median_lead_days_change", |report| report.compare.as_ref()?.median_lead_days.change),
    ("customers_gained", |report| report.compare.as_ref().map(|compare| compare.gained as f64)),
    ("customers_lost", |report| report.compare.as_ref().map(|compare| compare.lost as f64)),
];

/// A condition that a report must not fulfil.
#[derive(Clone, Debug)]
pub struct Gate(Expression);

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
    /// Reads a condition such as `precision < 0.2 || customers_lost > 0`.
    ///
    /// # Errors
    ///
    /// With everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let symbol = |(feature, (name, _)): (u16, &Figure)| Symbol {
            name: (*name).into(),
            feature,
            value_type: ValueType::Number,
            clock: false,
            labels: None,
            family: None,
        };
        let symbols: Vec<Symbol> = (0..).zip(&FIGURES).map(symbol).collect();
        compile(text, Expected::Boolean, &Scope { symbols: &symbols, params: &[] }).map(Self).map_err(|errors| {
            let told: Vec<String> = errors.iter().map(in_words).collect();
            let figures: Vec<&str> = FIGURES.iter().map(|(name, _)| *name).collect();
            format!("{}; figures are {}", told.join("; "), figures.join(", "))
        })
    }

    /// Judges a report. A figure that is not there lets nothing pass.
    #[must_use]
    pub fn judge(&self, report: &Report) -> Judgement {
        let named = FIGURES.iter().enumerate().filter(|(index, _)| self.0.features() & (1 << index) != 0);
        let named: Vec<(&'static str, Option<f64>)> = named.map(|(_, (name, of))| (*name, of(report))).collect();
        let unknown: Vec<&'static str> = named.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
        if !unknown.is_empty() {
            return Judgement::Unknown(unknown);
        }
        let value_of = |figure: u16| FIGURES.get(usize::from(figure)).and_then(|(_, of)| of(report)).unwrap_or(f64::NAN);
        match self.0.is_true(&value_of) {
            true => Judgement::Fails(named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()),
            false => Judgement::Passes,
        }
    }

    /// The condition as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        self.0.source()
    }
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

    #[test]
    fn a_misspelt_figure_gets_the_nearest_one() {
        let error = Gate::parse("presision < 0.2").expect_err("it is wrong");
        assert!(error.starts_with("unknown name `presision` (did you mean `precision`?); figures are precision, recall"), "{error}");
        assert!(Gate::parse("precision").is_err());
        assert!(Gate::parse("precision < 0.2 || customers_lost > 3 && recall_change < -0.05").is_ok());
    }
}
