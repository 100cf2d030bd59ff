//! Exactly once under fire: while events come, workers, brokers and connections fail, one after the other and together.

use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use bellwether_tests::broker::Broker;
use bellwether_tests::company::Random;
use bellwether_tests::feed::Feed;
use bellwether_tests::product::{INPUT_PARTITIONS, Product};
use bellwether_tests::proxy::Proxy;

use crate::fleet::Fleet;
use crate::mishaps::{Ground, Mishap, Mishaps};
use crate::progress::Progress;
use crate::raw::{Inputs, inputs};
use crate::support::{LONG, assert_as_replayed, event_id, journaled, wait_until_within};

const PARTITIONS: u16 = 12;

/// Events, unless `BELLWETHER_FIRE_EVENTS` says how many: it takes about five minutes on two cores.
const EVENTS: usize = 1_000_000;

/// Events that come while one mishap happens, at most.
const PIECE: usize = 40_000;

/// Every kind of mishap has its turn within so many.
const MIN_PIECES: usize = 16;

/// Events of one transaction of the producer.
const CHUNK: usize = 500;

/// Answers of which one is late, or lost.
const LATE_ONE_IN: u64 = 12;
const LOST_ONE_IN: u64 = 15;

#[test]
fn exactly_once_under_fire() {
    let seed = number_of("BELLWETHER_FIRE_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let events = number_of("BELLWETHER_FIRE_EVENTS").map_or(EVENTS, |events| usize::try_from(events).expect("memory holds them"));
    println!("seed {seed}, {events} events");
    let mut broker = Broker::start();
    let proxied = broker.proxied();
    let proxy = Proxy::start(proxied.told, proxied.target, seed);
    let product = Product::new(broker.bootstrap(), "fire", PARTITIONS);
    product.create();
    let product = product.reached_through(format!("127.0.0.1:{}", proxied.told));
    let inputs = inputs(seed, events);
    assert!(inputs.records.len() >= events, "{} inputs", inputs.records.len());
    let mut progress = Progress::of(&product, PARTITIONS);

    let mut fleet = Fleet::new(&product);
    fleet.scale(1);
    proxy.misbehave(LATE_ONE_IN, LOST_ONE_IN);
    let ground = Ground { broker: &mut broker, proxy: &proxy, fleet: &mut fleet };
    let mishaps = under_fire(seed, ground, &product, &inputs, &mut progress);
    let answers = proxy.answers();
    proxy.misbehave(0, 0);
    println!("mishaps: {mishaps:?}\nanswers: {answers:?}");

    let during = progress.count();
    settle(&product, &mut fleet, &inputs);
    let after = progress.count();
    println!("during the faults: {during:?}, after them: {after:?}");
    assert!(during.journaled * JOURNALED_DURING >= inputs.ids.len(), "most events were journaled after the faults");
    assert!(during.published >= PUBLISHED_DURING, "hardly a signal was published during the faults");
    if product.published().len() != product.replayed().len() {
        println!("{}", fleet.told_of_transactions());
    }
    let signals = assert_as_replayed(&product);
    println!("{} inputs, {} dead letters, {signals} signals and decisions", inputs.records.len(), inputs.bad.len());
    for mishap in Mishap::ALL {
        assert!(mishaps.count(mishap) > 0, "{mishap:?} never happened");
    }
    assert!(answers.iter().all(|(_, answers)| answers.late > 0 && answers.lost > 0), "{answers:?}");
    assert!(signals > 1_000, "there was little to publish twice: {signals}");
}

/// One in so many events is journaled while things go wrong, at least, and so many signals are published.
const JOURNALED_DURING: usize = 3;
const PUBLISHED_DURING: usize = 500;

/// Pieces of the events come, and each meets a mishap; the next one comes when work has gone on.
fn under_fire(seed: u64, mut ground: Ground<'_, '_>, product: &Product, inputs: &Inputs, progress: &mut Progress) -> Mishaps {
    let mut came = 0;
    let mut mishaps = Mishaps::new(Random(seed ^ 1));
    let mut feed = Feed::new(product.connection(), &product.topic("events"), INPUT_PARTITIONS);
    for piece in inputs.records.chunks(PIECE.min(inputs.records.len() / MIN_PIECES)) {
        let started = Instant::now();
        let mishap = scope(|scope| {
            let writing = scope.spawn(|| piece.chunks(CHUNK).for_each(|chunk| feed.write(chunk)));
            sleep(mishaps.wait());
            let mishap = mishaps.happen(&mut ground);
            writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            mishap
        });
        let over = started.elapsed();
        came += piece.len();
        progress.wait_for(came, ground.fleet);
        println!("{mishap:?}: {} s, and {} s until work has gone on", over.as_secs(), (started.elapsed() - over).as_secs());
        ground.fleet.assert_alive();
    }
    mishaps
}

/// Everything is taken in, then time stands still, then everything is processed.
fn settle(product: &Product, fleet: &mut Fleet<'_>, inputs: &Inputs) {
    let started = Instant::now();
    let limit = LONG + Duration::from_millis(inputs.records.len() as u64);
    let (mut journal, mut letters) = (product.tail("journal", PARTITIONS), product.tail("dead-letters", PARTITIONS));
    let (mut journaled_events, mut refused) = (0, 0);
    while journaled_events < inputs.ids.len() || refused < inputs.bad.len() {
        fleet.assert_alive();
        let told = || format!("{journaled_events} journaled, {refused} refused of {}\n{}", inputs.records.len(), fleet.logs());
        assert!(started.elapsed() < limit, "{}", told());
        sleep(Duration::from_secs(1));
        journal.read_on(|record| journaled_events += usize::from(event_id(record).is_some()));
        letters.read_on(|_| refused += 1);
    }
    println!("taken in: {} s", started.elapsed().as_secs());
    fleet.stop();
    assert!(journaled(product, PARTITIONS) == inputs.ids, "the journal has each event as often as it came");
    assert!(dead_letters(product) == inputs.bad, "the dead letters have each bad record once");
    let count = product.replayed().len();
    let mut running = [("i1", product.start("i1", "process", 2))];
    let mut before = 0;
    wait_until_within(limit, product, &mut running, "all is processed", || {
        let published = product.published().len();
        if published != before {
            println!("published {published} of {count}: {} s", started.elapsed().as_secs());
        }
        before = published;
        published >= count
    });
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    println!("processed: {} s", started.elapsed().as_secs());
}

fn dead_letters(product: &Product) -> Vec<Vec<u8>> {
    let mut values = product.read("dead-letters", PARTITIONS, |record| record.value.unwrap_or_default().to_vec());
    values.sort_unstable();
    values
}

fn number_of(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} is no number: {value}")))
}
