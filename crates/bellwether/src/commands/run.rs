//! `bellwether run`: the live product, here embedded, without Kafka.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::InputSpec;
use bellwether_codec::pseudonym::Pseudonymiser;
use bellwether_codec::summary::Summary;
use bellwether_console::guarded::SetLogLevel;
use bellwether_engine::time::Time;
use bellwether_live::embedded;
use bellwether_live::metrics::Metrics;
use bellwether_live::options::{BatchLimits, DEFAULT_MEMORY_BYTES, DEFAULT_PARTITIONS, EmbeddedOptions, SignalsTarget};
use clap::{Args, value_parser};
use uuid::Uuid;

use super::run_kafka;
use crate::configuration::ConfigurationFile;
use crate::console_server::Run;
use crate::distinct_files;
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::inputs::{EventArguments, broke_off, ingest_clock, parse_time_argument, refused, tell_of_dates};
use crate::metrics_server::{self, DEFAULT_ADDRESS, MetricsAddress};
use crate::progress::Progress;
use crate::rule_text::{self, RuleText};
use crate::sizes::{count, parse_memory};
use crate::stop;
use crate::summary_text;
use crate::terminal::tell;

/// More workers than this only cost memory: there is a thread for each.
const MAX_WORKERS: i64 = 64;

/// What a process does beside Kafka.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Both
    All,
    /// Bring events from the input topics into the journal
    Ingest,
    /// Turn the journal into signals
    Process,
}

/// More partitions than this only cost memory.
pub const MAX_PARTITIONS: i64 = 1_024;

/// Read events, and write signals, each exactly once
///
/// Everything is kept in the data directory. After any kind of end, the same command goes on where it was: events are not read twice, and the
/// signals file holds each signal once. Ctrl-C or SIGTERM ends it in good order. Refused lines go to dead-letters.jsonl in the data directory.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether run --events events.jsonl.zst --once
  bellwether run --follow incoming/ --data state
  producer | bellwether run --events - --data state --signals signals.jsonl
  bellwether run --config bellwether.yaml --role process --workers 2")]
pub struct Arguments {
    #[command(flatten)]
    inputs: EventArguments,

    /// Follow this directory instead: its files are read one after another in the order of their names, the last one as it grows
    ///
    /// A file is complete once there is one with a later name. New files get later names and are moved in whole, or begin with a dot while they are
    /// written; what is written stays as it is. Where that is broken, the run stops with an error. Files that were read may be moved away, but for the last.
    #[arg(long, value_name = "DIR", conflicts_with = "events")]
    follow: Option<PathBuf>,

    /// The configuration file; with a section `kafka` in it the run is beside Kafka, and the arguments on files do not go with that
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// What this process does, beside Kafka
    #[arg(long, value_enum, default_value_t = Role::All, requires = "config")]
    role: Role,

    /// Workers of each role, beside Kafka: each is a thread, and owns a share of the partitions
    #[arg(long, value_name = "N", default_value_t = 1, requires = "config", value_parser = value_parser!(u16).range(1..=MAX_WORKERS))]
    workers: u16,

    /// The directory that keeps the journal, the customers' states and the dead letters [default: ./bellwether-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// The file that signals are appended to, or `-` for standard output [default: signals.jsonl in the data directory]
    ///
    /// What was decided but not sent goes to FILE.decisions beside it. On standard output signals may come twice after a crash.
    #[arg(long, value_name = "FILE")]
    signals: Option<PathBuf>,

    /// The rule file [default: the built-in rule pack]
    ///
    /// A changed file takes effect at the next start, and for every customer at once.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    /// Decide what is dated before this time, but do not send it; what is still open then is sent: a date (UTC) or 2026-03-01T08:15:00Z
    ///
    /// For a data directory that begins with history; give it with every run. Beside Kafka: `rules publish --quiet-until`.
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument)]
    quiet_until: Option<Time>,

    /// End when the events end, and take their end as the present: what is due by then is decided
    #[arg(long)]
    once: bool,

    /// Write totals to this file at the end, as JSON
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,

    /// Write the KPIs to this file, one line of JSON for each UTC day that has ended; like the signals, each once
    ///
    /// Give it with every run of a data directory. Beside Kafka they go to a topic, a record for each partition and day.
    #[arg(long, value_name = "FILE")]
    kpis: Option<PathBuf>,

    /// Exit with 1 if any line was refused
    #[arg(long)]
    strict: bool,

    /// Where to serve GET /metrics, /livez and /readyz, or `off` [default: 127.0.0.1:9464]
    #[arg(long, value_name = "HOST:PORT")]
    metrics: Option<MetricsAddress>,

    #[command(flatten)]
    limits: Limits,
}

/// The dead letters within a data directory.
pub const DEAD_LETTERS: &str = "dead-letters.jsonl";

/// The signals file within a data directory, where no other is given.
pub const SIGNALS_FILE: &str = "signals.jsonl";

/// How much at once.
#[derive(Args, Debug)]
#[command(next_help_heading = "Sizes")]
struct Limits {
    /// Journal partitions of a new data directory, each worked on by one core at a time [default: 4]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=MAX_PARTITIONS))]
    partitions: Option<u16>,

    /// The most memory that the process takes, such as 512MiB; at least 256MiB [default: 1GiB]
    ///
    /// 128MiB of it are for the process itself, and the rest for RocksDB, states of customers and timers. Signals do not depend on it.
    #[arg(long, value_name = "SIZE", value_parser = parse_memory)]
    memory: Option<u64>,

    /// Records that a partition folds in one commit at most; signals do not depend on it
    #[arg(long, value_name = "N", default_value_t = BatchLimits::default().records, value_parser = value_parser!(u64).range(1..))]
    batch_records: u64,

    /// Reviews that a partition runs in one commit at most; signals do not depend on it
    #[arg(long, value_name = "N", default_value_t = BatchLimits::default().reviews, value_parser = value_parser!(u64).range(1..))]
    batch_reviews: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let BatchLimits { records, reviews } = BatchLimits::default();
        Self { partitions: Some(DEFAULT_PARTITIONS), memory: None, batch_records: records, batch_reviews: reviews }
    }
}

/// Runs until the events end, or a signal comes.
pub fn run(mut arguments: Arguments, set_log_level: &SetLogLevel) -> Result<Outcome, Failure> {
    let mut console = None;
    let mut pseudonymiser = None;
    if let Some(path) = &arguments.config {
        let ConfigurationFile { configuration, .. } = ConfigurationFile::read(path)?;
        if configuration.kafka.is_some() {
            refuse_file_arguments(&arguments)?;
            return run_kafka::run(path, arguments.role, arguments.workers, set_log_level);
        }
        pseudonymiser = Some(configuration.pseudonymiser()?);
        arguments.data.get_or_insert(configuration.data);
        arguments.metrics.get_or_insert(configuration.metrics);
        arguments.limits.memory.get_or_insert(configuration.memory_bytes);
        console = configuration.console;
    }
    let pseudonymiser = pseudonymiser.map_or_else(environment::pseudonymiser, Ok)?;
    let data = arguments.data.take().unwrap_or_else(|| DATA.into());
    let serves = console.is_some() && !arguments.once;
    let options = options(&arguments, &data, pseudonymiser, serves)?;
    let stop = stop::flag_of_signals()?;
    let metrics = Arc::new(Metrics::new());
    let address = arguments.metrics.clone().map_or_else(|| DEFAULT_ADDRESS.parse().map_err(Failure::Usage), Ok)?;
    if let Some(address) = metrics_server::serve(&address, &metrics, &stop)? {
        tell(&format!("metrics are at http://{address}/metrics"));
    }
    let run = Run { metrics: &metrics, stop: &stop, set_log_level, instance: None };
    let after_files = run.serve_embedded(console, options.decoder.clone(), arguments.once)?;
    if !arguments.once && !serves && arguments.follow.is_none() && !arguments.inputs.has_standard_input() {
        tell("note: the run ends with these files. Add --once to take their end as the present, or follow a directory with --follow DIR");
    }
    let summary = {
        let progress = Progress::start();
        let observe = |status: &embedded::Status<'_>| {
            progress.show(status.intake.bytes_read(), status.intake.bytes_total(), status.events);
        };
        embedded::run_then(options, metrics, &stop, observe, after_files)?
    };
    if stop.load(std::sync::atomic::Ordering::Relaxed) {
        tell("stopped by a signal: what was taken in is committed, and the same command goes on from here");
    }
    tell(&summary_text::in_words(&summary));
    if let Some(path) = &arguments.summary {
        summary_text::write(&summary, path)?;
    }
    Ok(judge(&summary, arguments.strict, &data))
}

/// Where everything is kept when nothing else is said.
const DATA: &str = "./bellwether-data";

/// Beside Kafka events come from topics, and what comes out goes to topics.
fn refuse_file_arguments(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { inputs, follow, signals, rules, quiet_until, once, summary, kpis, strict, limits, .. } = arguments;
    let given = [
        (!inputs.events.is_empty(), "--events"),
        (follow.is_some(), "--follow"),
        (signals.is_some(), "--signals"),
        (rules.is_some(), "--rules"),
        (quiet_until.is_some(), "--quiet-until"),
        (*once, "--once"),
        (summary.is_some(), "--summary"),
        (kpis.is_some(), "--kpis"),
        (*strict, "--strict"),
        (limits.partitions.is_some(), "--partitions"),
    ];
    let given: Vec<&str> = given.iter().filter(|(is_given, _)| *is_given).map(|(_, name)| *name).collect();
    if given.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!("the configuration has a section `kafka`, and {} cannot be used with that", given.join(", "))))
}

/// Options that find the data directory of a run as it is.
pub fn options_as_found(data: &Path, signals: Option<PathBuf>) -> Result<EmbeddedOptions, Failure> {
    let signals = signals.unwrap_or_else(|| data.join(SIGNALS_FILE));
    let limits = Limits { partitions: None, ..Limits::default() };
    let pseudonymiser = environment::pseudonymiser()?;
    let decoder = Decoder::new(pseudonymiser);
    embedded_options(Vec::new(), (decoder, pseudonymiser), data, SignalsTarget::File(signals), &RuleText::read(None)?, &limits, true)
}

/// Options of a run that keeps all it knows in `data`, with everything else as it is by default.
pub fn options_of(inputs: &EventArguments, data: &Path, signals: PathBuf, rules: &RuleText) -> Result<EmbeddedOptions, Failure> {
    let pseudonymiser = environment::pseudonymiser()?;
    let decoder = inputs.decoder(pseudonymiser);
    embedded_options(inputs.specs()?, (decoder, pseudonymiser), data, SignalsTarget::File(signals), rules, &Limits::default(), true)
}

fn options(arguments: &Arguments, data: &Path, pseudonymiser: Pseudonymiser, serves: bool) -> Result<EmbeddedOptions, Failure> {
    let signals = match &arguments.signals {
        Some(path) if path == Path::new("-") => SignalsTarget::StandardOutput,
        Some(path) => SignalsTarget::File(path.clone()),
        None => SignalsTarget::File(data.join(SIGNALS_FILE)),
    };
    let decoder = arguments.inputs.decoder(pseudonymiser);
    let inputs = match &arguments.follow {
        Some(directory) => {
            let missing = |error: std::io::Error| Failure::Usage(format!("cannot follow {}: {error}", directory.display()));
            std::fs::read_dir(directory).map_err(missing)?;
            vec![InputSpec::Followed { directory: directory.clone(), once: arguments.once }]
        }
        // A run that stays may have no files at all.
        None if serves && arguments.inputs.events.is_empty() => Vec::new(),
        None => arguments.inputs.specs()?,
    };
    refuse_shared_files(arguments, data, &signals, &inputs)?;
    let rules = RuleText::read(arguments.rules.as_deref())?.quiet_until(arguments.quiet_until)?.with_time_zone()?;
    let options = embedded_options(inputs, (decoder, pseudonymiser), data, signals, &rules, &arguments.limits, arguments.once)?;
    Ok(EmbeddedOptions { kpis: arguments.kpis.clone(), ..options })
}

/// What is written must not be what is read, nor two outputs one file.
fn refuse_shared_files(arguments: &Arguments, data: &Path, signals: &SignalsTarget, inputs: &[InputSpec]) -> Result<(), Failure> {
    let Arguments { rules, config, kpis, summary, .. } = arguments;
    let dead_letters = data.join(DEAD_LETTERS);
    let mut written = vec![("the dead letters", dead_letters)];
    if let SignalsTarget::File(path) = signals {
        written.extend(distinct_files::signals(path));
    }
    written.extend(distinct_files::given([("--kpis", kpis), ("--summary", summary)]));
    let read = distinct_files::given([("--rules", rules), ("--config", config)]);
    distinct_files::check(inputs, &read.collect::<Vec<_>>(), &written)
}

fn embedded_options(
    inputs: Vec<InputSpec>,
    (decoder, pseudonymiser): (Decoder, Pseudonymiser),
    data: &Path,
    signals: SignalsTarget,
    rules: &RuleText,
    limits: &Limits,
    once: bool,
) -> Result<EmbeddedOptions, Failure> {
    rules.parse()?;
    Ok(EmbeddedOptions {
        inputs,
        data: data.to_owned(),
        signals,
        kpis: None,
        partitions: limits.partitions,
        decoder,
        rules_text: rules.text.clone(),
        compile_rules: Arc::new(rule_text::compile),
        new_journal_id: Uuid::new_v4().to_string(),
        pseudonym_key_id: pseudonymiser.key_id(),
        once,
        ingest_clock,
        limits: BatchLimits { records: limits.batch_records, reviews: limits.batch_reviews },
        memory_bytes: limits.memory.unwrap_or(DEFAULT_MEMORY_BYTES),
    })
}

fn judge(summary: &Summary, strict: bool, data: &Path) -> Outcome {
    let refused = refused(summary);
    if refused > 0 {
        let letters = data.join(DEAD_LETTERS);
        tell(&format!("{} lines were refused: see {}", count(refused), letters.display()));
    }
    if broke_off(summary) {
        tell("an input broke off in the middle: all up to there was taken in");
    }
    let has_wrong_dates = tell_of_dates(summary);
    Outcome::of(has_wrong_dates || broke_off(summary) || (strict && refused > 0))
}
