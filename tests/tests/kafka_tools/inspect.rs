//! The records of a journal topic, one by one.

use std::collections::BTreeSet;

use bellwether_codec::event::encode_event;
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::contracts::check;
use bellwether_tests::product::{Product, binary};
use serde_json::Value;

use crate::support::{Raw, command, lines, write};

const PARTITIONS: u16 = 3;

#[test]
fn the_records_of_a_topic_are_listed_as_they_stand() {
    let product = Product::new(Broker::shared().bootstrap(), "inspect", PARTITIONS);
    product.create();
    let events = company(8, 20, 40);
    let mut history = Vec::new();
    for event in &events {
        encode_event(event, &mut history);
        history.push(b'\n');
    }
    let file = product.directory.path().join("history.jsonl");
    std::fs::write(&file, history).expect("it can be written");
    command(&product, &["journal", "import", "--events", file.to_str().expect("UTF-8")]);
    for (partition, value) in [(1, &b"{broken"[..]), (2, &b"\xff\xfe"[..])] {
        write(&product, "journal", &[Raw { partition, key: "c", value, headers: &[], timestamp_ms: 1_767_254_400_000 }]);
    }

    let journal = format!("kafka://{}/{}", Broker::shared().bootstrap(), product.topic("journal"));
    let inspect = |more: &[&str]| -> Vec<Value> {
        let mut command = binary();
        command.args(["journal", "inspect", "--json", "--limit", "100000", "--journal", &journal]).args(more);
        let output = command.output().expect("the binary starts");
        lines(&output).iter().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    };
    let all = inspect(&[]);
    check("journal-record", &all);
    let places: Vec<(u64, u64)> = all.iter().map(|record| (number(record, "partition"), number(record, "offset"))).collect();
    let expected = product.read("journal", PARTITIONS, |record| (record.at.partition as u64, record.offset));
    assert_eq!(places, expected);
    let ids: BTreeSet<&str> = all.iter().filter(|record| record["what"] == "event").filter_map(|record| record["id"].as_str()).collect();
    assert_eq!(ids, events.iter().map(|event| &*event.id).collect());
    assert_eq!(all[0]["type"], "journal.created");
    assert!(all.iter().all(|record| record["appended_at"].is_string()));
    let unreadable: Vec<&Value> = all.iter().filter(|record| record["what"] == "unreadable").collect();
    let told: Vec<(&Value, &Value, &Value)> = unreadable.iter().map(|one| (&one["type"], &one["value"], &one["value_base64"])).collect();
    let expected = [("invalid_json".into(), "{broken".into(), Value::Null), ("invalid_utf8".into(), Value::Null, "//4=".into())];
    assert_eq!(told, expected.each_ref().map(|(reason, value, base64)| (reason, value, base64)));

    let (partition, offset) = (number(unreadable[0], "partition").to_string(), number(unreadable[0], "offset").to_string());
    assert_eq!(inspect(&["--partition", &partition, "--journal-from", &offset]).iter().collect::<Vec<_>>(), [unreadable[0]]);
}

fn number(record: &Value, name: &str) -> u64 {
    record[name].as_u64().expect("a number")
}
