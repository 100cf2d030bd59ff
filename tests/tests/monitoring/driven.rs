//! What drives which alert to firing, and the haste that makes it quick.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::prometheus::{Prometheus, shipped_rules};
use crate::rules::alerts;
use crate::{deploy, read};

/// Alerts that tests drive to firing, and by what.
const DRIVEN: [(&str, &str); 31] = [
    ("BellwetherLateBurst", "a thousand events of days ago come"),
    ("BellwetherForwardBehind", "a receiver is busy while signals of two hours ago wait"),
    ("BellwetherDown", "an instance is killed"),
    ("BellwetherInputLag", "an input with records of an hour ago is stopped by its breaker"),
    ("BellwetherWatermarkStandsStill", "the same"),
    ("BellwetherBreakerOpen", "hundreds of records on end are no JSON"),
    ("BellwetherDeadLetters", "the same"),
    ("BellwetherClockAhead", "somebody writes a watermark an hour ahead into the journal"),
    ("BellwetherProducerAhead", "an event comes in a record that is stamped an hour ahead"),
    ("BellwetherStateDamaged", "tables of the store are overwritten"),
    ("BellwetherSnapshotOld", "a run finds snapshots of seven hours ago, and is to take others after twelve"),
    ("BellwetherSnapshotFailed", "the directory of the snapshots becomes a file"),
    ("BellwetherChurnAboveTarget", "a third of the customers leave"),
    ("BellwetherKpiBelowTarget", "answers to surveys are random"),
    ("BellwetherKpiAboveTarget", "customers are onboarded after months"),
    ("BellwetherRedCustomersAboveTarget", "most customers are red"),
    ("BellwetherHealthFell", "most customers are red where, as Prometheus remembers, none was"),
    ("BellwetherSignalFlood", "forty customers look at the cancellation page where, as Prometheus remembers, hardly one does"),
    ("BellwetherNoSignals", "nothing happens where something did in the weeks that Prometheus remembers"),
    ("BellwetherDiskFull", "a file takes all that is left"),
    ("BellwetherTransactionsFail", "two instances have one name, and push each other out"),
    ("BellwetherJournalLag", "records of two hours ago wait in the journal of a worker that somebody has paused"),
    ("BellwetherJournalLagLong", "the same"),
    ("BellwetherNoCommits", "somebody pauses the workers"),
    ("BellwetherRestoreStuck", "snapshots lie on a file system that does not answer"),
    ("BellwetherPoisonedRecords", "a record that the fold is told to panic at, where Prometheus remembers none"),
    ("BellwetherDiskFilling", "a node exporter watches the disk that a file takes all of"),
    ("BellwetherForwardDown", "the forwarding is killed"),
    ("BellwetherForwardFailing", "nobody listens where a route posts to"),
    ("BellwetherForwardLate", "a receiver is not able to take anything"),
    ("BellwetherForwardDeadLetters", "a receiver refuses"),
];

/// Those that fire without a fault, as customers do badly.
pub const ABOUT_CUSTOMERS: [&str; 3] = ["BellwetherChurnAboveTarget", "BellwetherKpiAboveTarget", "BellwetherKpiBelowTarget"];

/// What two alerts call long, in seconds, and what it is where a test drives them. It is the time alone that is shorter.
const SHORTER: [(&str, &str, &str); 2] = [("BellwetherNoCommits", "> 600", "> 30"), ("BellwetherForwardLate", "> 600", "> 20")];

/// The shipped rules with one thing changed: every `for: DURATION` line of an alert becomes `for: 2s`. Nothing else differs, and recording rules are as
/// shipped.
pub fn hasty_rules(directory: &Path) -> [PathBuf; 2] {
    written(directory, &hasty())
}

/// The same, and ten minutes without a commit or a delivery are less than one.
pub fn hastier_rules(directory: &Path) -> [PathBuf; 2] {
    let mut text = hasty();
    for (name, long, shorter) in SHORTER {
        let (before, alert) = text.split_once(&format!("- alert: {name}\n")).expect("there is such an alert");
        let (expression, rest) = alert.split_once("for: 2s").expect("it waits");
        assert!(expression.contains(long), "{name}");
        text = format!("{before}- alert: {name}\n{}for: 2s{rest}", expression.replace(long, shorter));
    }
    written(directory, &text)
}

fn hasty() -> String {
    let text = read(&deploy("prometheus/alerts.yaml"));
    let is_wait = |line: &str| line.starts_with("        for: ");
    let hasty: String = text.lines().flat_map(|line| [if is_wait(line) { "        for: 2s" } else { line }, "\n"]).collect();
    assert!(hasty.matches("for: 2s").count() > 15);
    hasty
}

fn written(directory: &Path, alerts: &str) -> [PathBuf; 2] {
    let path = directory.join("alerts.yaml");
    fs::write(&path, alerts).expect("it can be written");
    let [recording, _] = shipped_rules();
    [recording, path]
}

#[track_caller]
pub fn wait_for_alert(prometheus: &Prometheus, job: &str, name: &str) {
    let firing = format!("ALERTS{{alertname=\"{name}\", job=\"{job}\", alertstate=\"firing\"}}");
    prometheus.wait_for(&firing, |found| !found.is_empty());
    println!("{name} fires for {job}");
}

/// Waits until an alert is neither firing nor about to.
#[track_caller]
pub fn wait_for_silence(prometheus: &Prometheus, job: &str, name: &str) {
    prometheus.wait_for(&format!("ALERTS{{alertname=\"{name}\", job=\"{job}\"}}"), <[f64]>::is_empty);
}

#[test]
fn every_alert_is_driven_by_a_test() {
    let named: BTreeSet<&str> = DRIVEN.iter().map(|(name, _)| *name).collect();
    assert_eq!(named.len(), DRIVEN.len());
    let alerts = alerts();
    assert_eq!(named, alerts.iter().map(|(name, _)| name.as_str()).collect());
    let tests = ["behind", "firing", "forwarding", "poisoned", "restoring", "trouble", "weeks"];
    let tests = tests.map(|name| read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/monitoring/{name}.rs")))).concat();
    let waited_for = |name: &&str| tests.contains(&format!("\"{name}\"")) || ABOUT_CUSTOMERS.contains(name);
    assert!(named.iter().all(waited_for), "a test waits for each");
}
