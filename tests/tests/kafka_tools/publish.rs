//! What publishing rules would do is told before, and is what it does.

use std::collections::BTreeMap;
use std::fs;
use std::thread;

use bellwether_codec::journal::Control;
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

/// Publishers that run at once, and how often.
const PUBLISHERS: usize = 4;
const ROUNDS: usize = 4;

/// Number and text of the rule sets in each partition of the journal, in their order.
fn published_rules(product: &Product) -> Vec<Vec<(u32, String)>> {
    let mut partitions = vec![Vec::new(); usize::from(PARTITIONS)];
    let control = |record: &bellwether_kafka::Received<'_>| (record.at.partition, Control::decode(record.value.unwrap_or_default()).ok());
    for (partition, control) in product.read("journal", PARTITIONS, control) {
        if let Some(Control::Rules(rules)) = control {
            partitions[usize::try_from(partition).expect("no partition is negative")].push((rules.number, rules.text));
        }
    }
    partitions
}

#[test]
fn publishers_at_once_publish_one_after_the_other_or_say_that_they_have_not() {
    let product = Product::new(Broker::shared().bootstrap(), "publishers", PARTITIONS);
    product.create();
    let before = published_rules(&product)[0].len();
    // Written once: they read it all at the same time.
    let configuration = product.configuration("setup").display().to_string();
    let mut told_published = Vec::new();
    for round in 0..ROUNDS {
        let publish = |publisher: usize| {
            let name = format!("{round}-{publisher}.yaml");
            let path = product.directory.path().join(&name);
            fs::write(&path, RULES.replace("win-back", &format!("play-{round}-{publisher}"))).expect("the rules can be written");
            let path = path.to_str().expect("it is UTF-8");
            (publisher, product.bellwether(&["rules", "publish", path, "--config", &configuration], &[]))
        };
        let ended: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> = (0..PUBLISHERS).map(|publisher| scope.spawn(move || publish(publisher))).collect();
            running.into_iter().map(|thread| thread.join().expect("nobody panicked")).collect()
        });
        for (publisher, output) in ended {
            let told = told(&output);
            println!("round {round}, publisher {publisher}: {:?} {}", output.status.code(), told.trim());
            match output.status.code() {
                Some(0) => {
                    let number = told.rsplit("as rule set ").next().and_then(|rest| rest.trim().parse::<u32>().ok());
                    told_published.push((number.expect("its number is told"), format!("play-{round}-{publisher}")));
                }
                Some(3) => assert!(told.contains("is not in force") && told.contains("Run the command again"), "{told}"),
                code => panic!("{code:?}: {told}"),
            }
        }
    }
    told_published.sort_unstable();
    assert!(told_published.len() >= ROUNDS, "of each round at least the last has published: {told_published:?}");
    let partitions = published_rules(&product);
    assert!(partitions.iter().all(|rules| *rules == partitions[0]), "each partition has the same rule sets");
    let found = &partitions[0][before..];
    let playbook =
        |text: &str| text.lines().find_map(|line| line.trim().strip_prefix("playbook: play-").map(|rest| format!("play-{rest}")));
    let found: Vec<(u32, String)> = found.iter().map(|(number, text)| (*number, playbook(text).expect("it is ours"))).collect();
    assert_eq!(found, told_published, "each that was told is there, under its number, once, and nothing else");
}
