//! Folding a log: straight, or cut and reloaded at every chance, over any number of partitions.

use std::sync::Arc;

use bellwether_codec::rendered::Rendered;
use bellwether_codec::rules::RuleFile;
use bellwether_codec::state::{decode_customer, decode_header, encode_customer, encode_header};
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::Time;

use crate::company::Random;

/// The default rule pack.
#[must_use]
pub fn default_rules() -> Arc<RuleSet> {
    let text = include_str!("../../deploy/rules/default.yaml");
    match RuleFile::parse("default.yaml", text) {
        Ok(file) => Arc::new(file.rule_set(1)),
        Err(errors) => panic!("{errors}"),
    }
}

/// How to cut a fold into pieces.
#[derive(Clone, Copy, Debug)]
pub enum Cuts {
    /// Not at all.
    None,
    /// At random: after records and between reviews; at each cut everything goes through its stored form.
    Random(u64),
}

/// The signals of a log, one line each, sorted; decisions too.
#[must_use]
pub fn signals(events: &[Event<'_>], rules: &Arc<RuleSet>, partitions: u16, until: Time, cuts: Cuts) -> Vec<String> {
    let mut lines: Vec<String> =
        fold(events, rules, partitions, until, cuts).1.iter().flat_map(|outputs| lines_of(outputs.clone())).collect();
    lines.sort();
    lines
}

/// The partitions after a log, and what each has put out. The watermark of a record is the largest time so far.
#[must_use]
pub fn fold(events: &[Event<'_>], rules: &Arc<RuleSet>, partitions: u16, until: Time, cuts: Cuts) -> (Vec<Partition>, Vec<Vec<Output>>) {
    let mut folded: Vec<Partition> = (0..partitions).map(|_| Partition::new(rules.clone(), Header::default())).collect();
    let mut outputs: Vec<Vec<Output>> = vec![Vec::new(); usize::from(partitions)];
    let mut random = Random(if let Cuts::Random(seed) = cuts { seed } else { 0 });
    let mut watermark = Time::MIN;
    for event in events {
        watermark = watermark.max(event.time);
        let key = CustomerKey::of(&event.customer);
        let number = usize::from(key.partition(partitions));
        let record = Record { watermark, payload: Payload::Event { event, key, identity: event.identity() } };
        apply(&mut folded[number], &record, cuts, &mut random, &mut outputs[number]);
    }
    for (partition, outputs) in folded.iter_mut().zip(&mut outputs) {
        apply(partition, &Record { watermark: until, payload: Payload::Tick }, cuts, &mut random, outputs);
    }
    (folded, outputs)
}

/// Lines of outputs, in order.
#[must_use]
pub fn lines_of(mut outputs: Vec<Output>) -> Vec<String> {
    let mut rendered = Rendered::default();
    rendered.take(&mut outputs);
    let text = String::from_utf8([rendered.signals, rendered.decisions].concat()).expect("JSON is UTF-8");
    text.lines().map(str::to_owned).collect()
}

fn apply(partition: &mut Partition, record: &Record<'_>, cuts: Cuts, random: &mut Random, outputs: &mut Vec<Output>) {
    loop {
        let mut budget = if let Cuts::Random(_) = cuts { random.below(4) + 1 } else { u64::MAX };
        let progress = partition.apply(record, &mut budget, outputs);
        assert!(!progress.is_poisoned(), "folding panicked");
        if let Cuts::Random(_) = cuts
            && random.one_in(10)
        {
            *partition = stored_and_loaded(partition);
        }
        if progress == Progress::Done {
            return;
        }
    }
}

/// A partition as it comes back from its stored form, with every customer in memory.
#[must_use]
pub fn stored_and_loaded(partition: &Partition) -> Partition {
    let mut bytes = Vec::new();
    encode_header(&partition.header, &mut bytes).expect("a header encodes");
    let mut loaded = Partition::new(partition.rules().clone(), decode_header(&bytes).expect("a header decodes"));
    for customer in partition.customers() {
        encode_customer(customer, &mut bytes).expect("a state encodes");
        loaded.insert_timer(customer.next_review(), CustomerKey::of(&customer.id));
        loaded.insert(decode_customer(&bytes).expect("a state decodes"));
    }
    loaded
}
