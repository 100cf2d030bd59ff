//! `bellwether fit`: learns health from who left.

use std::fs;
use std::path::PathBuf;

use bellwether_backtest::fit::inputs::inputs;
use bellwether_backtest::fit::learn::{LearnError, LearnOptions, Learned, learn};
use bellwether_backtest::fit::quality::Quality;
use bellwether_backtest::fit::rule_text::{RULE, rule_text};
use bellwether_engine::time::Time;
use clap::Args;

use super::feature_log::LogArguments;
use crate::failure::{Failure, Outcome};
use crate::inputs::parse_time_argument;
use crate::rule_text::RuleText;
use crate::sizes::count;
use crate::terminal::print;

/// Inputs that the words tell of; the file tells all.
const SHOWN_INPUTS: usize = 12;

/// Learn health from who left: a risk model, written as a rule file
///
/// A logistic regression with a ridge, on the features of customers at evenly spaced dates. It learns from rows whose horizon ends by --until, and is
/// judged on rows after it, so that the horizon lies between the two. The file is that of --rules with the model as its health, each feature a
/// component, and a rule `fitted-risk` that speaks of those whose health is low. Its first lines say what the model is and how
/// good. Its unit tests are left out, as they are of the old health.
///
/// Refused are features that are part of a churn (the cancellation page, notices, subscriptions), that people write down once they know of
/// it (risk notes), that health and rules are made into, and labels. Features that run with time are not learned from either, as health
/// cannot use them.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether fit --events events.jsonl.zst --until 2026-01-01 --out fitted.yaml
  bellwether backtest --events events.jsonl.zst --from 2026-01-01 --rules fitted.yaml")]
pub struct Arguments {
    #[command(flatten)]
    log: LogArguments,

    /// Learn from what was known at this time
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument)]
    until: Time,

    /// The rule file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Write the model and its figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Learn from these features alone [default: all that are not refused]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    features: Vec<String>,

    /// How much weights are held back: half of this times their squares is added to the log-loss
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0, value_parser = parse_ridge)]
    ridge: f64,
}

/// Learns, and writes the files.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let features = inputs(&arguments.features).map_err(|error| Failure::Usage(format!("--features: {error}")))?;
    let base = RuleText::read(arguments.log.rules.as_deref())?;
    let file = base.parse()?;
    if file.rules.iter().any(|rule| rule.name == RULE) {
        return Err(Failure::Usage(format!("{} has a rule `{RULE}` already: give the file that it was made from", base.name)));
    }
    let log = arguments.log.read(&file)?;
    let labelling = arguments.log.labelling(&log, &file);
    let options = LearnOptions { labelling, until: arguments.until, features, ridge: arguments.ridge };
    let learned = learn(log.observed()?, &options)?;
    let version = file.settings.health.for_others().version.saturating_add(1);
    let text = rule_text(&learned, &base.text, version).map_err(|error| Failure::Usage(format!("{}: {error}", base.name)))?;
    let fitted = RuleText { name: arguments.out.display().to_string(), text };
    fitted.parse()?;
    fs::write(&arguments.out, &fitted.text).map_err(|error| Failure::writing(&arguments.out, &error))?;
    if let Some(path) = &arguments.json {
        let json = serde_json::to_string_pretty(&learned).map_err(|error| Failure::Run(format!("the model is not JSON: {error}")))?;
        fs::write(path, json + "\n").map_err(|error| Failure::writing(path, &error))?;
    }
    print(&in_words(&learned))?;
    Ok(Outcome::of(log.is_partial))
}

impl From<LearnError> for Failure {
    fn from(error: LearnError) -> Self {
        Self::Usage(error.to_string())
    }
}

fn parse_ridge(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|ridge: &f64| ridge.is_finite() && *ridge > 0.0).ok_or_else(|| "write a number over 0".to_owned())
}

fn in_words(learned: &Learned) -> String {
    let mut lines = vec![quality("learned from", &learned.training), quality("judged on", &learned.test)];
    if let Some(validation) = &learned.cross_validation {
        lines.push(quality("cross-validated on", validation));
        lines.push("note: few churns come after the split, so that these figures are only indicative".to_owned());
    }
    lines.push("odds of a churn for a standard deviation more:".to_owned());
    for input in learned.model.inputs.iter().take(SHOWN_INPUTS) {
        lines.push(format!("  {:<32} x {:.2}", input.feature.name(), input.weight.exp()));
    }
    let others = learned.model.inputs.len().saturating_sub(SHOWN_INPUTS);
    if others > 0 {
        lines.push(format!("  and {others} others with less"));
    }
    lines.join("\n")
}

fn quality(what: &str, quality: &Quality) -> String {
    let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    format!(
        "{what:<19} {} rows, {} end in a churn: AUC {}, Brier {} (prevalence alone {})",
        count(quality.rows),
        count(quality.churns),
        figure(quality.auc),
        figure(quality.brier),
        figure(quality.brier_of_prevalence)
    )
}
