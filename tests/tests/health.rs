//! Records of the health topic: a new one is written exactly when what the last one says has changed.

use std::collections::BTreeMap;

use bellwether_codec::health_record::{HealthRecord, digest};
use bellwether_engine::event::{Body, CustomerKey, Event};
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::time::Time;
use bellwether_tests::company::company;
use bellwether_tests::folding::default_rules;

/// What a digest stands for.
fn told(partition: &Partition) -> BTreeMap<String, (HealthRecord, u64)> {
    let mut scratch = Vec::new();
    let mut one = |customer: &bellwether_engine::customer::Customer| {
        let record = HealthRecord::of(customer, partition.rules());
        let record = HealthRecord { as_of: String::new(), health_contributions: Vec::new(), top_driver: None, ..record };
        (customer.id.to_string(), (record, digest(customer, partition.rules(), &mut scratch)))
    };
    partition.customers().map(&mut one).collect()
}

#[test]
fn digests_differ_exactly_where_records_do() {
    let mut partition = Partition::new(default_rules(), Header::default());
    let mut events = company(3, 4, 120);
    let last = events[events.len() - 1].clone();
    events.push(Event { id: "erasure".into(), body: Body::Erased, ..last });
    let (mut watermark, mut before) = (Time::MIN, BTreeMap::new());
    let (mut same, mut different) = (0, 0);
    for event in &events {
        watermark = watermark.max(event.time);
        let payload = Payload::Event { event, key: CustomerKey::of(&event.customer), identity: event.identity() };
        let progress = partition.apply(&Record { watermark, payload }, &mut u64::MAX.clone(), &mut Vec::new());
        assert_eq!(progress, Progress::Done);
        let after = told(&partition);
        for (customer, (record, digest)) in &after {
            let Some((record_before, digest_before)) = before.get(customer) else { continue };
            assert_eq!(record == record_before, digest == digest_before, "{customer}: {record_before:?}, then {record:?}");
            *if record == record_before { &mut same } else { &mut different } += 1;
        }
        before = after;
    }
    assert_eq!(before.len(), 3, "of four customers one is erased");
    assert!(same > 1_000 && different > 100, "{same} looks saw the same, {different} saw a difference");
}
