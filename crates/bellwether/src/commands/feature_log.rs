//! What `features` and `fit` have in common: a log, the dates at which customers are looked at, and who of them left.

use std::io;
use std::path::PathBuf;

use bellwether_backtest::fit::labels::Labelling;
use bellwether_backtest::observe::{MAX_ROWS_OF_PARTITION, Observed};
use bellwether_backtest::outcomes::Outcomes;
use bellwether_backtest::pass::{Pass, PassOptions, observe_files};
use bellwether_backtest::replay::{ReplayOptions, Sink, all_processors};
use bellwether_codec::rendered::Rendered;
use bellwether_codec::rules::RuleFile;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_live::options::DEFAULT_PARTITIONS;
use clap::Args;

use super::backtest::{ChurnTime, outcomes, parse_length};
use super::journal_range::JournalRange;
use super::replay_journal::{self, JournalPlace};
use crate::environment;
use crate::failure::Failure;
use crate::inputs::{EventArguments, ingest_clock, parse_time_argument};
use crate::progress::Progress;
use crate::stop::flag_of_signals;

/// What to read, and how.
#[derive(Args, Debug)]
pub struct LogArguments {
    #[command(flatten)]
    inputs: EventArguments,

    /// A journal instead of events: a data directory, or kafka://BROKERS/TOPIC. The rules that it brought are not looked at
    #[arg(long, value_name = "DIR|URL", conflicts_with_all = ["events", "skip_unknown_types"])]
    journal: Option<JournalPlace>,

    /// The configuration file, if its client properties are needed to reach the journal
    #[arg(long, value_name = "FILE", requires = "journal")]
    config: Option<PathBuf>,

    #[command(flatten)]
    range: JournalRange,

    /// The rule file, on whose settings features depend [default: the built-in rule pack]
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,

    /// Who gave notice and left, as CSV with the columns customer, notice and end: then the log does not say it
    #[arg(long, value_name = "FILE")]
    outcomes: Option<PathBuf>,

    /// What counts as the churn time [default: the `churn` of the rule file's settings; there it is the notice]
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with = "outcomes")]
    churn_at: Option<ChurnTime>,

    /// Whether a churn follows within this is what a row says [default: the `horizon` of the rule file's settings; there it is 90d]
    #[arg(long, value_name = "DURATION", value_parser = parse_length)]
    horizon: Option<i64>,

    /// Look at every customer at dates this far apart, of which one is 1970-01-01
    #[arg(long, value_name = "DURATION", default_value = "28d", value_parser = parse_days)]
    every: i64,

    /// Leave rows before this time out; states are built up from the start of the log all the same
    #[arg(long, value_name = "TIME", value_parser = parse_time_argument)]
    from: Option<Time>,
}

/// A log that was read.
pub struct FeatureLog {
    pass: Pass,
    outcomes: Option<Outcomes>,
    /// Whether not all of it could be read.
    pub is_partial: bool,
}

impl LogArguments {
    /// Passes over the log under the rules of a file.
    pub fn read(&self, file: &RuleFile) -> Result<FeatureLog, Failure> {
        let outcomes = self.outcomes.as_deref().map(outcomes).transpose()?;
        let stop = flag_of_signals()?;
        let rules = std::sync::Arc::new(file.rule_set(1));
        let options = PassOptions {
            rule_sets: vec![rules.clone()],
            hidden: Vec::new(),
            renders: false,
            features_every_ms: Some(self.every),
            max_customers: usize::MAX,
            scratch: &std::env::temp_dir(),
            until: None,
            stop: &stop,
        };
        let mut sink = ProgressSink(Progress::start());
        let pass = match &self.journal {
            Some(place) => replay_journal::observe(place, &self.range, self.config.as_deref(), &options, &mut sink)?,
            None => {
                let inputs = ReplayOptions {
                    inputs: self.inputs.specs()?,
                    decoder: self.inputs.decoder(environment::pseudonymiser()?),
                    rules,
                    partitions: DEFAULT_PARTITIONS,
                    ingest_clock: ingest_clock(),
                    threads: all_processors(),
                };
                observe_files(&inputs, &options, &mut sink)?
            }
        };
        if pass.observed.iter().any(|observed| observed.left_out > 0) {
            return Err(Failure::Run(format!(
                "the log is too large: a partition has more than {MAX_ROWS_OF_PARTITION} rows, or a customer more facts than are remembered; \
                 look at customers at dates further apart (--every)"
            )));
        }
        let is_partial = pass.broke_off | pass.log.is_partial;
        Ok(FeatureLog { pass, outcomes, is_partial })
    }

    /// How its rows are labelled.
    pub fn labelling<'l>(&self, log: &'l FeatureLog, file: &RuleFile) -> Labelling<'l> {
        let life = &file.settings.life;
        Labelling {
            churn_at: self.churn_at.map_or(life.churn.into(), Into::into),
            outcomes: log.outcomes.as_ref(),
            horizon_ms: self.horizon.unwrap_or(life.horizon_ms),
            warm_up_ms: file.settings.warm_up_ms,
            from: self.from.unwrap_or(Time::MIN),
            end: log.pass.log.end,
        }
    }
}

impl FeatureLog {
    /// What was seen of the customers.
    pub fn observed(&self) -> Result<&Observed, Failure> {
        self.pass.observed.first().ok_or_else(|| Failure::Run("nothing was observed".to_owned()))
    }
}

fn parse_days(text: &str) -> Result<i64, String> {
    let length = parse_length(text)?;
    if length < DAY_MS || length % DAY_MS != 0 {
        return Err("write whole days, at least one: 28d".to_owned());
    }
    Ok(length)
}

/// Shows how far the log is read; there is nothing else to tell.
struct ProgressSink(Progress);

impl Sink for ProgressSink {
    fn append(&mut self, _rendered: &Rendered) -> io::Result<()> {
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn progress(&mut self, bytes_read: u64, bytes_total: u64, lines: u64) {
        self.0.show(bytes_read, bytes_total, lines);
    }
}
