//! Waiting for a product to come to rest, and comparing.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_codec::health_record::OpenEpisode;
use bellwether_engine::event::CustomerKey;
use bellwether_tests::product::{Product, Running};
use serde_json::Value;

/// How long anything may take on a slow and busy machine.
pub const LONG: Duration = Duration::from_secs(240);

/// Waits until `done`, while the instances run.
#[track_caller]
pub fn wait_until(product: &Product, running: &mut [(&str, Running)], what: &str, done: impl FnMut() -> bool) {
    wait_until_within(LONG, product, running, what, done);
}

/// The same, for what takes longer.
#[track_caller]
pub fn wait_until_within(limit: Duration, product: &Product, running: &mut [(&str, Running)], what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        for (name, instance) in &mut *running {
            if let Some(status) = instance.ended() {
                panic!("waiting until {what}: {name} ended: {status}\n{}", log(product, name));
            }
        }
        if started.elapsed() >= limit {
            let told: Vec<String> = running.iter().map(|(name, _)| format!("{}\n{}", state(product, name), log(product, name))).collect();
            panic!("it never comes that {what}\n{}", told.join("\n"));
        }
        sleep(Duration::from_millis(300));
    }
}

/// What an instance tells at the address in its log, or why that cannot be had.
pub fn metrics(product: &Product, instance: &str) -> Result<String, String> {
    let log = fs::read_to_string(product.log(instance)).unwrap_or_default();
    let url = log.lines().rev().find_map(|line| line.trim().strip_prefix("metrics are at "));
    let url = url.ok_or_else(|| format!("{instance} has told no address"))?;
    let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build();
    let answer = ureq::Agent::new_with_config(config).get(url).call().and_then(|mut answer| answer.body_mut().read_to_string());
    answer.map_err(|error| error.to_string())
}

/// Where an instance stands, by its own metrics.
fn state(product: &Product, instance: &str) -> String {
    let metrics = metrics(product, instance).unwrap_or_else(|error| error);
    let tells = ["lag_records{", "transactions_total{", "last_commit", "rebalances", "restor", "watermark"];
    let lines = metrics.lines().filter(|line| !line.starts_with('#') && tells.iter().any(|name| line.contains(name)));
    lines.collect::<Vec<_>>().join("\n")
}

/// The last lines that an instance has logged.
pub fn log(product: &Product, instance: &str) -> String {
    let text = fs::read_to_string(product.log(instance)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// Ids of the events in the journal, sorted.
pub fn journaled(product: &Product, partitions: u16) -> Vec<String> {
    let mut ids: Vec<String> = product.read("journal", partitions, event_id).into_iter().flatten().collect();
    ids.sort_unstable();
    ids
}

/// The id of the event in a journal record, if it is one.
pub fn event_id(record: &bellwether_kafka::Received<'_>) -> Option<String> {
    let text = String::from_utf8_lossy(record.value?).into_owned();
    let (_, rest) = text.split_once("\"id\":\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// What is published and what the replay says, compared. Time goes on, so both are of one moment only while nothing ticks.
#[track_caller]
pub fn assert_as_replayed(product: &Product) -> usize {
    let (published, replayed) = (product.published(), product.replayed());
    let missing = replayed.iter().filter(|line| published.binary_search(line).is_err()).count();
    let surplus = published.iter().filter(|line| replayed.binary_search(line).is_err()).count();
    if published.len() != replayed.len() {
        tell_repeated(product);
    }
    assert_eq!((missing, surplus, published.len()), (0, 0, replayed.len()), "missing, surplus, published");
    assert!(published == replayed);
    published.len()
}

/// Prints where lie what is published more than once: who wrote it, and when, is in the logs of the instances.
fn tell_repeated(product: &Product) {
    for topic in ["signals", "decisions"] {
        let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let read = product.read(topic, product.partitions(), |record| {
            let attribute = |name: &str| String::from_utf8_lossy(record.header(name).unwrap_or_default()).into_owned();
            let (partition, offset, written) = (record.at.partition, record.offset, record.timestamp_ms.unwrap_or_default());
            let customer = String::from_utf8_lossy(record.key.unwrap_or_default()).into_owned();
            let journal = CustomerKey::of(&customer).partition(product.partitions());
            let place =
                format!("{topic}-{partition}@{offset} at {written} ms, journal-{journal}, {customer}, dated {}", attribute("ce_time"));
            (attribute("ce_id"), place)
        });
        read.into_iter().for_each(|(id, place)| places.entry(id).or_default().push(place));
        for (id, places) in places.into_iter().filter(|(_, places)| places.len() > 1) {
            println!("{id} is published {} times: {}", places.len(), places.join("; "));
        }
    }
}

/// The latest health records name exactly the episodes that are open by the signals. Returns how many those are.
#[track_caller]
pub fn assert_health_fits_signals(product: &Product, partitions: u16) -> usize {
    let signal = |record: &bellwether_kafka::Received<'_>| {
        let attribute = |name: &str| String::from_utf8_lossy(record.header(name).unwrap_or_default()).into_owned();
        let data: Value = serde_json::from_slice(record.value.unwrap_or_default()).expect("a signal is JSON");
        (attribute("ce_subject"), attribute("ce_type"), data)
    };
    let text = |data: &Value, name: &str| data[name].as_str().expect("it is a text").to_owned();
    let mut open: BTreeMap<String, BTreeMap<(String, String), OpenEpisode>> = BTreeMap::new();
    for (customer, r#type, data) in product.read("signals", partitions, signal) {
        let key = (text(&data, "rule"), text(&data, "object"));
        let of_customer = open.entry(customer).or_default();
        if ["cleared", "expired", "resolved"].iter().any(|end| r#type == format!("bellwether.signal.{end}.v1")) {
            of_customer.remove(&key);
            continue;
        }
        let episode = OpenEpisode {
            rule: key.0.clone(),
            kind: text(&data, "kind"),
            object: key.1.clone(),
            severity: text(&data, "severity"),
            episode: data["episode"].as_u64().and_then(|number| u32::try_from(number).ok()).expect("it is a number"),
            raised_at: text(&data, "raised_at"),
            feedback: data["feedback"].as_str().map(str::to_owned),
        };
        of_customer.insert(key, episode);
    }
    let expected: BTreeMap<String, Vec<OpenEpisode>> =
        open.into_iter().map(|(customer, open)| (customer, open.into_values().collect())).collect();
    let health = product.latest_health();
    for (customer, record) in &health {
        let told = record.as_ref().map(|record| record.open_episodes.clone()).unwrap_or_default();
        assert_eq!(told, expected.get(customer).cloned().unwrap_or_default(), "{customer}");
    }
    let without = expected.keys().find(|customer| !health.contains_key(*customer));
    assert_eq!(without, None, "every customer with signals has a health record");
    expected.values().map(Vec::len).sum()
}
