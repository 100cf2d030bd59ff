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
use crate::{RULES, median, processor_time};

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
    let decoding = |path: &Path| taken(runs, || decode(path));
    let (of_lines, of_rows) = (decoding(log)?, decoding(&table)?);
    println!(
        "  reading and decoding, one thread: lines {:.0}/s, rows {:.0}/s, {:.1} times as many",
        of_lines.rate(events),
        of_rows.rate(events),
        of_rows.rate(events) / of_lines.rate(events)
    );
    println!("    processor time: {:.0} and {:.0} ns an event", of_lines.processor_ns(events), of_rows.processor_ns(events));
    let decoding_ns = of_rows.processor_ns(events);
    for threads in [1, 2] {
        let passing = |path: &Path| taken(runs, || pass(path, threads));
        let (of_lines, of_rows) = (passing(log)?, passing(&table)?);
        println!(
            "  pass of a backtest, {threads} thread(s): lines {:.0} events/s, rows {:.0} events/s, {:.1} times as many (limit 3)",
            of_lines.rate(events),
            of_rows.rate(events),
            of_rows.rate(events) / of_lines.rate(events)
        );
        let (lines_ns, rows_ns) = (of_lines.processor_ns(events), of_rows.processor_ns(events));
        println!(
            "    processor time: {lines_ns:.0} and {rows_ns:.0} ns an event, {:.2} times; it would be {:.2} if rows cost nothing to read",
            lines_ns / rows_ns,
            lines_ns / (rows_ns - decoding_ns)
        );
    }
    Ok(())
}

/// What a run took: by the clock in the median, and of processor time in the mean.
struct Taken {
    time: Duration,
    processor: Duration,
}

impl Taken {
    fn rate(&self, events: f64) -> f64 {
        events / self.time.as_secs_f64()
    }

    fn processor_ns(&self, events: f64) -> f64 {
        self.processor.as_nanos() as f64 / events
    }
}

fn size(path: &Path) -> std::io::Result<u64> {
    Ok(path.metadata()?.len() >> 20)
}

/// What a run that may fail takes.
fn taken(runs: usize, mut run: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<Taken, Box<dyn Error>> {
    let mut failed = None;
    let before = processor_time();
    let (time, ..) = median(runs, || failed = failed.take().or(run().err()));
    // The run that does not count takes as much.
    let processor = (processor_time() - before) / (runs as u32 + 1);
    failed.map_or(Ok(Taken { time, processor }), Err)
}

fn decode(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut reader = PartReader::open(&[InputSpec::from(path)], PART_LINES, None)?;
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
