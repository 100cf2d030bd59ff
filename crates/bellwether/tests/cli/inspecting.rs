//! What a journal holds, record by record.

use std::collections::BTreeSet;

use bellwether_codec::timestamp::parse_time;
use bellwether_engine::time::Time;
use serde_json::Value;

use super::support::{Scratch, company, run};

const RULES: &str = "signals:
  - { name: seen, kind: attention, when: logins_28d >= 1, summary: seen, playbook: none }
";

fn records(arguments: &[&str]) -> Vec<Value> {
    let ran = run(&[&["journal", "inspect", "--json"], arguments].concat()).exits(0);
    ran.output.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[test]
fn the_records_of_a_data_directory_are_its_events_in_their_order() {
    let scratch = Scratch::new();
    let rules = scratch.file("rules.yaml", RULES);
    scratch.run_once(company(), &["--partitions", "3"]).exits(0);
    let events = scratch.summary()["journaled"].as_u64().expect("a count");
    scratch.run_once(company(), &["--rules", &rules]).exits(0);
    let data = scratch.path("data");
    let all = records(&["--journal", &data, "--limit", "100000"]);
    let of_kind = |what: &str| all.iter().filter(|record| record["what"] == what).count();
    assert_eq!(of_kind("event") as u64, events);
    assert_eq!((of_kind("unreadable"), of_kind("erased")), (0, 0));
    for partition in 0..3 {
        let of_partition: Vec<&Value> = all.iter().filter(|record| record["partition"] == partition).collect();
        assert!(of_partition.len() > 100);
        let offsets = of_partition.iter().map(|record| record["offset"].as_u64().expect("a number"));
        assert!(offsets.eq(0..of_partition.len() as u64), "partition {partition}");
        let times: Vec<Time> = of_partition.iter().filter_map(|record| time_of(record)).collect();
        assert!(times.len() + 3 > of_partition.len() && times.is_sorted(), "journal time never goes back");
        let published = of_partition.iter().filter(|record| record["type"] == "rules.published").collect::<Vec<_>>();
        assert!(published.last().is_some_and(|last| last["value"].as_str().is_some_and(|value| value.contains("seen"))), "{published:?}");
    }

    let event = all.iter().rfind(|record| record["type"] == "login").expect("somebody logs in");
    let customer = event["customer"].as_str().expect("it is of somebody");
    let theirs: Vec<&Value> = all.iter().filter(|record| record["customer"] == customer && record["type"] == "login").collect();
    let found = records(&["--journal", &data, "--customer", customer, "--type", "login", "--limit", "100000"]);
    assert_eq!(found.iter().collect::<Vec<_>>(), theirs);

    let (partition, offset) = (event["partition"].to_string(), event["offset"].to_string());
    let one = records(&["--journal", &data, "--partition", &partition, "--journal-from", &offset, "--limit", "1"]);
    assert_eq!(one.iter().collect::<Vec<_>>(), [event]);
    let middle = all[all.len() / 2]["journal_time"].as_str().expect("time has begun");
    let time = parse_time(middle).expect("it is a time");
    let part = |range: &str| records(&["--journal", &data, range, middle, "--limit", "100000"]);
    let (before, behind) = (part("--journal-to"), part("--journal-from"));
    assert!(!before.is_empty() && before.iter().filter_map(time_of).all(|found| found < time));
    assert!(!behind.is_empty() && behind.iter().filter_map(time_of).all(|found| found >= time));
    let place = |record: &Value| (record["partition"].as_u64(), record["offset"].as_u64());
    let places: BTreeSet<_> = before.iter().chain(&behind).map(place).collect();
    assert_eq!((places.len(), before.len() + behind.len()), (all.len(), all.len()), "each record is in one of both parts");
}

fn time_of(record: &Value) -> Option<Time> {
    record["journal_time"].as_str().map(|time| parse_time(time).expect("it is a time"))
}

#[test]
fn a_few_are_shown_as_a_table_and_what_is_not_there_is_told() {
    let scratch = Scratch::new();
    scratch.run_once(company(), &["--partitions", "2"]).exits(0);
    let data = scratch.path("data");
    let shown =
        run(&["journal", "inspect", "--journal", &data, "--limit", "5"]).exits(0).tells(&["5 records shown; there are more: --limit"]);
    assert!(shown.output.contains("journal time") && shown.output.contains("account.created"), "{}", shown.output);
    run(&["journal", "inspect", "--journal", &data, "--customer", "nobody"]).exits(0).tells(&["0 records shown"]);
    run(&["journal", "inspect", "--journal", &data, "--partition", "2"]).exits(2).tells(&["--partition 2: the journal has 2, from 0 on"]);
    run(&["journal", "inspect", "--journal", &data, "--journal-from", "5:1"]).exits(2).tells(&["there is no partition 5"]);
    run(&["journal", "inspect", "--journal", &scratch.path("nothing")]).exits(2).tells(&["no data directory with a journal"]);
}
