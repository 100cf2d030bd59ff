//! Erasure beside a real broker: the customer is gone from states and health, and nothing that comes late brings it back.

use std::fs;

use bellwether_codec::state::decode_header;
use bellwether_engine::event::Event;
use bellwether_engine::time::Time;
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::{Product, succeeded};

use crate::keeping::{committed, everything, process_the_rest, run_over};
use crate::support::{journaled, wait_until};

const PARTITIONS: u16 = 4;

/// A customer whose name is found wherever it stands.
const CANARY: &str = "canary-5c1f";

/// Lines about the customer.
fn told(product: &Product) -> Vec<String> {
    product.published().into_iter().filter(|line| line.contains(CANARY)).collect()
}

/// Processes all that is in the journal, of which nothing comes any more.
fn process_all(product: &Product, instance: &str) {
    let mut ends = vec![0; usize::from(PARTITIONS)];
    for (partition, offset) in product.read("journal", PARTITIONS, |record| (record.at.partition as usize, record.offset)) {
        ends[partition] = ends[partition].max(offset + 1);
    }
    let mut running = [(instance, product.start(instance, "process", 2))];
    wait_until(product, &mut running, "all is processed", || committed(product).iter().zip(&ends).all(|(committed, end)| committed >= end));
    let [(_, running)] = running;
    assert_eq!(running.stop(), Some(0));
    process_the_rest(product, instance);
}

/// How many events a stopped instance has folded.
fn folded(product: &Product, instance: &str) -> u64 {
    let headers = everything(product, instance).into_iter().map(|(_, header, ..)| decode_header(&header).expect("it decodes"));
    headers.map(|header| header.aggregates.events).sum()
}

/// How often the customer's name stands in the states of a stopped instance, and how many late events were dropped.
fn found(product: &Product, instance: &str) -> (usize, u64) {
    let (mut names, mut stragglers) = (0, 0);
    for (_, header, states, _) in everything(product, instance) {
        let all = states.iter().map(|(_, bytes)| bytes).chain([&header]);
        names += all.filter(|bytes| bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())).count();
        stragglers += decode_header(&header).expect("it decodes").aggregates.stragglers;
    }
    (names, stragglers)
}

#[test]
fn who_is_erased_stays_so() {
    let product = Product::new(Broker::shared().bootstrap(), "erased", PARTITIONS);
    product.create();
    let mut events = company(71, 30, 60);
    events.iter_mut().filter(|event| event.customer == "c-3").for_each(|event| event.customer = CANARY.into());
    let last = events.last().expect("something happens").time;
    run_over(&product, "all", &events);
    process_all(&product, "all");
    assert_eq!(found(&product, "all"), (1, 0), "the customer has a state");
    let before = told(&product);
    assert!(!before.is_empty());
    assert!(product.latest_health().get(CANARY).is_some_and(Option::is_some), "and a health record");

    let erase = product.bellwether(&["erase", CANARY, "--time", "2024-03-02", "--config"], &[&product.configuration("setup")]);
    succeeded(&erase);
    assert!(last < Time(1_709_337_600_000), "all events are before the erasure");
    let mut running = [("all", product.start("all", "all", 2))];
    wait_until(&product, &mut running, "the health record is a tombstone", || product.latest_health().get(CANARY) == Some(&None));
    let after = told(&product);
    assert!(after.len() >= before.len() && after.iter().filter(|line| !before.contains(line)).all(|line| line.contains("signal.expired")));

    // What was on its way comes late.
    let late = events.iter().filter(|event| event.customer == CANARY).take(20).enumerate();
    let late: Vec<Event<'_>> = late.map(|(number, event)| Event { id: format!("late-{number}").into(), ..event.clone() }).collect();
    let count = journaled(&product, PARTITIONS).len() + late.len();
    product.produce(&late);
    wait_until(&product, &mut running, "it is journaled", || journaled(&product, PARTITIONS).len() >= count);
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    process_all(&product, "all");
    assert_eq!(found(&product, "all"), (0, late.len() as u64), "no state, and each late event is counted");
    assert_eq!(told(&product), after, "nothing more is told");
    assert_eq!(product.latest_health().get(CANARY), Some(&None));
    assert!(assert_as_replayed_but_for_the_erased(&product) > 20);

    // An instance without a disk makes the same of the journal.
    process_all(&product, "fresh");
    assert_eq!(found(&product, "fresh").0, 0);
    let theirs = events.iter().filter(|event| event.customer == CANARY).count() as u64;
    assert_eq!(folded(&product, "all") - folded(&product, "fresh"), theirs, "it never folds who is erased");
    let (all, fresh) = (everything(&product, "all"), everything(&product, "fresh"));
    for ((position, _, states, timers), (same_position, _, same_states, same_timers)) in all.iter().zip(&fresh) {
        assert!(position == same_position && states == same_states && timers == same_timers);
    }
    assert!(!fs::read_to_string(product.log("fresh")).expect("it has logged").contains("ERROR"));
}

/// A replay reads the records of the erased as blanks, so that what was told of them before is not in it.
fn assert_as_replayed_but_for_the_erased(product: &Product) -> usize {
    let published: Vec<String> = product.published().into_iter().filter(|line| !line.contains(CANARY)).collect();
    let replayed = product.replayed();
    assert!(replayed.iter().all(|line| !line.contains(CANARY)));
    assert!(published == replayed);
    published.len()
}
