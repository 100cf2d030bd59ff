//! A log as JSON Lines and as Parquet: what it takes to decode them, and to pass over them as a backtest does.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bellwether_backtest::export::{ExportTo, export};
use bellwether_backtest::merged::Logs;
use bellwether_backtest::plan::Plan;
use bellwether_codec::event::Decoder;
use bellwether_codec::intake::{DecodedPart, InputSpec, PartReader};
use bellwether_codec::rules::RuleFile;

use crate::observing::observe;
use crate::{RULES, median};

/// Rows and lines that are decoded at once, as a backtest does it.
const PART_LINES: usize = 1_024;

/// Measures a log, and prints rates and ratios.
///
/// # Errors
///
/// When the log cannot be read, or the table cannot be written.
pub fn measure(log: &Path, runs: usize) -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let table = directory.path().join("events.parquet");
    let logs = Logs {
        journals: Vec::new(),
        files: vec![InputSpec::from(log)],
        decoder: Decoder::default(),
        with_controls: false,
        ingest_clock: None,
    };
    let exported = export(&logs, &ExportTo::File(table.clone()), &AtomicBool::new(false))?;
    let events = exported.merged.events as f64;
    println!("tables: {events} events, {} MiB as lines, {} MiB as a table", size(log)?, size(&table)?);
    let rate = |time: Duration| events / time.as_secs_f64();
    let decoding = |path: &Path| timed(runs, || decode(path));
    let (of_lines, of_rows) = (rate(decoding(log)?), rate(decoding(&table)?));
    println!("  reading and decoding, one thread: lines {of_lines:.0}/s, rows {of_rows:.0}/s, {:.1} times as many", of_rows / of_lines);
    for threads in [1, 2] {
        let passing = |path: &Path| timed(runs, || pass(path, threads));
        let (of_lines, of_rows) = (rate(passing(log)?), rate(passing(&table)?));
        println!(
            "  pass of a backtest, {threads} thread(s): lines {of_lines:.0} events/s, rows {of_rows:.0} events/s, {:.1} times as many (limit 3)",
            of_rows / of_lines
        );
    }
    Ok(())
}

fn size(path: &Path) -> std::io::Result<u64> {
    Ok(path.metadata()?.len() >> 20)
}

/// The median time of what may fail.
fn timed(runs: usize, mut run: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let mut failed = None;
    let (time, ..) = median(runs, || failed = failed.take().or(run().err()));
    failed.map_or(Ok(time), Err)
}

fn decode(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut reader = PartReader::open(&[InputSpec::from(path)], PART_LINES)?;
    let decoder = Decoder::default();
    while let Some(raw) = reader.next_part()? {
        std::hint::black_box(DecodedPart::decode(raw, &decoder, false).lines().len());
    }
    Ok(())
}

fn pass(path: &Path, threads: usize) -> Result<(), Box<dyn Error>> {
    let plan = Plan::new(&RuleFile::parse("default.yaml", RULES).map_err(|error| error.to_string())?, None)?;
    std::hint::black_box(observe(path, &plan, threads)?.lines);
    Ok(())
}
