//! Whose users there are is known again after a restart: from the journal.

use std::fs;

use bellwether_tests::broker::Broker;
use bellwether_tests::product::Product;

use crate::support::{Raw, wait_until, write};

const PARTITIONS: u16 = 2;

/// A source whose records tell the user alone.
fn settings(product: &Product) -> String {
    format!(
        "    - name: clicks
      topics: [{}]
      format: mapped
      mapping:
        type: {{ constant: usage }}
        id: /id
        source: {{ constant: /clicks }}
        subject: {{ at: /user, as: customer_of_user }}
        time: /time
        data: {{ feature: {{ constant: click }}, user: /user }}
  user_lookup: {{ learn: true }}
",
        product.topic("clicks")
    )
}

fn write_one(product: &Product, topic: &str, value: &str) {
    write(product, topic, &[Raw { partition: 0, key: "", value: value.as_bytes(), headers: &[], timestamp_ms: 1_767_254_400_000 }]);
}

fn click(product: &Product, id: &str) {
    write_one(product, "clicks", &format!(r#"{{"id":"{id}","user":"ann","time":"2026-01-01T08:00:00Z"}}"#));
}

/// The customers of the clicks in the journal.
fn customers(product: &Product) -> Vec<String> {
    let customer = |record: &bellwether_kafka::Received<'_>| {
        let event: serde_json::Value = serde_json::from_slice(record.value?).ok()?;
        (event["type"] == "usage").then(|| event["subject"].as_str().map(str::to_owned))?
    };
    product.read("journal", PARTITIONS, customer).into_iter().flatten().collect()
}

#[test]
fn users_are_known_after_a_restart() {
    let mut product = Product::new(Broker::shared().bootstrap(), "lookup", PARTITIONS);
    product.more_settings = settings(&product);
    product.create();
    product.create_input("clicks");
    click(&product, "0");
    let mut running = product.start("ingest", "ingest", 2);
    let letters =
        || product.read("dead-letters", PARTITIONS, |record| String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned());
    wait_until(&product, "ingest", &mut running, "a click of nobody known is refused", || letters().len() == 1);
    write_one(
        &product,
        "events",
        r#"{"specversion":"1.0","id":"i","source":"/a","type":"user.invited","subject":"acme","time":"2026-01-01T07:00:00Z","data":{"user":"ann"}}"#,
    );
    let invited = || product.read("journal", PARTITIONS, |record| record.key == Some(b"acme")).contains(&true);
    wait_until(&product, "ingest", &mut running, "the invitation is journaled", invited);
    click(&product, "1");
    wait_until(&product, "ingest", &mut running, "the click is journaled", || customers(&product) == ["acme"]);
    assert_eq!(running.stop(), Some(0));

    click(&product, "2");
    let mut running = product.start("ingest", "ingest", 2);
    wait_until(&product, "ingest", &mut running, "the click is taken in", || customers(&product).len() + letters().len() == 3);
    assert_eq!(running.stop(), Some(0));
    assert_eq!((customers(&product), letters().len()), (vec!["acme".to_owned(), "acme".to_owned()], 1));
    let log = fs::read_to_string(product.log("ingest")).expect("it has logged");
    assert!(!log.contains("ERROR"), "{log}");
}

/// Events in the headers of their records, and users whose customers stand in a file.
#[test]
fn events_in_headers_and_users_of_a_file_come_into_the_journal() {
    let mut product = Product::new(Broker::shared().bootstrap(), "headers", PARTITIONS);
    let users = product.directory.path().join("users.csv");
    fs::write(&users, "user,customer\nann,acme\n").expect("it can be written");
    let native = format!("    - {{ name: native, topics: [{}], format: binary }}\n", product.topic("native"));
    product.more_settings = native + &settings(&product).replace("{ learn: true }", &format!("{{ file: {} }}", users.display()));
    product.create();
    ["clicks", "native"].iter().for_each(|input| product.create_input(input));
    let headers = |kind: &'static str| {
        [("ce_specversion", "1.0"), ("ce_id", "n"), ("ce_source", "/n"), ("ce_subject", "acme"), ("ce_type", kind)]
            .map(|(name, value)| (name, Some(value.as_bytes())))
    };
    for kind in ["login", "no.such.type"] {
        let record = Raw { partition: 0, key: "", value: br#"{"user":"bob"}"#, headers: &headers(kind), timestamp_ms: 1_767_254_400_000 };
        write(&product, "native", &[record]);
    }
    click(&product, "1");
    let event = |record: &bellwether_kafka::Received<'_>| {
        let event: serde_json::Value = serde_json::from_slice(record.value?).ok()?;
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        Some((text("type")?, text("subject")?, text("time")?))
    };
    let events = || {
        let mut events: Vec<_> = product.read("journal", PARTITIONS, event).into_iter().flatten().collect();
        events.sort_unstable();
        events
    };
    let letters = || {
        product
            .read("dead-letters", PARTITIONS, |record| String::from_utf8_lossy(record.header("ce_type").unwrap_or_default()).into_owned())
    };
    let mut running = product.start("ingest", "ingest", 1);
    wait_until(&product, "ingest", &mut running, "all is taken in", || events().len() == 2 && letters().len() == 1);
    assert_eq!(running.stop(), Some(0));
    // An event without a time has that of its record.
    let expected = [("login", "acme", "2026-01-01T08:00:00Z"), ("usage", "acme", "2026-01-01T08:00:00Z")]
        .map(|(kind, customer, time)| (kind.to_owned(), customer.to_owned(), time.to_owned()));
    assert_eq!((events().as_slice(), letters()), (&expected[..], vec!["no.such.type".to_owned()]));
}
