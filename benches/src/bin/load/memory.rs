//! The memory of a backtest with many customers: a company is simulated by the binary, and the backtest of it is watched.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_tests::product::binary;

/// Customers, unless said otherwise.
const CUSTOMERS: u32 = 1_000_000;

/// Months that are simulated, unless said otherwise.
const MONTHS: u32 = 2;

/// How often the memory of a process is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What a process took.
struct Took {
    time: Duration,
    peak_kib: u64,
}

/// Measures a company of this many customers over this many months, as far as they are given. The log is streamed to disk, and so are its
/// parts before.
///
/// # Errors
///
/// When the company cannot be simulated, or its backtest fails.
pub fn measure(sizes: &[String]) -> Result<(), Box<dyn Error>> {
    let size = |index: usize, default: u32| sizes.get(index).map_or(Ok(default), |text| text.parse());
    let (customers, months) = (size(0, CUSTOMERS)?, size(1, MONTHS)?);
    let directory = tempfile::tempdir()?;
    let started = Instant::now();
    let simulated = binary()
        .args(["simulate", "--seed", "3", "--customers", &customers.to_string(), "--months", &months.to_string(), "--out"])
        .arg(directory.path())
        .stdout(Stdio::null())
        .status()?;
    if !simulated.success() {
        return Err("the company could not be simulated".into());
    }
    println!("simulated {customers} customers over {months} months: {:.0} s", started.elapsed().as_secs_f64());
    let (events, report) = (directory.path().join("events.jsonl.zst"), directory.path().join("report.json"));
    let took = backtest(&events, &report)?;
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&report)?)?;
    println!(
        "backtest of {} customers, {} events: peak memory {} MiB (limit 1,024), {:.0} s",
        report["log"]["customers"],
        report["log"]["events"],
        took.peak_kib >> 10,
        took.time.as_secs_f64()
    );
    Ok(())
}

/// Runs a backtest, and watches its memory. What it says of shares goes to the terminal.
fn backtest(events: &Path, report: &Path) -> Result<Took, Box<dyn Error>> {
    let started = Instant::now();
    let mut child = binary().arg("backtest").arg("--events").arg(events).arg("--json").arg(report).stdout(Stdio::null()).spawn()?;
    let mut peak_kib = 0;
    let status = loop {
        // The last look at a process that ends is not of use: it has given its memory back.
        peak_kib = peak_memory_kib(child.id()).unwrap_or_default().max(peak_kib);
        match child.try_wait()? {
            Some(status) => break status,
            None => sleep(LOOK),
        }
    };
    if !status.success() {
        return Err("the backtest failed".into());
    }
    Ok(Took { time: started.elapsed(), peak_kib })
}

/// Peak resident memory of a process as Linux tells it.
fn peak_memory_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
