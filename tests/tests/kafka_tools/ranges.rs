//! A part of a journal topic, by offsets and by times, is what a backtest is asked to read.

use std::fs;

use bellwether_codec::event::encode_event;
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::{Product, succeeded};
use serde_json::Value;

use crate::support::{any_command, command, told};

const PARTITIONS: u16 = 3;

/// An event of the journal: its partition, its offset, and when the broker appended it.
type Place = (i32, u64, i64);

/// How many events a backtest of the journal counts.
#[track_caller]
fn counted(product: &Product, range: &[&str]) -> u64 {
    let file = product.directory.path().join("report.json");
    let journal = format!("kafka://{}/{}", Broker::shared().bootstrap(), product.topic("journal"));
    let json = file.to_str().expect("it is UTF-8");
    succeeded(&product.bellwether(&[&["backtest", "--journal", &journal, "--json", json], range].concat(), &[]));
    let report: Value = serde_json::from_slice(&fs::read(&file).expect("it is written")).expect("it is JSON");
    report["log"]["events"].as_u64().expect("a count")
}

#[test]
fn a_part_of_a_journal_is_judged_by_offsets_and_by_times() {
    let product = Product::new(Broker::shared().bootstrap(), "ranges", PARTITIONS);
    product.create();
    // Two transactions or more, so that the broker's times differ.
    let mut text = Vec::new();
    for event in company(7, 500, 100) {
        encode_event(&event, &mut text);
        text.push(b'\n');
    }
    let events = product.directory.path().join("history.jsonl");
    fs::write(&events, text).expect("the history can be written");
    command(&product, &["journal", "import", "--events", events.to_str().expect("it is UTF-8")]);
    let place = |record: &bellwether_kafka::Received<'_>| {
        let is_event = record.headers().all(|(name, _)| name != "control");
        is_event.then_some((record.at.partition, record.offset, record.timestamp_ms.expect("brokers stamp records")))
    };
    let places: Vec<Place> = product.read("journal", PARTITIONS, place).into_iter().flatten().collect();
    let among = |is_within: &dyn Fn(&Place) -> bool| places.iter().filter(|place| is_within(place)).count() as u64;
    assert_eq!(counted(&product, &[]), places.len() as u64);

    let middle: Vec<u64> = (0..3)
        .map(|partition| {
            let offsets: Vec<u64> = places.iter().filter(|place| place.0 == partition).map(|place| place.1).collect();
            offsets[offsets.len() / 2]
        })
        .collect();
    let (one, other) = (format!("0:{},2:{}", middle[0], middle[2]), middle[1].to_string());
    let before = |place: &Place| place.0 == 1 || place.1 < middle[place.0 as usize];
    assert_eq!(counted(&product, &["--journal-to", &one]), among(&before));
    assert_eq!(counted(&product, &["--journal-from", &one]), among(&|place| place.0 == 1 || !before(place)));
    let within = among(&|place| before(place) && place.1 >= middle[1]);
    assert_eq!(counted(&product, &["--journal-from", &other, "--journal-to", &one]), within);

    let mut times: Vec<i64> = places.iter().map(|place| place.2).collect();
    times.sort_unstable();
    times.dedup();
    assert!(times.len() > 1, "the broker's times differ");
    let time = times[times.len() / 2];
    let text = bellwether_codec::timestamp::format_time(bellwether_engine::time::Time(time));
    let earlier = among(&|place| place.2 < time);
    assert!(0 < earlier && earlier < places.len() as u64);
    assert_eq!(counted(&product, &["--journal-to", &text]), earlier);
    assert_eq!(counted(&product, &["--journal-from", &text]), places.len() as u64 - earlier);
    assert_eq!(counted(&product, &["--journal-from", "2100-01-01"]), 0);

    let arguments = ["backtest", "--journal", "./nowhere", "--journal-to", "5"];
    let refused = any_command(&product, &arguments);
    assert!(refused.status.code() == Some(2) && told(&refused).contains("are for a topic"), "{}", told(&refused));
}
