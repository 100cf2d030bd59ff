//! `bellwether journal export`: events as Parquet, for DuckDB, pandas and Spark, and for fast backtests.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use bellwether_backtest::export::{ExportTo, export};
use bellwether_backtest::merged::Logs;
use clap::Args;

use super::super::replay_journal::{self, JournalPlace};
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::inputs::{EventArguments, ingest_clock};
use crate::sizes::count;
use crate::stop;
use crate::terminal::{print, tell};

/// Write events as Parquet: one row an event, its fields as columns
///
/// Columns are customer, time, type, journal_time (the watermark at the event), source, id, and each data field of the event types. Times are timestamps
/// in UTC, amounts integers in minor units, users pseudonyms. Rows are in the order of the journal. `backtest`, `features`, `fit`,
/// `explain` and `replay` read such files with --events, and decide as on the log itself.
///
/// Lines that are no events are left out, and so is what a journal holds of a customer from before it was erased.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether journal export --journal ./bellwether-data --to events.parquet
  bellwether journal export --events events.jsonl.zst --to months/
  duckdb -c \"select type, count(*) from 'months/*.parquet' group by type\"")]
pub struct Arguments {
    #[command(flatten)]
    inputs: EventArguments,

    /// A journal instead of events: a data directory, or kafka://BROKERS/TOPIC
    #[arg(long, value_name = "DIR|URL", conflicts_with_all = ["events", "skip_unknown_types"])]
    journal: Option<JournalPlace>,

    /// The configuration file, if its client properties are needed to reach the journal
    #[arg(long, value_name = "FILE", requires = "journal")]
    config: Option<PathBuf>,

    /// A file that ends in .parquet; or a new or empty directory, for a file for each month of journal time
    #[arg(long, value_name = "FILE.parquet|DIR")]
    to: PathBuf,

    /// Exit with 1 if any line was refused
    #[arg(long)]
    strict: bool,
}

/// Writes the tables.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let to = place(&arguments.to)?;
    let journal = arguments.journal.as_ref().map(|place| replay_journal::open(place, arguments.config.as_deref())).transpose()?;
    let logs = Logs {
        files: if journal.is_some() { Vec::new() } else { arguments.inputs.specs()? },
        journals: journal.iter().map(AsRef::as_ref).collect(),
        decoder: arguments.inputs.decoder(environment::pseudonymiser()?),
        with_controls: false,
        ingest_clock: ingest_clock(),
    };
    let stop = stop::flag_of_signals()?;
    let exported = export(&logs, &to, &stop)?;
    let merged = exported.merged;
    print(&format!(
        "{}: {} events in {} file{}",
        arguments.to.display(),
        count(merged.events),
        count(exported.files),
        if exported.files == 1 { "" } else { "s" },
    ))?;
    if merged.erased > 0 {
        tell(&format!("{} events of erased customers were left out", count(merged.erased)));
    }
    if merged.refused > 0 {
        tell(&format!("{} lines or records were refused", count(merged.refused)));
    }
    if merged.broke_off {
        tell("an input broke off in the middle: all up to there was exported");
    }
    let is_partial = stop.load(Ordering::Relaxed);
    if is_partial {
        tell("stopped by a signal: this is only the beginning of the log");
    }
    Ok(Outcome::of(is_partial || merged.broke_off || (arguments.strict && merged.refused > 0)))
}

fn place(to: &Path) -> Result<ExportTo, Failure> {
    if to.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet")) && !to.is_dir() {
        return Ok(ExportTo::File(to.to_owned()));
    }
    if let Some(extension) = to.extension().filter(|_| !to.is_dir()) {
        let told = format!("--to {}: a file must end in .parquet, not in .{}", to.display(), extension.display());
        return Err(Failure::Usage(told));
    }
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::Usage(format!(
            "--to {}: the directory is not empty, and months of another export are not mixed in",
            to.display()
        )));
    }
    Ok(ExportTo::Months(to.to_owned()))
}
