//! Which alerts are driven to firing by what they are about, and which are not; and the haste that makes it quick.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::prometheus::{Prometheus, shipped_rules};
use crate::rules::alerts;
use crate::{deploy, read};

/// Alerts that tests drive to firing, and by what.
const DRIVEN: [(&str, &str); 20] = [
    ("BellwetherDown", "an instance is killed"),
    ("BellwetherInputLag", "an input with records of an hour ago is stopped by its breaker"),
    ("BellwetherWatermarkStandsStill", "the same"),
    ("BellwetherBreakerOpen", "hundreds of records on end are no JSON"),
    ("BellwetherDeadLetters", "the same"),
    ("BellwetherClockAhead", "somebody writes a watermark an hour ahead into the journal"),
    ("BellwetherStateDamaged", "tables of the store are overwritten"),
    ("BellwetherSnapshotOld", "after the first snapshot there is no other"),
    ("BellwetherSnapshotFailed", "the directory of the snapshots becomes a file"),
    ("BellwetherChurnAboveTarget", "a third of the customers leave"),
    ("BellwetherKpiBelowTarget", "answers to surveys are random"),
    ("BellwetherKpiAboveTarget", "customers are onboarded after months"),
    ("BellwetherHealthFell", "most customers are red where, as Prometheus remembers, none was"),
    ("BellwetherSignalFlood", "forty customers look at the cancellation page where, as Prometheus remembers, hardly one does"),
    ("BellwetherNoSignals", "nothing happens where something did in the weeks that Prometheus remembers"),
    ("BellwetherDiskFull", "a file takes all that is left"),
    ("BellwetherTransactionsFail", "two instances have one name, and push each other out"),
    ("BellwetherForwardDown", "the forwarding is killed"),
    ("BellwetherForwardFailing", "nobody listens where a route posts to"),
    ("BellwetherForwardDeadLetters", "a receiver refuses"),
];

/// Alerts that only their unit tests drive to firing, and why.
const IN_UNIT_TESTS: [(&str, &str); 9] = [
    ("BellwetherJournalLag", "a broker dates the records: it takes five minutes"),
    ("BellwetherJournalLagLong", "it takes an hour"),
    ("BellwetherNoCommits", "it takes ten minutes without a commit"),
    ("BellwetherRestoreStuck", "no restore hangs for good"),
    ("BellwetherPoisonedRecords", "it compares with an hour ago, and takes a defect of the fold"),
    ("BellwetherDiskFilling", "the kubelet or the node exporter tells it"),
    ("BellwetherCompactionBehind", "it takes eight gibibytes"),
    ("BellwetherForwardLate", "it takes ten minutes"),
    ("BellwetherForwardBehind", "it takes half an hour"),
];

/// Those that fire without a fault, as customers do badly.
pub const ABOUT_CUSTOMERS: [&str; 3] = ["BellwetherChurnAboveTarget", "BellwetherKpiAboveTarget", "BellwetherKpiBelowTarget"];

/// The shipped alerts with one thing changed: every `for: DURATION` line becomes `for: 2s`. Nothing else differs, and recording rules are as shipped.
pub fn hasty_rules(directory: &Path) -> [PathBuf; 2] {
    let text = read(&deploy("prometheus/alerts.yaml"));
    let is_wait = |line: &str| line.starts_with("        for: ");
    let hasty: String = text.lines().flat_map(|line| [if is_wait(line) { "        for: 2s" } else { line }, "\n"]).collect();
    assert!(hasty.matches("for: 2s").count() > 15);
    let path = directory.join("alerts.yaml");
    fs::write(&path, hasty).expect("it can be written");
    let [recording, _] = shipped_rules();
    [recording, path]
}

#[track_caller]
pub fn wait_for_alert(prometheus: &Prometheus, job: &str, name: &str) {
    let firing = format!("ALERTS{{alertname=\"{name}\", job=\"{job}\", alertstate=\"firing\"}}");
    prometheus.wait_for(&firing, |found| !found.is_empty());
    println!("{name} fires for {job}");
}

#[test]
fn every_alert_is_in_one_of_the_tables_and_the_guide_names_those_that_are_not_driven() {
    let tables: Vec<&str> = DRIVEN.iter().chain(&IN_UNIT_TESTS).map(|(name, _)| *name).collect();
    let named: BTreeSet<&str> = tables.iter().copied().collect();
    assert_eq!(named.len(), tables.len());
    let alerts = alerts();
    assert_eq!(named, alerts.iter().map(|(name, _)| name.as_str()).collect());
    let guide = read(&deploy("monitoring.md"));
    let missing: Vec<&str> = IN_UNIT_TESTS.iter().map(|(name, _)| *name).filter(|name| !guide.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
