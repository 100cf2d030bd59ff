//! Ids of signals are unique over the pack, on a simulated company in which nearly every rule has something to say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use bellwether_tests::folding::default_rules;
use bellwether_tests::product::{binary, succeeded};
use bellwether_tests::states::state_sizes;
use serde_json::Value;

/// The median state of that company, in bytes.
const MEDIAN_STATE_BYTES: usize = 1_900;

/// How many rules of the pack must speak, or the test says little.
const RULES_THAT_SPEAK: usize = 35;

#[test]
fn ids_are_unique_over_a_pack_of_which_nearly_every_rule_speaks() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (company, signals) = (directory.path().join("company"), directory.path().join("signals.jsonl"));
    let mut simulate = binary();
    simulate.args(["simulate", "--customers", "300", "--months", "18", "--seed", "1", "--out"]).arg(&company);
    succeeded(&simulate.output().expect("the binary starts"));
    let mut replay = binary();
    replay.arg("replay").arg("--events").arg(company.join("events.jsonl.zst")).arg("--signals").arg(&signals);
    succeeded(&replay.output().expect("the binary starts"));

    // Every kind of event happens there: it is more than on the logs that the limit of 800 bytes is for, and may grow no further.
    let sizes = state_sizes(&company.join("events.jsonl.zst"));
    let (median, largest) = (sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
    println!("{} states, median {median} bytes, largest {largest}", sizes.len());
    assert!(median <= MEDIAN_STATE_BYTES, "the median state takes {median} bytes");

    let text = fs::read_to_string(&signals).expect("signals were written");
    let (mut ids, mut by_rule) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
    for line in text.lines() {
        let signal: Value = serde_json::from_str(line).expect("a signal is JSON");
        assert!(ids.insert(signal["id"].as_str().expect("an id").to_owned()), "twice: {line}");
        *by_rule.entry(signal["data"]["rule"].as_str().expect("a rule").to_owned()).or_default() += 1;
    }
    let silent: Vec<_> = default_rules().rules.iter().map(|rule| rule.name.clone()).filter(|name| !by_rule.contains_key(name)).collect();
    println!("{} signals of {} rules; silent: {silent:?}", ids.len(), by_rule.len());
    assert!(by_rule.len() >= RULES_THAT_SPEAK, "{} rules speak; silent: {silent:?}", by_rule.len());
}
