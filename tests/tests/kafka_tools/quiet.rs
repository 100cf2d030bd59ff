//! History is decided in silence, and what is still open at the cut-over is sent: live as in a replay, also after a restart.

use std::collections::BTreeSet;
use std::fs;

use bellwether_codec::event::encode_event;
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::Product;

use crate::support::{any_command, command, told, wait_until};

const PARTITIONS: u16 = 2;
/// Within the history, which goes from January to March of 2024.
const CUT_OVER: &str = "2024-02-20T10:00:00Z";

/// Brings the product to where a replay of its journal is, and compares.
fn decide(product: &Product, instance: &str) -> Vec<serde_json::Value> {
    let expected = product.replayed();
    let mut running = product.start(instance, "process", 1);
    wait_until(product, instance, &mut running, "all is decided", || product.published().len() >= expected.len());
    assert_eq!(running.stop(), Some(0));
    let published = product.published();
    assert!(published == expected, "{} published, {} replayed", published.len(), expected.len());
    published.iter().map(|line| serde_json::from_str(line).expect("a signal is JSON")).collect()
}

#[test]
fn nothing_dated_before_the_cut_over_is_sent() {
    let product = Product::new(Broker::shared().bootstrap(), "quiet", PARTITIONS);
    product.create_topics();
    command(&product, &["rules", "publish", "--quiet-until", CUT_OVER]);
    let refused = any_command(&product, &["rules", "publish", "--quiet-until", "2024-02-21"]);
    assert!(refused.status.code() == Some(2) && told(&refused).contains("first rule set only"), "{}", told(&refused));
    let path = product.directory.path().join("history.jsonl");
    let mut text = Vec::new();
    for event in &company(17, 40, 80) {
        encode_event(event, &mut text);
        text.push(b'\n');
    }
    fs::write(&path, text).expect("the history can be written");
    command(&product, &["journal", "import", "--events", path.to_str().expect("it is UTF-8")]);

    let lines = decide(&product, "live");
    let is_sent = |line: &&serde_json::Value| line["type"].as_str().is_some_and(|name| name.starts_with("bellwether.signal."));
    let early = lines.iter().filter(is_sent).find(|line| line["time"].as_str().is_some_and(|time| time < CUT_OVER));
    assert_eq!(early, None);
    let backfilled: Vec<&serde_json::Value> = lines.iter().filter(|line| line["data"]["backfilled"] == true).collect();
    assert!(backfilled.len() > 5 && backfilled.iter().all(|line| is_sent(line) && line["time"] == CUT_OVER), "{backfilled:?}");
    assert!(lines.iter().filter(|line| line["data"]["reason"] == "quiet").count() > backfilled.len());
    let ids: BTreeSet<&str> = lines.iter().filter_map(|line| line["id"].as_str()).collect();
    assert_eq!(ids.len(), lines.len(), "each has an id of its own");

    // The next rule set keeps the silence, and so does a program that finds both in its store.
    let rules = product.directory.path().join("rules.yaml");
    fs::write(&rules, "signals:\n  - { name: seen, kind: attention, when: logins_28d >= 1, summary: seen, playbook: none }\n")
        .expect("rules can be written");
    command(&product, &["rules", "publish", rules.to_str().expect("it is UTF-8")]);
    let lines = decide(&product, "live");
    assert!(lines.iter().any(|line| line["data"]["rule"] == "seen"));
}
