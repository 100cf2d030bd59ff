//! What publishing rules would do is told before, and is what it does.

use std::collections::BTreeMap;
use std::fs;

use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::Product;

use crate::support::{command, lines, told, wait_until};

const PARTITIONS: u16 = 3;

/// The built-in pack has this rule under another name, and none of its others.
const RULES: &str = "signals:
  - name: no-login-30d
    kind: at_risk
    when: days_since_login >= 30
    until: logins_7d > 0
    summary: \"No login for {days_since_login} days\"
    playbook: win-back
  - name: quiet-for-a-week
    kind: at_risk
    when: days_since_login >= 7
    until: logins_7d > 0
    summary: \"No login for {days_since_login} days\"
    playbook: call
";

/// Lines by rule and transition that the given rule set has put out.
fn transitions(product: &Product, rule_set: u32) -> BTreeMap<(String, String), u64> {
    let mut counts = BTreeMap::new();
    for line in product.published() {
        let line: serde_json::Value = serde_json::from_str(&line).expect("a signal is JSON");
        // What came of a signal is no step of it.
        if line["data"]["rule_set"] == rule_set && line["data"]["reason"] != "outcome" {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            *counts.entry((text(&line["data"]["rule"]), text(&line["type"]))).or_default() += 1;
        }
    }
    counts
}

#[test]
fn a_dry_run_tells_what_publishing_does() {
    let product = Product::new(Broker::shared().bootstrap(), "publish", PARTITIONS);
    product.create();
    let events = company(13, 40, 80);
    let path = product.directory.path().join("history.jsonl");
    let mut text = Vec::new();
    for event in &events {
        bellwether_codec::event::encode_event(event, &mut text);
        text.push(b'\n');
    }
    fs::write(&path, text).expect("the history can be written");
    command(&product, &["journal", "import", "--events", path.to_str().expect("it is UTF-8")]);
    let rules = product.directory.path().join("rules.yaml");
    fs::write(&rules, RULES).expect("the rules can be written");
    let rules = rules.to_str().expect("it is UTF-8");

    let dry = command(&product, &["rules", "publish", "--dry-run", rules]);
    assert!(told(&dry).contains("nothing was published"), "{}", told(&dry));
    let mut foreseen: BTreeMap<String, [u64; 4]> = BTreeMap::new();
    for line in lines(&dry).iter().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |index: usize| words[index].parse().expect("a number");
        foreseen.insert(words[0].to_owned(), [number(1), number(2), number(3), number(4)]);
    }
    let [opens, clears, expires, keeps] = foreseen["quiet-for-a-week"];
    assert!(opens > 0 && [clears, expires, keeps] == [0, 0, 0], "{foreseen:?}");
    assert!(foreseen["no-login-30d"][3] > 0 && foreseen.values().any(|change| change[2] > 0), "{foreseen:?}");

    command(&product, &["rules", "publish", rules]);
    let mut running = product.start("live", "process", 1);
    let expected = product.replayed().len();
    wait_until(&product, "live", &mut running, "all is decided", || product.published().len() >= expected);
    assert_eq!(running.stop(), Some(0));
    let found = transitions(&product, 2);
    let count = |rule: &str, name: &str| found.get(&(rule.to_owned(), format!("bellwether.signal.{name}.v1"))).copied().unwrap_or_default();
    for (rule, [opens, clears, expires, _]) in &foreseen {
        let done = [count(rule, "raised"), count(rule, "cleared") + count(rule, "resolved"), count(rule, "expired")];
        assert_eq!([*opens, *clears, *expires], done, "{rule}");
    }
    assert_eq!(found.values().sum::<u64>(), foreseen.values().map(|[opens, clears, expires, _]| opens + clears + expires).sum::<u64>());
    assert!(told(&command(&product, &["rules", "publish", "--dry-run", rules])).contains("in force already"));
}
