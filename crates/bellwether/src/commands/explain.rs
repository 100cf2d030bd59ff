//! `bellwether explain`: one customer at one instant, and why each rule fires or does not.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use bellwether_backtest::explain::{ExplainError, Explainer, Explanation, Followed, RuleState};
use bellwether_backtest::replay::ReplayOptions;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::settings::Settings;
use bellwether_engine::time::Time;
use clap::Args;

use super::replay_journal::{self, JournalPlace};
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::inputs::{EventArguments, ingest_clock, judge_read, parse_time_argument};
use crate::rule_text::RuleText;
use crate::terminal::print;

/// Entries of the timeline that the text shows; JSON has more.
const SHOWN_ENTRIES: usize = 20;

/// Explain one customer: its features, its health, and why each rule fires or does not
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether explain c-1042 --events events.jsonl.zst --at 2026-03-01
  bellwether explain c-1042 --journal ./bellwether-data --json")]
pub struct Arguments {
    /// The customer id
    customer: String,

    #[command(flatten)]
    inputs: EventArguments,

    /// A journal instead of events, with the rules that it brought: a data directory, or kafka://BROKERS/TOPIC
    #[arg(long, visible_alias = "data", value_name = "DIR|URL", conflicts_with_all = ["events", "skip_unknown_types"])]
    journal: Option<JournalPlace>,

    /// The configuration file, if its client properties are needed to reach the journal
    #[arg(long, value_name = "FILE", requires = "journal")]
    config: Option<PathBuf>,

    /// The rule file [default: the built-in rule pack, or the rules of the journal]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    /// The instant [default: the end of the log]
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument)]
    at: Option<Time>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the explanation.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let followed = follow(arguments)?;
    let outcome = judge_read(&followed.read, false);
    let Some(explanation) = Explanation::of(followed, &arguments.customer) else {
        return Err(Failure::Usage(format!("the log does not know the customer {} by then", arguments.customer)));
    };
    if arguments.json {
        let json = serde_json::to_string_pretty(&explanation);
        print(&json.map_err(|error| Failure::Run(format!("the explanation is not JSON: {error}")))?)?;
    } else {
        print(&in_words(&explanation))?;
    }
    Ok(outcome)
}

fn follow(arguments: &Arguments) -> Result<Followed, Failure> {
    let rules = match (&arguments.journal, &arguments.rules) {
        (Some(_), None) => Arc::new(RuleSet::new(0, Vec::new(), Settings::default())),
        (_, path) => Arc::new(RuleText::read(path.as_deref())?.parse()?.rule_set(1)),
    };
    let explainer = Explainer::new(&arguments.customer, arguments.at, rules.clone());
    if let Some(place) = &arguments.journal {
        return replay_journal::explain(place, arguments.config.as_deref(), explainer, arguments.rules.is_none());
    }
    let inputs = arguments.inputs.specs()?;
    let decoder = arguments.inputs.decoder(environment::pseudonymiser()?);
    Ok(explainer.files(&ReplayOptions {
        inputs,
        decoder,
        rules,
        partitions: 1,
        ingest_clock: ingest_clock(),
        threads: NonZeroUsize::MIN,
    })?)
}

impl From<ExplainError> for Failure {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Replay(error) => error.into(),
            error => Self::Run(error.to_string()),
        }
    }
}

fn in_words(explanation: &Explanation) -> String {
    let health = explanation.health.map_or_else(|| "unknown".to_owned(), |health| format!("{health:.1}"));
    let mut lines = vec![format!(
        "{} at {}: customer since {}, MRR {:.2}, {}, health {health} {}",
        explanation.customer,
        explanation.at,
        &explanation.since[..10],
        explanation.mrr_minor as f64 / 100.0,
        explanation.stage,
        explanation.grade.unwrap_or_default(),
    )];
    for one in &explanation.contributions {
        let share = if one.share > 0.0 { format!("{:.0} % of it", one.share * 100.0) } else { "at most".to_owned() };
        lines.push(format!("  {:<24} {:>5.1}  {share}", one.name, one.score));
    }
    lines.push("\nrules".to_owned());
    let (open, others): (Vec<&RuleState>, Vec<&RuleState>) = explanation.rules.iter().partition(|rule| rule.is_open);
    for rule in open.into_iter().chain(others) {
        lines.push(format!("  {:<24} {}", rule.rule, rule.why));
        // How the comparisons hang together: alone, one under a `!` or on either side of a `||` misleads.
        if rule.comparisons.len() > 1 {
            lines.push(format!("    when {}", rule.when.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        for one in &rule.comparisons {
            let number = |value: f64| format!("{}", (value * 100.0).round() / 100.0);
            let words = |label: &Option<String>, value: Option<f64>| {
                label.clone().unwrap_or_else(|| value.map_or_else(|| "absent".to_owned(), number))
            };
            let (value, threshold) = (words(&one.label, one.value), words(&one.threshold_label, one.threshold));
            let mark = if one.holds { "yes" } else { "no" };
            lines.push(format!("    {mark:<3} {} {value} {} {threshold}", one.feature, one.operator));
        }
    }
    lines.push("\ntimeline".to_owned());
    let skipped = explanation.timeline.len().saturating_sub(SHOWN_ENTRIES);
    for entry in &explanation.timeline[skipped..] {
        lines.push(format!("  {}  {} {}", entry.time, entry.what, entry.of).trim_end().to_owned());
    }
    lines.join("\n")
}
