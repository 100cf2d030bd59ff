//! Dead letters are listed, and go back to where they came from, each once.

use std::thread::sleep;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bellwether_live::kafka::dead_letter_header as header;
use bellwether_tests::broker::{Broker, tool};
use bellwether_tests::company::Random;
use bellwether_tests::contracts::check;
use bellwether_tests::product::Product;

use crate::support::{Ends, Raw, command, lines, start, told, wait_until, write};

const PARTITIONS: u16 = 2;
const GOOD: &[u8] = br#"{"specversion":"1.0","id":"g","source":"/a","type":"login","subject":"c-1","time":"2026-01-01T08:00:00Z"}"#;
const NO_SUBJECT: &[u8] = br#"{"specversion":"1.0","id":"n","source":"/a","type":"login","time":"2026-01-01T08:00:00Z"}"#;

/// All that a record is: partition, key, value, headers and time.
type Shape = (i32, Vec<u8>, Vec<u8>, Vec<(String, Option<Vec<u8>>)>, Option<i64>);

fn events(product: &Product) -> Vec<Shape> {
    product.read("events", 6, |record| {
        let headers = record.headers().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).collect();
        (record.at.partition, record.key.unwrap_or(b"").to_vec(), record.value.unwrap_or(b"").to_vec(), headers, record.timestamp_ms)
    })
}

fn count(product: &Product, value: &[u8]) -> usize {
    events(product).iter().filter(|(_, _, found, ..)| found == value).count()
}

fn letters(product: &Product) -> usize {
    product.read("dead-letters", PARTITIONS, |_| ()).len()
}

/// Events of which some are refused: by the reasons invalid_json (2), missing_field (1).
fn refuse_some(product: &Product) {
    let record = |partition, key, value| Raw {
        partition,
        key,
        value,
        headers: &[("trace", Some(b"\x01\xff")), ("trace", Some(b"2")), ("empty", Some(b"")), ("none", None)],
        timestamp_ms: 1_767_254_400_000,
    };
    write(product, "events", &[record(0, "a", GOOD), record(3, "b", b"{broken"), record(3, "c", NO_SUBJECT), record(5, "d", b"{\xff}")]);
    let mut running = product.start("ingest", "ingest", 1);
    wait_until(product, "ingest", &mut running, "three letters are dead", || letters(product) == 3);
    assert_eq!(running.stop(), Some(0));
}

/// A letter as the fold writes it: from the journal.
fn poison(product: &Product) {
    let journal = product.topic("journal");
    let headers: [(&str, Option<&[u8]>); 5] = [
        (header::REASON, Some(b"poisoned")),
        (header::MESSAGE, Some(b"folding panicked")),
        (header::TOPIC, Some(journal.as_bytes())),
        (header::PARTITION, Some(b"0")),
        (header::OFFSET, Some(b"7")),
    ];
    write(product, "dead-letters", &[Raw { partition: 0, key: "c-1", value: GOOD, headers: &headers, timestamp_ms: 1_767_254_400_000 }]);
}

#[test]
fn letters_are_listed_with_what_was_wrong() {
    let product = Product::new(Broker::shared().bootstrap(), "dlq-list", PARTITIONS);
    product.create();
    assert!(told(&command(&product, &["dlq", "list"])).contains("0 dead letters"));
    refuse_some(&product);
    let listed = lines(&command(&product, &["dlq", "list", "--json"]));
    let listed: Vec<serde_json::Value> = listed.iter().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    check("dlq-list", &listed);
    let find = |key: &str| listed.iter().find(|letter| letter["key"] == key).expect("it is listed");
    assert_eq!((listed.len(), &find("b")["value"]), (3, &serde_json::json!("{broken")));
    assert_eq!(find("b")["reason"], "invalid_json");
    assert_eq!((find("b")["topic"].as_str(), find("b")["partition"].as_i64()), (Some(product.topic("events").as_str()), Some(3)));
    assert_eq!((&find("b")["offset"], &find("c")["offset"]), (&serde_json::json!(0), &serde_json::json!(1)));
    assert_eq!(find("b")["time"], "2026-01-01T08:00:00Z");
    assert_eq!(find("c")["reason"], "missing_field");
    assert!(find("c")["message"].as_str().is_some_and(|message| message.contains("subject")));
    assert_eq!((find("d")["value"].is_null(), &find("d")["value_base64"]), (true, &serde_json::json!("e/99")));
    assert_eq!(lines(&command(&product, &["dlq", "list", "--json", "--reason", "missing_field"])).len(), 1);
    assert_eq!(lines(&command(&product, &["dlq", "list", "--json", "--topic", "another"])).len(), 0);
    assert_eq!(lines(&command(&product, &["dlq", "list", "--json", "--limit", "2"])).len(), 2);
    let table = lines(&command(&product, &["dlq", "list"])).join("\n");
    for text in ["reason", "missing_field", "{broken", &product.topic("events")] {
        assert!(table.contains(text), "{text} is not in\n{table}");
    }
}

#[test]
fn letters_go_back_as_they_came_and_none_twice() {
    let product = Product::new(Broker::shared().bootstrap(), "dlq-replay", PARTITIONS);
    product.create();
    refuse_some(&product);
    poison(&product);
    let before = events(&product);
    let dry = command(&product, &["dlq", "replay", "--dry-run"]);
    assert_eq!((lines(&dry), events(&product).len()), (vec![format!("3 {}", product.topic("events"))], before.len()));
    assert!(told(&dry).contains("1 came from the journal"), "{}", told(&dry));

    let replay = |more: &[&str]| command(&product, &[&["dlq", "replay"], more].concat());
    assert_eq!(lines(&replay(&["--reason", "missing_field"])), [format!("1 {}", product.topic("events"))]);
    assert_eq!((count(&product, NO_SUBJECT), count(&product, b"{broken")), (2, 1));
    assert_eq!(lines(&replay(&["--reason", "missing_field"])), Vec::<String>::new(), "once is enough");
    let rest = replay(&[]);
    assert_eq!(lines(&rest), [format!("2 {}", product.topic("events"))], "what went back before stays where it is");
    assert!(told(&rest).contains("1 came from the journal"), "{}", told(&rest));
    assert_eq!(lines(&replay(&[])), Vec::<String>::new());

    // What is there now is what was there, and once more what was refused: in its partition, with its key, headers and time.
    let mut expected = before.clone();
    expected.extend(before.into_iter().filter(|(_, _, value, ..)| value != GOOD));
    let mut found = events(&product);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);

    // Refused again they are new letters, which go back once more.
    let mut running = product.start("ingest", "ingest", 1);
    wait_until(&product, "ingest", &mut running, "they are refused again", || letters(&product) == 7);
    assert_eq!(running.stop(), Some(0));
    assert_eq!(lines(&replay(&[])), [format!("3 {}", product.topic("events"))]);
}

/// Says how large the records of a topic may be.
fn allow(product: &Product, topic: &str, max_bytes: usize) {
    let (topic, setting) = (product.topic(topic), format!("max.message.bytes={max_bytes}"));
    let arguments = ["--alter", "--entity-type", "topics", "--entity-name", &topic, "--add-config", &setting];
    Broker::shared().tool(tool::CONFIGS, &arguments);
}

/// A value that is no event, of so many bytes, which no compression makes smaller.
fn bad(bytes: usize) -> Vec<u8> {
    let mut random = Random(bytes as u64);
    let numbers = std::iter::repeat_with(|| random.number().to_be_bytes()).flatten();
    b"{broken".iter().copied().chain(numbers).take(bytes).collect()
}

#[test]
fn a_refused_record_of_any_size_becomes_a_dead_letter() {
    /// More than a Kafka client writes by default, and more than our topics take.
    const SIZES: [usize; 2] = [1_040_000, 9_000_000];
    let product = Product::new(Broker::shared().bootstrap(), "dlq-large", PARTITIONS);
    product.create();
    allow(&product, "events", 20_000_000);
    let values = SIZES.map(bad);
    for value in &values {
        let record = |value| Raw { partition: 0, key: "a", value, headers: &[("h", Some(b"x"))], timestamp_ms: 1_767_254_400_000 };
        write(&product, "events", &[record(value), record(GOOD)]);
    }
    let is_event = |record: &bellwether_kafka::Received<'_>| record.header("control").is_none();
    let journaled = || product.read("journal", PARTITIONS, is_event).into_iter().filter(|is_event| *is_event).count();
    let mut running = product.start("ingest", "ingest", 1);
    wait_until(&product, "ingest", &mut running, "both good ones are journaled", || journaled() == 2);
    assert_eq!(running.stop(), Some(0));

    let listed = |limit: usize| -> Vec<serde_json::Value> {
        let lines = lines(&command(&product, &["dlq", "list", "--json", "--limit", &limit.to_string()]));
        let letters: Vec<serde_json::Value> = lines.iter().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
        check("dlq-list", &letters);
        letters
    };
    let shape = |letter: &serde_json::Value| {
        let value = letter["value_base64"].as_str().map(|text| STANDARD.decode(text).expect("it is base64")).expect("it is no text");
        (letter["offset"].as_u64(), value, letter["size"].as_u64())
    };
    let mut letters: Vec<_> = listed(10).iter().map(shape).collect();
    letters.sort_unstable();
    let whole = (SIZES[1] + "a".len() + "hx".len()) as u64;
    assert!(letters == [(Some(0), values[0].clone(), None), (Some(3), values[1][..65_536].to_vec(), Some(whole))], "letters are others");
    let table = lines(&command(&product, &["dlq", "list"])).join(" ");
    assert!(table.contains("9,000,003"), "{table}");

    let replayed = command(&product, &["dlq", "replay"]);
    assert_eq!(lines(&replayed), [format!("1 {}", product.topic("events"))]);
    assert!(told(&replayed).contains("1 hold only the beginning"), "{}", told(&replayed));
    assert_eq!(count(&product, &values[0]), 2);

    // The same record beside a topic of dead letters that takes less.
    allow(&product, "dead-letters", 200_000);
    let mut running = product.start("ingest", "ingest", 1);
    wait_until(&product, "ingest", &mut running, "it is refused again", || self::letters(&product) == 3);
    assert_eq!(running.stop(), Some(0));
    let sizes: Vec<_> = listed(10).iter().filter(|letter| letter["size"] == SIZES[0] + 3).map(shape).collect();
    assert!(matches!(&sizes[..], [(_, value, _)] if values[0].starts_with(value) && value.len() == 25_000), "{} letters", sizes.len());
}

#[test]
fn a_replay_that_is_killed_puts_back_the_rest_and_nothing_twice() {
    const LETTERS: usize = 24_000;
    let product = Product::new(Broker::shared().bootstrap(), "dlq-kill", PARTITIONS);
    product.create();
    let events = product.topic("events");
    let headers: [(&str, Option<&[u8]>); 5] = [
        (header::REASON, Some(b"invalid_json")),
        (header::MESSAGE, Some(b"")),
        (header::TOPIC, Some(events.as_bytes())),
        (header::PARTITION, Some(b"0")),
        (header::OFFSET, Some(b"0")),
    ];
    let values: Vec<String> = (0..LETTERS).map(|number| format!("{{broken {number}")).collect();
    let letter = |(partition, value)| Raw { partition, key: "", value, headers: &headers, timestamp_ms: 1_767_254_400_000 };
    let partitions = (0..i32::from(PARTITIONS)).cycle();
    let records: Vec<Raw<'_>> = partitions.zip(values.iter().map(String::as_bytes)).map(letter).collect();
    write(&product, "dead-letters", &records);
    let (mut random, mut ends, mut killed) = (Random(31), Ends::new(&product, "events", 1), 0);
    while killed < 3 {
        let mut replay = start(&product, &["dlq", "replay"]);
        let before = ends.sum();
        while ends.sum() == before && replay.try_wait().is_ok_and(|ended| ended.is_none()) {
            sleep(Duration::from_millis(5));
        }
        sleep(Duration::from_millis(random.below(40)));
        replay.kill().expect("it can be killed");
        assert!(!replay.wait().expect("it has ended").success(), "it was over before it was killed {killed} times");
        killed += 1;
    }
    command(&product, &["dlq", "replay"]);
    let mut found: Vec<String> = product.read("events", 1, |record| String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned());
    found.sort_unstable();
    let mut expected = values;
    expected.sort_unstable();
    assert!(found == expected, "{} of {LETTERS}", found.len());
}
