//! A product beside Kafka that is watched: instances at addresses known before they run, and what a replay of their journal tells.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bellwether_backtest::journal::{Journal, JournalReplay, Visit};
use bellwether_backtest::replay::Sink;
use bellwether_codec::event::Decoder;
use bellwether_codec::journal::{CONTROL_HEADER, JournalRecord, WATERMARK_HEADER};
use bellwether_codec::rendered::Rendered;
use bellwether_codec::rules::RuleFile;
use bellwether_engine::event::Event;
use bellwether_engine::partition::Partition;
use bellwether_engine::time::{HOUR_MS, Time};
use bellwether_kafka::Received;
use bellwether_live::metrics::Metrics;
use bellwether_tests::company::company;
use bellwether_tests::product::{Product, Running};

use crate::prometheus::{PATIENCE, scraped};

/// An instance whose metrics are at this address.
pub fn start(product: &Product, instance: &str, role: &str, address: &str) -> Running {
    product.start_with(&configuration(product, instance, address), instance, role, 1)
}

/// Its configuration.
pub fn configuration(product: &Product, instance: &str, address: &str) -> PathBuf {
    let path = product.configuration(instance);
    let text = fs::read_to_string(&path).expect("it was written");
    assert!(text.contains("metrics: 127.0.0.1:0\n"));
    fs::write(&path, text.replace("metrics: 127.0.0.1:0\n", &format!("metrics: {address}\n"))).expect("it can be written");
    path
}

/// Waits until instances at these addresses have journaled so many events, and have published all that a replay of the journal tells. Who looks at
/// them from then on sees no past being taken in.
#[track_caller]
pub fn wait_until_taken_in(product: &Product, addresses: &[&str], events: usize) {
    let started = Instant::now();
    let is_taken_in = || {
        let read: u64 = addresses.iter().map(|address| events_read(&scraped(address))).sum();
        read == events as u64 && product.published().len() >= product.replayed().len()
    };
    while !is_taken_in() {
        assert!(started.elapsed() < PATIENCE, "{} of {} are told", product.published().len(), product.replayed().len());
        thread::sleep(Duration::from_millis(300));
    }
}

fn events_read(metrics: &str) -> u64 {
    let count = metrics.lines().find_map(|line| line.strip_prefix("bellwether_events_total "));
    count.expect("it is counted").parse().expect("a number")
}

/// The present, in milliseconds.
pub fn now() -> Time {
    Time(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64)
}

/// A company whose last event was an hour and a half ago, so that what is counted of the last days is not nothing. Its events are whole hours apart:
/// nothing that is counted in days changes within half an hour from now.
pub fn company_of_today(seed: u64, customers: u64, days: u64) -> Vec<Event<'static>> {
    let mut events = company(seed, customers, days);
    let last = events.last().expect("something happens").time;
    let ahead = now().since_ms(last) - 3 * HOUR_MS / 2;
    events.iter_mut().for_each(|event| event.time = event.time.plus_ms(ahead));
    events
}

/// A journal as readers of committed records see it.
struct Records(Vec<Vec<Record>>);

struct Record {
    offset: u64,
    appended_at: Option<Time>,
    watermark: Option<Vec<u8>>,
    is_control: bool,
    value: Option<Vec<u8>>,
}

impl Record {
    fn as_read(&self) -> JournalRecord<'_> {
        let Self { offset, appended_at, is_control, .. } = *self;
        JournalRecord { offset, appended_at, watermark: self.watermark.as_deref(), is_control, value: self.value.as_deref() }
    }
}

impl Journal for Records {
    fn partitions(&self) -> u16 {
        self.0.len() as u16
    }

    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        visit(&self.0[usize::from(partition)].iter().map(Record::as_read).collect::<Vec<_>>());
        Ok(())
    }
}

struct Nowhere;

impl Sink for Nowhere {
    fn append(&mut self, _: &Rendered) -> std::io::Result<()> {
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn progress(&mut self, _: u64, _: u64, _: u64) {}
}

/// The metrics of one who owns all partitions, from a replay of the journal as it is now.
pub fn replayed_metrics(product: &Product, partitions: u16) -> String {
    metrics_of(replayed(product, partitions).iter().zip(0..).map(|(partition, number)| (number, partition)))
}

/// The metrics of one who owns any of the partitions and no others, for every choice of them.
pub fn replayed_by_choice(product: &Product, partitions: u16) -> Vec<String> {
    let replayed = replayed(product, partitions);
    let chosen = |choice: u32| replayed.iter().zip(0..).filter(move |(_, number)| choice & 1 << number != 0);
    (0..1 << partitions).map(|choice| metrics_of(chosen(choice).map(|(partition, number)| (number, partition)))).collect()
}

fn metrics_of<'p>(partitions: impl Iterator<Item = (u16, &'p Partition)>) -> String {
    let metrics = Metrics::new();
    partitions.for_each(|(number, partition)| metrics.partition_stands(number, &partition.header, partition.rules()));
    metrics.render()
}

/// The partitions as a replay of the journal leaves them.
fn replayed(product: &Product, partitions: u16) -> Vec<Partition> {
    let record = |received: &Received<'_>| {
        let record = Record {
            offset: received.offset,
            appended_at: received.timestamp_ms.map(Time),
            watermark: received.header(WATERMARK_HEADER).map(<[u8]>::to_vec),
            is_control: received.headers().any(|(name, _)| name == CONTROL_HEADER),
            value: received.value.map(<[u8]>::to_vec),
        };
        (received.at.partition, record)
    };
    let mut by_partition: BTreeMap<i32, Vec<Record>> = (0..i32::from(partitions)).map(|number| (number, Vec::new())).collect();
    for (partition, record) in product.read("journal", partitions, record) {
        by_partition.entry(partition).or_default().push(record);
    }
    let compile = |text: &str, number: u32| match RuleFile::parse("rules.yaml", text) {
        Ok(file) => Ok(file.rule_set(number)),
        Err(errors) => Err(errors.to_string()),
    };
    let replay = JournalReplay { decoder: Decoder::default(), compile_rules: &compile, rules: None };
    replay.run(&Records(by_partition.into_values().collect()), &mut Nowhere).expect("the replay ends well").partitions
}
