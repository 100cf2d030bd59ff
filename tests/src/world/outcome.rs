//! What a run comes to: lines of signals, states, and the latest health of each customer.

use std::collections::BTreeMap;

use bellwether_backtest::replay::{Replayed, Sink};
use bellwether_codec::health_record::HealthRecord;
use bellwether_codec::rendered::Rendered;
use bellwether_codec::state::encode_customer;
use bellwether_engine::customer::Customer;
use bellwether_engine::event::CustomerKey;
use bellwether_store::Store;

use super::PARTITIONS;

/// The latest health record of each customer, as far as it is compared; none for a customer that was erased.
pub type LatestHealth = BTreeMap<String, Option<HealthRecord>>;

/// A record of the health topic: the customer, and what it says.
///
/// # Panics
///
/// When it is none.
#[must_use]
pub fn latest_health(key: Option<&[u8]>, value: Option<&[u8]>) -> (String, Option<HealthRecord>) {
    let key = String::from_utf8(key.expect("a health record has a key").to_vec()).expect("a customer id is text");
    let record: Option<HealthRecord> = value.map(|value| serde_json::from_slice(value).expect("a health record reads"));
    assert!(record.iter().all(|record| record.customer == key), "the key is the customer: {key}, {record:?}");
    (key, record.map(comparable))
}

/// The health that the states say.
pub(super) fn health_of(replayed: &Replayed) -> LatestHealth {
    let mut all = LatestHealth::new();
    for partition in &replayed.partitions {
        let health = |customer: &Customer| (customer.id.to_string(), Some(comparable(HealthRecord::of(customer, partition.rules()))));
        all.extend(partition.customers().map(health));
    }
    all
}

/// A record without what depends on when it was written.
fn comparable(record: HealthRecord) -> HealthRecord {
    HealthRecord { as_of: String::new(), health_contributions: Vec::new(), top_driver: None, ..record }
}

/// Encoded states by partition and customer.
pub type States = BTreeMap<(u16, u128), Vec<u8>>;

pub(super) fn states_of(replayed: &Replayed) -> States {
    let mut states = States::new();
    for (partition, number) in replayed.partitions.iter().zip(0..) {
        for customer in partition.customers() {
            let mut bytes = Vec::new();
            encode_customer(customer, &mut bytes).expect("a state encodes");
            states.insert((number, CustomerKey::of(&customer.id).0), bytes);
        }
    }
    states
}

/// The states that a store holds.
#[must_use]
pub fn states_in(store: &Store) -> States {
    let of_partition = |number| store.all_states(number, 0).map(move |state| state.map(|(key, bytes)| ((number, key), bytes)));
    (0..PARTITIONS).flat_map(of_partition).collect::<Result<_, _>>().expect("the store reads")
}

/// A signal in binary mode as the line of a signals file.
///
/// # Panics
///
/// When it is none.
#[must_use]
pub fn line_of(headers: &[(String, Option<Vec<u8>>)], value: Option<&[u8]>) -> String {
    let find = |name: &str| headers.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref());
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).expect("attributes are text");
    let header = |name: &str| text(find(name).expect("every attribute is there"));
    let attribute = |name: &str| format!("\"{name}\":\"{}\",", header(&format!("ce_{name}")));
    let attributes = ["specversion", "id", "source", "type", "subject", "time"].map(attribute).concat();
    let traceparent = find("ce_traceparent").map(text);
    assert_eq!(traceparent, find("traceparent").map(text), "both headers say the same");
    let traceparent = traceparent.map(|value| format!("\"traceparent\":\"{value}\",")).unwrap_or_default();
    let data = String::from_utf8(value.expect("a signal has data").to_vec()).expect("data are text");
    format!("{{{attributes}\"datacontenttype\":\"{}\",{traceparent}\"data\":{data}}}", header("content-type"))
}

#[derive(Default)]
pub(super) struct Lines(pub(super) Vec<String>);

impl Sink for Lines {
    fn append(&mut self, rendered: &Rendered) -> std::io::Result<()> {
        let text = String::from_utf8([&rendered.signals[..], &rendered.decisions].concat()).expect("signals are text");
        self.0.extend(text.lines().map(str::to_owned));
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        self.0.clear();
        Ok(())
    }

    fn progress(&mut self, _bytes_read: u64, _bytes_total: u64, _lines: u64) {}
}
