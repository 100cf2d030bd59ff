//! Alerts driven to firing by what they are about: real instances beside a real broker, real faults, and a real Prometheus.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bellwether_codec::event::encode_event;
use bellwether_codec::journal::{CONTROL_HEADER, Control, WATERMARK_HEADER};
use bellwether_engine::event::Event;
use bellwether_engine::time::{DAY_MS, HOUR_MS};
use bellwether_tests::broker::Broker;
use bellwether_tests::product::{INPUT_PARTITIONS, Product};
use serde_json::Value;

use crate::beside_kafka::{company_of_today, now, start, wait_until_taken_in};
use crate::driven::{ABOUT_CUSTOMERS, hasty_rules, wait_for_alert};
use crate::hand::Hand;
use crate::panels::wait_for_panels_beside_kafka;
use crate::prometheus::{PATIENCE, Prometheus, free_address};

/// More than the hundred of a source below which nothing is told.
const LATE_EVENTS: usize = 1_000;

/// A product with a source of its own for what is no JSON, and snapshots.
fn product(broker: &Broker, name: &str, partitions: u16, every: &str) -> (Product, PathBuf) {
    let mut product = Product::new(broker.bootstrap(), name, partitions);
    let snapshots = product.directory.path().join("snapshots");
    product.more_settings = format!(
        "    - {{ name: junk, topics: [{name}.junk], silent_after: never }}\n  snapshots: {{ to: {}, every: {every}, keep: 2 }}\n",
        snapshots.display()
    );
    product.create_input("junk");
    product.create();
    (product, snapshots)
}

#[test]
fn faults_fire_their_alerts() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let broker = Broker::start();
    let (main, snapshots) = product(&broker, "firing", 2, "1s");
    let (kept, kept_snapshots) = product(&broker, "kept", 1, "12h");
    let (stalled, _) = product(&broker, "stalled", 1, "1h");
    let addresses: Vec<String> = (0..4).map(|_| free_address()).collect();
    let [of_one, of_two, of_kept, of_stalled] = &addresses[..] else { unreachable!("there are four") };
    let jobs =
        [("bellwether", format!("{of_one}, {of_two}")), ("bellwether-kept", of_kept.clone()), ("bellwether-stalled", of_stalled.clone())];
    let jobs: Vec<(&str, &str)> = jobs.iter().map(|(name, targets)| (*name, targets.as_str())).collect();
    let events = company_of_today(51, 40, 150);
    main.produce(&events);
    kept.produce(&events);
    let _one = start(&main, "one", "all", of_one);
    let two = start(&main, "two", "all", of_two);
    let kept_instance = start(&kept, "kept", "all", of_kept);
    // A past that is taken in while somebody looks is a flood of signals, most of them late.
    wait_until_taken_in(&main, &[of_one, of_two], events.len());
    wait_until_taken_in(&kept, &[of_kept], events.len());
    let prometheus = Prometheus::of_jobs(&jobs, &hasty_rules(directory.path()));
    prometheus.wait_for("up{job=~\"bellwether|bellwether-kept\"} == 1", |found| found.len() == 3);
    for name in ABOUT_CUSTOMERS {
        wait_for_alert(&prometheus, "bellwether", name);
    }

    // Nothing is wrong yet but with the customers.
    let never = "count(bellwether_snapshot_timestamp_seconds == 0) or vector(0)";
    prometheus.wait_for("count(bellwether_snapshot_timestamp_seconds > 0)", |found| found == [3.0]);
    prometheus.wait_for(never, |found| found == [0.0]);
    let all_is_well = "ALERTS{alertname!~\"Bellwether.*Target\", job!=\"bellwether-stalled\", alertstate=\"firing\"}";
    prometheus.wait_for(all_is_well, <[f64]>::is_empty);
    stays_silent(&prometheus, "BellwetherSnapshotOld");
    wait_for_panels_beside_kafka(&prometheus, "bellwether");

    // What comes from now on is of days ago. Whether it comes again and again is found out behind the journal.
    Hand::of(&main).produce(&main.topic("events"), LATE_EVENTS, INPUT_PARTITIONS as usize, &late(&events), &[], None);
    wait_for_alert(&prometheus, "bellwether", "BellwetherLateBurst");

    replace_by_file(&snapshots);
    wait_for_alert(&prometheus, "bellwether", "BellwetherSnapshotFailed");

    let mut hand = Hand::of(&main);
    let ahead = now().plus_ms(HOUR_MS).0.to_string();
    let headers = [(WATERMARK_HEADER, ahead.as_bytes()), (CONTROL_HEADER, Control::Tick.name().as_bytes())];
    hand.produce(&main.topic("journal"), 1, 1, &Control::Tick.encode(), &headers, None);
    wait_for_alert(&prometheus, "bellwether", "BellwetherClockAhead");

    let in_an_hour = Some(now().plus_ms(HOUR_MS).0);
    hand.produce(&main.topic("events"), 1, INPUT_PARTITIONS as usize, &late(&events), &[], in_an_hour);
    wait_for_alert(&prometheus, "bellwether", "BellwetherProducerAhead");

    let an_hour_ago = Some(now().plus_ms(-HOUR_MS).0);
    let refused = "sum(bellwether_rejected_total{job=\"bellwether\"})";
    prometheus.wait_for(refused, |found| found == [0.0]);
    hand.produce(&main.topic("junk"), 3_000, INPUT_PARTITIONS as usize, b"no JSON", &[], an_hour_ago);
    wait_for_alert(&prometheus, "bellwether", "BellwetherBreakerOpen");
    wait_for_alert(&prometheus, "bellwether", "BellwetherDeadLetters");

    // An input that was never read to its end: what is behind in it is as old as its records, not as the breaker.
    Hand::of(&stalled).produce(&stalled.topic("junk"), 3_000, 1, b"no JSON", &[], an_hour_ago);
    let _stalled_instance = start(&stalled, "stalled", "all", of_stalled);
    wait_for_alert(&prometheus, "bellwether-stalled", "BellwetherInputLag");
    wait_for_alert(&prometheus, "bellwether-stalled", "BellwetherWatermarkStandsStill");

    assert_eq!(kept_instance.stop(), Some(0));
    damage_tables(&kept.data("kept").join("state"));
    make_older(&kept_snapshots);
    let _kept_instance = start(&kept, "kept", "all", of_kept);
    wait_for_alert(&prometheus, "bellwether-kept", "BellwetherStateDamaged");
    wait_for_alert(&prometheus, "bellwether-kept", "BellwetherSnapshotOld");

    two.kill();
    wait_for_alert(&prometheus, "bellwether", "BellwetherDown");
}

/// Lets the rules be evaluated some times, in which an alert is not even about to fire.
fn stays_silent(prometheus: &Prometheus, name: &str) {
    let seconds = || now().0.div_euclid(1_000).cast_unsigned();
    let iterations = "min(prometheus_rule_group_iterations_total)";
    let (from, before) = (seconds(), prometheus.query(iterations).expect("it counts")[0]);
    prometheus.wait_for(iterations, |found| found.len() == 1 && found[0] >= before + 5.0);
    let alerts = prometheus.history(&format!("ALERTS{{alertname=\"{name}\"}}"), from, seconds()).expect("it can be asked");
    assert!(alerts.is_empty(), "{name} is told while all is well: {alerts:?}");
}

/// Puts a file where a directory was, into which somebody may write at this moment.
fn replace_by_file(directory: &Path) {
    let started = Instant::now();
    while let Err(error) = fs::remove_dir_all(directory).and_then(|()| fs::write(directory, "")) {
        assert!(started.elapsed() < PATIENCE, "the snapshots cannot be replaced: {error}");
    }
}

/// Says in each snapshot that it was taken seven hours before.
fn make_older(directory: &Path) {
    let mut changed = 0;
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for path in fs::read_dir(&directory).expect("it is there").map(|entry| entry.expect("an entry").path()) {
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let mut manifest: Value = serde_json::from_slice(&fs::read(&path).expect("it can be read")).expect("JSON");
                let created_at = manifest["created_at_ms"].as_i64().expect("a time");
                manifest["created_at_ms"] = (created_at - 7 * HOUR_MS).into();
                fs::write(&path, manifest.to_string()).expect("it can be written");
                changed += 1;
            }
        }
    }
    assert!(changed > 0, "there are snapshots");
}

/// The line of an event of days ago.
fn late(events: &[Event<'static>]) -> Vec<u8> {
    let before = now().plus_ms(-2 * DAY_MS);
    let late = events.iter().rfind(|event| event.time < before).expect("the company is older");
    let mut line = Vec::new();
    encode_event(&Event { id: "late".into(), ..late.clone() }, &mut line);
    line
}

/// Overwrites the data of all tables, not what a table says about itself: the store opens, and it is found out when it is read.
fn damage_tables(store: &Path) {
    let files = fs::read_dir(store).expect("the store is there").map(|entry| entry.expect("an entry").path());
    let tables: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|extension| extension == "sst")).collect();
    assert!(!tables.is_empty());
    for table in tables {
        let mut bytes = fs::read(&table).expect("it can be read");
        let data = bytes.len() / 2;
        bytes[..data].iter_mut().step_by(100).for_each(|byte| *byte ^= 0x40);
        fs::write(&table, bytes).expect("it can be written");
    }
}
