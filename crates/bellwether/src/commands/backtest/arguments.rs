//! The arguments of `bellwether backtest`.

use std::path::PathBuf;

use bellwether_backtest::evaluate::ChurnAt;
use bellwether_backtest::plan::Sweep;
use bellwether_codec::rules::parse_duration;
use bellwether_engine::time::Time;
use bellwether_live::options::DEFAULT_PARTITIONS;
use clap::{Args, ValueEnum, value_parser};

use super::super::journal_range::JournalRange;
use super::super::replay_journal::JournalPlace;
use super::super::run::MAX_PARTITIONS;
use crate::inputs::{EventArguments, parse_time_argument};
use crate::sizes::parse_backtest_memory;

/// Judge rules on a log: precision, recall, lead time, burden
///
/// Folds the events under the rules, and compares the alarms with the churns that followed. An alarm is true if the customer gave notice or left
/// within the horizon, at least the minimum lead later, and it was still open until then.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether backtest --events events.jsonl.zst --html report.html
  bellwether backtest --events events.jsonl.zst --rules new.yaml --baseline today.yaml --fail-if 'recall_change < -0.02'
  bellwether backtest --events events.jsonl.zst --fail-if 'usage-decline: precision < 0.2 && signals >= 20'
  bellwether backtest --events events.jsonl.zst --sweep no-login-30d.days=10..60:5
  bellwether backtest --journal kafka://localhost:9092/bellwether.journal --outcomes crm.csv --json report.json
  bellwether backtest --journal kafka://localhost:9092/bellwether.journal --journal-to 2026-03-01 --json report.json")]
pub struct Arguments {
    #[command(flatten)]
    pub inputs: EventArguments,

    /// A journal instead of events: a data directory, or kafka://BROKERS/TOPIC. The rules that it brought are not looked at
    #[arg(long, value_name = "DIR|URL", conflicts_with_all = ["events", "partitions", "skip_unknown_types"])]
    pub journal: Option<JournalPlace>,

    /// The configuration file, if its client properties are needed to reach the journal
    #[arg(long, value_name = "FILE", requires = "journal")]
    pub config: Option<PathBuf>,

    #[command(flatten)]
    pub range: JournalRange,

    /// The rule file [default: the built-in rule pack]
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,

    /// Another rule file, to tell what the rules do better or worse
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Who gave notice and left, as CSV with the columns customer, notice and end: then the log does not say it
    #[arg(long, value_name = "FILE")]
    pub outcomes: Option<PathBuf>,

    /// What counts as the churn time [default: the `churn` of the rule file's settings; there it is the notice]
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with = "outcomes")]
    pub churn_at: Option<ChurnTime>,

    /// Within this after an alarm the churn must come [default: the `horizon` of the rule file's settings; there it is 90d]
    #[arg(long, value_name = "DURATION", value_parser = parse_length)]
    pub horizon: Option<i64>,

    /// At least this long before the churn a warning must come [default: the `min_lead` of the rule file's settings; there it is 14d]
    #[arg(long, value_name = "DURATION", value_parser = parse_length)]
    pub min_lead: Option<i64>,

    /// Evaluate from this time on; states are built up from the start of the log all the same
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument)]
    pub from: Option<Time>,

    /// Take the log to end at this time
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument)]
    pub to: Option<Time>,

    /// Write the report as JSON to this file, or to standard output with `-`
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Write the report as one HTML file, with charts
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Write the signals to this file, as `replay` does
    #[arg(long, value_name = "FILE")]
    pub signals: Option<PathBuf>,

    /// Write the monthly observations behind the figures of health to this file, as CSV
    #[arg(long, value_name = "FILE")]
    pub observations: Option<PathBuf>,

    /// Exit with 1 if this holds, for example 'precision < 0.2', or of one rule 'usage-decline: precision < 0.2'
    ///
    /// May be given more than once: then it is 1 if any holds. A figure that the log does not give lets nothing pass. A name that is not known ends with
    /// 2 before anything is read; what the figures are is told then.
    #[arg(long, value_name = "EXPRESSION")]
    pub fail_if: Vec<String>,

    /// Try values of a rule's param, in one pass: RULE.PARAM=FROM..TO:STEP
    #[arg(long, value_name = "SWEEP")]
    pub sweep: Option<Sweep>,

    /// Journal partitions: they order the signals, and share the work; the report does not depend on them
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PARTITIONS, value_parser = value_parser!(u16).range(1..=MAX_PARTITIONS))]
    pub partitions: u16,

    /// Memory for the states of customers and what is observed of them
    ///
    /// Event files with more customers than fit in are spilled to --scratch and folded part by part, and journals are read several times, for a share of
    /// the customers each. Not so standard input, nor with --signals: then all states are kept at once, and of a journal those of as many partitions
    /// as there are processors.
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = parse_backtest_memory)]
    pub memory: u64,

    /// Spill event files to this directory when their customers do not fit into --memory [default: TMPDIR, or /tmp]
    ///
    /// It takes about half as much again as the files take compressed, and nothing is left of it.
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,

    /// Print the JSON Schema of the report, and do nothing else
    #[arg(long)]
    pub schema: bool,
}

/// What counts as the churn time, on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ChurnTime {
    /// The notice, or the end of the last subscription where none was given
    Notice,
    /// The end of the last subscription
    End,
    /// The end of the last paid period of subscriptions that have all ended
    PaidEnd,
}

impl From<ChurnTime> for ChurnAt {
    fn from(time: ChurnTime) -> Self {
        match time {
            ChurnTime::Notice => Self::Notice,
            ChurnTime::End => Self::End,
            ChurnTime::PaidEnd => Self::PaidEnd,
        }
    }
}

/// A length of time as people give it: `90d`.
pub fn parse_length(text: &str) -> Result<i64, String> {
    parse_duration(text).map_err(|error| error.to_string())
}
