//! Real input: both sample logs run to the end, come to totals that were counted apart from the product, and give what their replays give.

use std::fs;
use std::path::Path;

use bellwether_tests::product::{binary, succeeded};
use bellwether_tests::sample_logs::sample_log;
use bellwether_tests::states::state_sizes;
use serde_json::{Value, json};

/// What is left undone without a log.
const UNDONE: &str = "its totals and states were not compared";

/// What a sample log comes to, as its README tells: it was counted by another program.
struct Totals {
    events: u64,
    customers: u64,
    active_customers: u64,
    mrr_usd_minor: u64,
}

#[test]
fn crm6_comes_to_its_totals_and_its_run_is_its_replay() {
    check("crm6.jsonl.zst", &Totals { events: 3_132_412, customers: 281, active_customers: 240, mrr_usd_minor: 25_628_800 });
}

#[test]
fn socialnet7_comes_to_its_totals_and_its_run_is_its_replay() {
    check("socialnet7.jsonl.zst", &Totals { events: 1_933_706, customers: 890, active_customers: 718, mrr_usd_minor: 718_000 });
}

fn check(name: &str, totals: &Totals) {
    let Some(log) = sample_log(name, UNDONE) else { return };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name);
    let run = |arguments: &[&str], signals: &str, summary: &str| {
        let mut command = binary();
        command.args(arguments).arg("--events").arg(&log).arg("--signals").arg(at(signals)).arg("--summary").arg(at(summary));
        if arguments[0] == "run" {
            command.arg("--data").arg(at("data"));
        }
        succeeded(&command.output().expect("the binary starts"));
    };
    run(&["run", "--once", "--metrics", "off"], "live.jsonl", "live.json");
    run(&["replay"], "replayed.jsonl", "replayed.json");
    for summary in ["live.json", "replayed.json"] {
        let summary: Value = serde_json::from_slice(&read(&at(summary))).expect("a summary is JSON");
        let found = ["events", "journaled", "customers", "active_customers"].map(|name| summary[name].as_u64());
        let expected = [totals.events, totals.events, totals.customers, totals.active_customers].map(Some);
        assert_eq!(found, expected, "{name}: events, journaled, customers, active customers");
        assert_eq!(summary["mrr_minor"], json!({ "USD": totals.mrr_usd_minor }), "{name}");
        assert_eq!((&summary["rejected"], &summary["duplicates"]), (&json!({}), &json!(0)), "{name}: nothing is refused or dropped");
    }
    for (live, replayed) in [("live.jsonl", "replayed.jsonl"), ("live.jsonl.decisions", "replayed.jsonl.decisions")] {
        let (live, replayed) = (read(&at(live)), read(&at(replayed)));
        assert!(!live.is_empty(), "{name} gives signals and decisions");
        assert!(live == replayed, "{name}: run and replay differ in {} and {} bytes", live.len(), replayed.len());
    }
}

/// The states at the end of a sample log, whose median must stay under 800 bytes.
#[test]
fn states_of_both_logs_stay_small() {
    for (name, median_limit, limit) in [("crm6.jsonl.zst", 800, 2_600), ("socialnet7.jsonl.zst", 800, 1_000)] {
        let Some(log) = sample_log(name, UNDONE) else { return };
        let sizes = state_sizes(&log);
        let (median, largest) = (sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
        println!("{name}: {} states, median {median} bytes, largest {largest}", sizes.len());
        assert!(median < median_limit && largest < limit, "{name}: median {median} bytes, largest {largest}");
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
