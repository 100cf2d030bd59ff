//! Whether the memory of an embedded run grows with the number of events: the same customers with as many events, and with three times as many.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use bellwether_tests::product::binary;
use serde_json::Value;

/// How many times as many events the larger log has.
const TIMES: u32 = 3;

/// Runs the binary, so that each run has a peak of its own, on a log and on one with each event `TIMES` times under different ids.
///
/// # Errors
///
/// When a log cannot be read or written, or a run fails.
pub fn measure(log: &Path) -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    for times in [1, TIMES] {
        let events = directory.path().join(format!("events-{times}.jsonl.zst"));
        repeat(log, times, &events)?;
        let (data, summary) = (directory.path().join("data"), directory.path().join("summary.json"));
        let mut command = binary();
        command
            .args(["run", "--once", "--metrics", "off", "--events"])
            .arg(&events)
            .arg("--data")
            .arg(&data)
            .arg("--summary")
            .arg(&summary);
        let output = command.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        let summary: Value = serde_json::from_slice(&fs::read(&summary)?)?;
        let peak = summary["peak_memory_bytes"].as_u64().unwrap_or_default();
        println!(
            "  {times} times the events, {} in all, of {} customers: peak memory {} MiB",
            summary["journaled"],
            summary["customers"],
            peak >> 20
        );
        fs::remove_dir_all(&data)?;
    }
    Ok(())
}

/// Writes a log with each line so many times, each time with another id.
fn repeat(log: &Path, times: u32, into: &Path) -> Result<(), Box<dyn Error>> {
    let reader = BufReader::new(zstd::Decoder::new(File::open(log)?)?);
    let mut writer = zstd::Encoder::new(File::create(into)?, 1)?.auto_finish();
    for line in reader.lines() {
        let line = line?;
        for copy in 0..times {
            writeln!(writer, "{}", line.replacen(r#""id":""#, &format!(r#""id":"{copy}-"#), 1))?;
        }
    }
    writer.flush()?;
    Ok(())
}
