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
