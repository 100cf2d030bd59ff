//! `bellwether rules list`: the rules of a file, and how often each speaks on a log.

use std::path::PathBuf;
use std::sync::Arc;

use bellwether_backtest::replay::{ReplayOptions, Replayed, Sink, all_processors, replay};
use bellwether_codec::rendered::Rendered;
use bellwether_codec::rules::RuleFile;
use bellwether_engine::rule::{Mode, Rule};
use bellwether_live::options::DEFAULT_PARTITIONS;
use clap::Args;
use comfy_table::{CellAlignment, Table, presets};

use super::usage::{customer_months, has_source};
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::inputs::{EventArguments, ingest_clock, judge_read};
use crate::progress::Progress;
use crate::rule_text::RuleText;
use crate::sizes::count;
use crate::terminal::{print, tell};

/// List the rules of a file, and how often each speaks on a log of events
///
/// With --events, prints for each rule how many signals it raised, also per 1,000 customer-months, how many were decided but not sent, and
/// `inactive: no source` where the events that it needs never came.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether rules list rules.yaml --events events.jsonl.zst")]
pub struct Arguments {
    /// The rule file [default: the built-in rule pack]
    file: Option<PathBuf>,

    /// Event files (.jsonl, .json, .zst, .gz), directories of such files, or `-` for standard input
    #[arg(long, value_name = "PATH", num_args = 1..)]
    events: Vec<PathBuf>,

    /// Leave events of unknown types out
    #[arg(long, requires = "events")]
    skip_unknown_types: bool,
}

/// Prints the list.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let file = RuleText::read(arguments.file.as_deref())?.parse()?;
    let inputs = EventArguments { events: arguments.events.clone(), skip_unknown_types: arguments.skip_unknown_types };
    if inputs.events.is_empty() {
        print(&overview(&file).trim_fmt())?;
        return Ok(Outcome::Done);
    }
    let replayed = replayed(&file, &inputs)?;
    let outcome = judge_read(&replayed.summary, false);
    print(&usage(&file, &replayed).trim_fmt())?;
    Ok(outcome)
}

/// What the rules are.
fn overview(file: &RuleFile) -> Table {
    let mut table = plain_table(&["rule", "kind", "mode", "severities", "summary"]);
    for rule in &file.rules {
        let severities: Vec<&str> = rule.severity.iter().map(|(severity, _)| severity.name()).collect();
        table.add_row([rule.name.as_str(), rule.kind.name(), mode(rule), &severities.join(", "), rule.summary.source()]);
    }
    table
}

/// What the rules said.
fn usage(file: &RuleFile, replayed: &Replayed) -> Table {
    let months = customer_months(&replayed.partitions);
    tell(&format!("{} customers, {months:.1} customer-months", count(replayed.summary.customers)));
    let mut table = plain_table(&["rule", "kind", "raised", "per 1,000 customer-months", "not sent", "note"]);
    for number in 2..=4 {
        table.column_mut(number).into_iter().for_each(|column| {
            column.set_cell_alignment(CellAlignment::Right);
        });
    }
    for rule in &file.rules {
        let counts = replayed.summary.signals.get(&rule.name);
        let counted = |transition: &str| counts.and_then(|counts| counts.get(transition)).copied().unwrap_or_default();
        let raised = counted("raised");
        let rate = if months > 0.0 { format!("{:.2}", raised as f64 * 1_000.0 / months) } else { "-".to_owned() };
        let note = match (has_source(rule, &replayed.partitions), rule.mode) {
            (false, _) => "inactive: no source",
            (true, Mode::Shadow) => "shadow: not sent",
            (true, Mode::Live) => "",
        };
        table.add_row([rule.name.as_str(), rule.kind.name(), &count(raised), &rate, &count(counted("decided")), note]);
    }
    table
}

fn replayed(file: &RuleFile, inputs: &EventArguments) -> Result<Replayed, Failure> {
    let options = ReplayOptions {
        inputs: inputs.specs()?,
        decoder: inputs.decoder(environment::pseudonymiser()?),
        rules: Arc::new(file.rule_set(1)),
        partitions: DEFAULT_PARTITIONS,
        ingest_clock: ingest_clock(),
        threads: all_processors(),
    };
    Ok(replay(&options, &mut Counted(Progress::start()))?)
}

/// A sink for those who want the totals only.
struct Counted(Progress);

impl Sink for Counted {
    fn append(&mut self, _: &Rendered) -> std::io::Result<()> {
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn progress(&mut self, bytes_read: u64, bytes_total: u64, lines: u64) {
        self.0.show(bytes_read, bytes_total, lines);
    }
}

fn mode(rule: &Rule) -> &'static str {
    match rule.mode {
        Mode::Live => "live",
        Mode::Shadow => "shadow",
    }
}

fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.iter().copied());
    table
}
