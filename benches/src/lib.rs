//! What the measurements share: the sample log in memory, the default rules, and medians.

pub mod company;
pub mod distance;
pub mod observing;
pub mod scraping;
pub mod tables;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bellwether_codec::rules::RuleFile;
use bellwether_engine::rule_set::RuleSet;

/// The allocator of the product.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The default rule pack's text.
pub const RULES: &str = include_str!("../../deploy/rules/default.yaml");

/// The default rule pack under a number.
///
/// # Panics
///
/// If the pack does not compile, which its own tests would have told.
#[must_use]
pub fn rule_set(number: u32) -> RuleSet {
    match RuleFile::parse("default.yaml", RULES) {
        Ok(file) => file.rule_set(number),
        Err(errors) => panic!("{errors}"),
    }
}

/// The default rule pack, shared.
#[must_use]
pub fn rules() -> Arc<RuleSet> {
    Arc::new(rule_set(1))
}

/// Where the sample logs are: `BELLWETHER_SAMPLE_LOGS`, or `shared/data` beside the checkout.
#[must_use]
pub fn sample_log(name: &str) -> PathBuf {
    let directory = std::env::var_os("BELLWETHER_SAMPLE_LOGS").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(&directory);
    if directory.is_absolute() { directory.join(name) } else { beside.join(name) }
}

/// The first lines of a sample log; `None` where the log is not there.
///
/// # Panics
///
/// If the log is there and cannot be read.
#[must_use]
pub fn sample_lines(name: &str, count: usize) -> Option<Vec<String>> {
    let file = File::open(sample_log(name)).ok()?;
    let reader = BufReader::new(zstd::Decoder::new(file).expect("a zstd file"));
    Some(reader.lines().take(count).map(|line| line.expect("readable text")).collect())
}

/// Median, least and largest duration of some runs, after one that does not count.
pub fn median(runs: usize, mut run: impl FnMut()) -> (Duration, Duration, Duration) {
    run();
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let started = Instant::now();
            run();
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    (times[times.len() / 2], times[0], times[times.len() - 1])
}

/// The processor time that this process has used so far, on all cores, in ticks of 10 ms; nothing where the system does not tell.
#[must_use]
pub fn processor_time() -> Duration {
    processor_time_of(std::process::id())
}

/// The same of another process.
#[must_use]
pub fn processor_time_of(process: u32) -> Duration {
    let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Behind the program's name, which may hold anything, user and system time are the 12th and 13th number.
    let numbers = status.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    let ticks: u64 = numbers.skip(11).take(2).filter_map(|number| number.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}
