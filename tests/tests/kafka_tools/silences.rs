//! Silences are published as changes of the rule set in force, and later rule files keep them.

use std::fs;

use bellwether_codec::event::encode_event;
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::Product;

use crate::support::{any_command, command, lines, told, wait_until};

#[test]
fn a_silence_holds_back_until_it_is_ended_and_outlives_a_rule_file() {
    let product = Product::new(Broker::shared().bootstrap(), "silences", 2);
    product.create_topics();
    let nothing = any_command(&product, &["silence", "list"]);
    assert_eq!(nothing.status.code(), Some(2), "{}", told(&nothing));
    let rules = product.directory.path().join("rules.yaml");
    let text = "signals:\n  - { name: seen, kind: attention, when: logins_28d >= 1, warm_up: 0s, summary: seen, playbook: none }\n";
    fs::write(&rules, text).expect("rules can be written");
    let rules = rules.to_str().expect("it is UTF-8");
    command(&product, &["rules", "publish", rules]);
    let add = ["silence", "add", "away", "--owner", "ann", "--until", "2030-01-01", "--reason", "she is away"];
    assert!(told(&command(&product, &add)).contains("published as rule set 2"));
    assert_eq!(any_command(&product, &add).status.code(), Some(2), "there is one of that name");
    // The file says nothing of silences, and so changes nothing.
    assert!(told(&command(&product, &["rules", "publish", rules])).contains("in force already"));
    let listed = lines(&command(&product, &["silence", "list"])).join("\n");
    assert!(listed.contains("away") && listed.contains("owner ann") && listed.contains("she is away"), "{listed}");

    let path = product.directory.path().join("history.jsonl");
    let mut history = Vec::new();
    for event in &company(17, 10, 40) {
        encode_event(event, &mut history);
        history.push(b'\n');
    }
    fs::write(&path, history).expect("the history can be written");
    command(&product, &["journal", "import", "--events", path.to_str().expect("it is UTF-8")]);
    let decide = || {
        let expected = product.replayed();
        let mut running = product.start("live", "process", 1);
        wait_until(&product, "live", &mut running, "all is decided", || product.published().len() >= expected.len());
        assert_eq!(running.stop(), Some(0));
        let published = product.published();
        assert!(published == expected, "{} published, {} replayed", published.len(), expected.len());
        published
    };
    let held = decide();
    assert!(!held.is_empty() && held.iter().all(|line| line.contains("\"reason\":\"silence: away\"")), "{held:?}");
    assert!(told(&command(&product, &["silence", "end", "away"])).contains("published as rule set 3"));
    let told_now = decide();
    assert!(told_now.iter().any(|line| line.contains("bellwether.signal.raised.v1") && line.contains("\"rule_set\":3")));
}
