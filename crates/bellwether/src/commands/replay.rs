//! `bellwether replay`: the same decisions as a live run, from the events alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bellwether_backtest::replay::{ReplayOptions, all_processors, replay};
use bellwether_codec::intake::InputSpec;
use bellwether_codec::summary::Summary;
use bellwether_engine::time::Time;
use bellwether_live::options::DEFAULT_PARTITIONS;
use clap::{Args, value_parser};

use super::replay_journal::{self, JournalPlace};
use super::run::{DEAD_LETTERS, MAX_PARTITIONS, SIGNALS_FILE};
use crate::distinct_files;
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::inputs::{EventArguments, ingest_clock, judge_read, parse_time_argument};
use crate::replay_sink::{Filter, ReplaySink};
use crate::rule_text::RuleText;
use crate::summary_text;
use crate::terminal::tell;

/// Decide again on a log of events, in memory
///
/// Writes, byte for byte, the signals that `run --once` writes for the same events, rules and number of partitions, but keeps nothing. Use it to see
/// what a rule would have said, or what became of one customer.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether replay --events events.jsonl.zst --signals signals.jsonl
  bellwether replay --events events.jsonl.zst --customer c-1042 --until 2026-03-01 --signals -
  bellwether replay --journal ./bellwether-data --signals signals.jsonl
  bellwether replay --journal kafka://localhost:9092/bellwether.journal --signals signals.jsonl")]
pub struct Arguments {
    #[command(flatten)]
    inputs: EventArguments,

    /// A journal to replay instead of events, with the rules that it brought: a data directory, or kafka://BROKERS/TOPIC
    #[arg(long, value_name = "DIR|URL", conflicts_with_all = ["events", "partitions", "skip_unknown_types", "strict"])]
    journal: Option<JournalPlace>,

    /// The configuration file, if its client properties are needed to reach the journal
    #[arg(long, value_name = "FILE", requires = "journal")]
    config: Option<PathBuf>,

    /// The file to write signals to, or `-` for standard output
    ///
    /// What was decided but not sent goes to FILE.decisions beside it.
    #[arg(long, value_name = "FILE")]
    signals: PathBuf,

    /// The rule file [default: the built-in rule pack, or the rules of the journal]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    /// Decide what is dated before this time, but do not send it, as `run --quiet-until` does
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument, conflicts_with = "journal")]
    quiet_until: Option<Time>,

    /// Journal partitions: they order the signals, and share the work
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PARTITIONS, value_parser = value_parser!(u16).range(1..=MAX_PARTITIONS))]
    partitions: u16,

    /// Write the signals of this customer only
    #[arg(long, value_name = "ID")]
    customer: Option<String>,

    /// Write the signals up to this time only: a date (its first instant, UTC) or 2026-03-01T08:15:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument)]
    until: Option<Time>,

    /// Write totals to this file at the end, as JSON
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,

    /// Write the KPIs to this file, one line of JSON for each UTC day that has ended
    #[arg(long, value_name = "FILE")]
    kpis: Option<PathBuf>,

    /// Exit with 1 if any line was refused
    #[arg(long)]
    strict: bool,
}

/// Replays the events.
pub fn run(arguments: Arguments) -> Result<Outcome, Failure> {
    refuse_shared_files(&arguments)?;
    if let Some(place) = &arguments.journal {
        let rules = arguments.rules.as_deref().map(|path| Ok::<_, Failure>(Arc::new(RuleText::read(Some(path))?.parse()?.rule_set(1))));
        let mut sink = sink(&arguments)?;
        let mut summary = replay_journal::run(place, arguments.config.as_deref(), rules.transpose()?, &mut sink)?;
        return finish(&arguments, sink, &mut summary);
    }
    let rules = Arc::new(RuleText::read(arguments.rules.as_deref())?.quiet_until(arguments.quiet_until)?.parse()?.rule_set(1));
    let decoder = arguments.inputs.decoder(environment::pseudonymiser()?);
    let inputs = arguments.inputs.specs()?;
    let mut sink = sink(&arguments)?;
    let options =
        ReplayOptions { inputs, decoder, rules, partitions: arguments.partitions, ingest_clock: ingest_clock(), threads: all_processors() };
    let mut summary = replay(&options, &mut sink)?.summary;
    finish(&arguments, sink, &mut summary)
}

/// What is written must not be what is read, nor two outputs one file.
fn refuse_shared_files(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { inputs, journal, rules, config, signals, kpis, summary, .. } = arguments;
    let mut written: Vec<_> = distinct_files::given([("--kpis", kpis), ("--summary", summary)]).collect();
    if signals != Path::new("-") {
        written.extend(distinct_files::signals(signals));
    }
    let mut read: Vec<_> = distinct_files::given([("--rules", rules), ("--config", config)]).collect();
    if let Some(JournalPlace::Directory(data)) = journal {
        // A run goes on appending to these.
        let [(_, signals), (_, decisions)] = distinct_files::signals(&data.join(SIGNALS_FILE));
        read.extend([signals, decisions, data.join(DEAD_LETTERS)].map(|path| ("--journal", path)));
    }
    let inputs: Vec<InputSpec> = inputs.events.iter().map(|path| InputSpec::from(path.as_path())).collect();
    distinct_files::check(&inputs, &read, &written)
}

fn sink(arguments: &Arguments) -> Result<ReplaySink, Failure> {
    let filter = Filter { customer: arguments.customer.clone(), until: arguments.until };
    let sink = if arguments.signals == Path::new("-") {
        ReplaySink::standard_output(filter)
    } else {
        ReplaySink::files(&arguments.signals, filter).map_err(|error| Failure::writing(&arguments.signals, &error))?
    };
    match &arguments.kpis {
        Some(path) => sink.with_kpis(path).map_err(|error| Failure::writing(path, &error)),
        None => Ok(sink),
    }
}

fn finish(arguments: &Arguments, sink: ReplaySink, summary: &mut Summary) -> Result<Outcome, Failure> {
    summary.signals.clear();
    summary.add_signals(&sink.finish().map_err(|error| Failure::writing(&arguments.signals, &error))?);
    tell(&summary_text::in_words(summary));
    if let Some(path) = &arguments.summary {
        summary_text::write(summary, path)?;
    }
    Ok(judge_read(summary, arguments.strict))
}
