//! The load command: engine, replay, backtest and the embedded product on the sample log, as rates and as ratios to the limits.

mod backtest;
mod growth;
mod memory;
mod states;

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bellwether_backtest::replay::{ReplayOptions, replay};
use bellwether_benches::distance::{FAR_NS, between_processors_ns};
use bellwether_benches::observing::Discard;
use bellwether_benches::{RULES, median, processor_time, rule_set, rules, sample_lines, sample_log, tables};
use bellwether_codec::event::Decoder;
use bellwether_codec::intake::{DecodedPart, InputSpec, PartReader};
use bellwether_codec::summary::Summary;
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::partition::{Header, Partition, Payload, Record};
use bellwether_engine::time::Time;
use bellwether_live::embedded;
use bellwether_live::metrics::Metrics;
use bellwether_live::options::{BatchLimits, EmbeddedOptions, SignalsTarget};

/// Runs that count, per measurement.
const RUNS: usize = 5;

/// Lines for what is measured in memory.
const LINES: usize = 1_000_000;

/// The sample log.
const SAMPLE: &str = "crm6.jsonl.zst";

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    // It takes minutes and gigabytes, so that it is run only when it is named, alone: `backtest-memory [CUSTOMERS [MONTHS]]`.
    if let [first, sizes @ ..] = wanted.as_slice()
        && first == "backtest-memory"
    {
        return memory::measure(sizes);
    }
    let Some(lines) = sample_lines(SAMPLE, LINES) else {
        eprintln!("no sample log at {}: set BELLWETHER_SAMPLE_LOGS to the directory that holds {SAMPLE}", sample_log(SAMPLE).display());
        std::process::exit(2);
    };
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    if is_wanted("engine") {
        engine(&lines);
    }
    if is_wanted("states") {
        states::at_the_end_of_logs()?;
    }
    if is_wanted("replay") {
        replay_against_bare_decode(&lines)?;
    }
    if is_wanted("tables") {
        tables::measure(&sample_log(SAMPLE), RUNS)?;
    }
    if is_wanted("backtest") {
        backtest::rates(&lines)?;
    }
    if is_wanted("run") {
        embedded_on_sample()?;
        growth::measure(&sample_log(SAMPLE))?;
    }
    if is_wanted("million") {
        embedded_on_a_million_customers()?;
    }
    Ok(())
}

/// Decoded events and states in memory, the full pack, one core.
fn engine(lines: &[String]) {
    let decoder = Decoder::default();
    let events: Vec<Event<'_>> = lines.iter().filter_map(|line| decoder.decode_text(line).ok()).collect();
    let keyed: Vec<(CustomerKey, u64)> = events.iter().map(|event| (CustomerKey::of(&event.customer), event.identity())).collect();
    let rules = rules();
    let mut last = None;
    let (middle, least, most) = median(RUNS, || {
        let mut partition = Partition::new(rules.clone(), Header::default());
        let mut outputs = Vec::new();
        let mut watermark = Time::MIN;
        for (event, (key, identity)) in events.iter().zip(&keyed) {
            watermark = watermark.max(event.time);
            let record = Record { watermark, payload: Payload::Event { event, key: *key, identity: *identity } };
            partition.apply(&record, &mut u64::MAX.clone(), &mut outputs);
        }
        last = Some(partition);
    });
    let rate = |time: Duration| events.len() as f64 / time.as_secs_f64();
    println!("engine alone, one core: {:.0} events/s (least {:.0}, most {:.0}; limit 3,000,000)", rate(middle), rate(most), rate(least));
    let Some(partition) = last else { return };
    let work = partition.work;
    println!(
        "  rules looked at: {} of {} possible ({:.1} %); reviews: {}",
        work.rules_evaluated,
        work.rules_possible,
        100.0 * work.rules_evaluated as f64 / work.rules_possible as f64,
        work.reviews
    );
    states::print_sizes(&[partition]);
}

/// The bare parse: serde_json into the fields that these lines have, borrowed, and nothing done with them.
#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "parsing is all that is measured")]
struct Bare<'a> {
    specversion: &'a str,
    id: &'a str,
    source: &'a str,
    r#type: &'a str,
    subject: &'a str,
    time: &'a str,
    #[serde(borrow)]
    data: BareData<'a>,
}

#[derive(serde::Deserialize)]
#[expect(dead_code, reason = "parsing is all that is measured")]
struct BareData<'a> {
    user: Option<&'a str>,
    feature: Option<&'a str>,
    subscription: Option<&'a str>,
    plan: Option<&'a str>,
    mrr_minor: Option<i64>,
    currency: Option<&'a str>,
    period_end: Option<&'a str>,
    seats: Option<u32>,
    segment: Option<&'a str>,
    country: Option<&'a str>,
    reason: Option<&'a str>,
}

/// Lines a second of the bare decode on one core, and the nanoseconds of processor time that a line takes.
fn bare_decode(lines: &[String]) -> (f64, f64) {
    let before = processor_time();
    let (bare, ..) = median(RUNS, || {
        for line in lines {
            std::hint::black_box(serde_json::from_str::<Bare<'_>>(line).map(|bare| bare.id.len()).unwrap_or_default());
        }
    });
    (lines.len() as f64 / bare.as_secs_f64(), processor_time_a_line(before, lines.len()))
}

/// Lines a second of what a replay decodes with, on one core: validated events with hashed users, made and dropped a part at a time.
fn own_decode(lines: &[String], path: &Path) -> Result<f64, Box<dyn Error>> {
    let decoder = Decoder::default();
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let mut reader = PartReader::open(&[InputSpec::from(path)], 1_024, None)?;
        let mut time = Duration::ZERO;
        while let Some(part) = reader.next_part()? {
            let started = Instant::now();
            std::hint::black_box(DecodedPart::decode(part, &decoder, false).lines().len());
            time += started.elapsed();
        }
        times.push(time);
    }
    times.sort_unstable();
    Ok(lines.len() as f64 / times[RUNS / 2].as_secs_f64())
}

/// Where two processors are to each other may change while they are measured.
fn print_distances(before_ns: f64, after_ns: f64) {
    let cache = match (before_ns < FAR_NS, after_ns < FAR_NS) {
        (true, true) => "they share a cache",
        (false, false) => "they share no cache",
        (true, false) | (false, true) => "they were moved meanwhile, so that the ratio says nothing",
    };
    println!("  a cache line took {before_ns:.0} ns from processor to processor before, and {after_ns:.0} ns after: {cache}");
}

/// Neighbours on the machine take time from the clock, hardly from the processor time; `median` makes one run more than it counts.
fn processor_time_a_line(before: Duration, lines: usize) -> f64 {
    (processor_time() - before).as_nanos() as f64 / (lines * (RUNS + 1)) as f64
}

/// JSON to signals in memory against the bare decode of the same lines, on one core and on two.
fn replay_against_bare_decode(lines: &[String]) -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("sample.jsonl");
    write_lines(&path, lines.iter().map(String::as_str))?;
    let (bare_rate, bare_ns) = bare_decode(lines);
    println!("bare decode, one core: {bare_rate:.0} lines/s, {bare_ns:.0} ns of processor time a line");
    println!("own decode alone, one core: {:.0} lines/s", own_decode(lines, &path)?);
    let before_ns = between_processors_ns();
    let mut one_core = 0.0;
    for threads in [1, 2] {
        let options = ReplayOptions {
            inputs: vec![InputSpec::from(path.as_path())],
            decoder: Decoder::default(),
            rules: rules(),
            partitions: 4,
            ingest_clock: None,
            threads: NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN),
        };
        let mut failed = None;
        let before = processor_time();
        let (time, ..) = median(RUNS, || failed = replay(&options, &mut Discard).err());
        if let Some(error) = failed {
            return Err(error.into());
        }
        let rate = lines.len() as f64 / time.as_secs_f64();
        let replay_ns = processor_time_a_line(before, lines.len());
        println!(
            "replay, {threads} thread(s): {rate:.0} events/s, {:.0} % of the bare decode (limit 60 per core)",
            100.0 * rate / bare_rate
        );
        println!("  processor time: {replay_ns:.0} ns an event, {:.0} % of the bare decode", 100.0 * bare_ns / replay_ns);
        if threads == 1 {
            one_core = rate;
        } else {
            println!("  two threads against one: {:.2} (limit 1.8)", rate / one_core);
            print_distances(before_ns, between_processors_ns());
        }
    }
    Ok(())
}

/// The embedded product on the whole sample log, with its journal.
fn embedded_on_sample() -> Result<(), Box<dyn Error>> {
    let mut rates = Vec::new();
    let mut peak = 0;
    for _ in 0..3 {
        let summary = run_embedded(&sample_log(SAMPLE))?;
        rates.push(summary.events_per_second);
        peak = peak.max(summary.peak_memory_bytes);
    }
    rates.sort_by(f64::total_cmp);
    println!("embedded run on {SAMPLE}: {:.0} events/s (limit 200,000), peak memory {} MiB", rates[1], peak >> 20);
    Ok(())
}

/// The embedded product with a million customers touched evenly: within a day, and over a midnight, at which each customer is reviewed too.
fn embedded_on_a_million_customers() -> Result<(), Box<dyn Error>> {
    const CUSTOMERS: u64 = 1_000_000;
    const EVENTS: u64 = 3_000_000;
    for (name, first_second) in [("within a day", 36_000), ("over a midnight", 82_800)] {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("million.jsonl");
        let lines = (0..EVENTS).map(|number| {
            // A full cycle over all customers in an order that no cache likes; two hours of events.
            let customer = number.wrapping_mul(611_953) % CUSTOMERS;
            let second = first_second + number * 7_200 / EVENTS;
            let (day, second) = (1 + second / 86_400, second % 86_400);
            let time = format!("2024-03-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60);
            let user = number % 3;
            format!(
                r#"{{"specversion":"1.0","id":"e{number}","source":"/auth","type":"login","subject":"customer-{customer}","time":"{time}","data":{{"user":"u{user}"}}}}"#
            )
        });
        write_lines(&path, lines)?;
        let summary = run_embedded(&path)?;
        println!(
            "embedded run, {CUSTOMERS} customers evenly, {EVENTS} events {name}: {:.0} events/s (limit 60,000), peak memory {} MiB",
            summary.events_per_second,
            summary.peak_memory_bytes >> 20
        );
    }
    Ok(())
}

fn run_embedded(path: &Path) -> Result<Summary, Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let options = EmbeddedOptions {
        inputs: vec![InputSpec::from(path)],
        data: directory.path().join("data"),
        signals: SignalsTarget::File(directory.path().join("signals.jsonl")),
        kpis: None,
        partitions: None,
        decoder: Decoder::default(),
        rules_text: RULES.to_owned(),
        compile_rules: Arc::new(|_, number| Ok(rule_set(number))),
        new_journal_id: "bench".to_owned(),
        pseudonym_key_id: 0,
        once: true,
        ingest_clock: || None,
        limits: BatchLimits::default(),
        memory_bytes: bellwether_live::options::DEFAULT_MEMORY_BYTES,
    };
    Ok(embedded::run(options, Arc::new(Metrics::new()), &AtomicBool::new(false), |_| {})?)
}

fn write_lines(path: &Path, lines: impl Iterator<Item = impl AsRef<str>>) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for line in lines {
        writeln!(file, "{}", line.as_ref())?;
    }
    file.flush()
}
