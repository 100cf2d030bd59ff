//! An orderly stop while nobody answers: it ends soon, and nothing is lost.

use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::{Product, Running};

use crate::keeping::process_the_rest;
use crate::support::{assert_as_replayed, journaled, log, wait_until};

const PARTITIONS: u16 = 4;

/// By when an instance has ended that was told to stop: the longest call to Kafka is given up after 30 s, and the machine may be busy.
const STOPPED_WITHIN: Duration = Duration::from_secs(60);

/// Long enough that workers wait between tries, and are within calls.
const WITHOUT_BROKER: Duration = Duration::from_secs(3);

/// By when a broker that hung has done what it was asked meanwhile, transactions that nobody ends among it: they are over after 15 s.
const MARKS_WRITTEN: Duration = Duration::from_secs(20);

/// Tells an instance to stop and waits for its end.
#[track_caller]
fn stop(product: &Product, mut instance: Running) -> Option<i32> {
    let started = Instant::now();
    instance.signal("TERM");
    loop {
        if let Some(status) = instance.ended() {
            println!("ended after {:.1} s", started.elapsed().as_secs_f64());
            return status.code();
        }
        assert!(started.elapsed() < STOPPED_WITHIN, "it does not stop\n{}", log(product, "all"));
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_stop_without_a_broker_ends_in_good_order_and_nothing_is_lost() {
    let mut broker = Broker::start();
    let product = Product::new(broker.bootstrap(), "stopping", PARTITIONS);
    product.create();
    let events = company(61, 60, 90);
    let thirds: Vec<_> = events.chunks(events.len() / 3 + 1).collect();

    // The broker is gone: connections are refused.
    product.produce(thirds[0]);
    let mut running = [("all", product.start("all", "all", 2))];
    wait_until(&product, &mut running, "events are journaled", || !journaled(&product, PARTITIONS).is_empty());
    broker.kill();
    sleep(WITHOUT_BROKER);
    let [(_, instance)] = running;
    assert_eq!(stop(&product, instance), Some(0), "{}", log(&product, "all"));
    assert!(log(&product, "all").contains("Kafka does not do what it is asked to"), "the fault was felt\n{}", log(&product, "all"));
    broker.restart();

    // The broker hangs: connections stay, and nothing answers.
    product.produce(thirds[1]);
    let before = journaled(&product, PARTITIONS).len();
    let mut running = [("all", product.start("all", "all", 2))];
    wait_until(&product, &mut running, "more events are journaled", || journaled(&product, PARTITIONS).len() > before);
    broker.suspend();
    sleep(WITHOUT_BROKER);
    let [(_, instance)] = running;
    assert_eq!(stop(&product, instance), Some(0), "{}", log(&product, "all"));
    broker.resume();

    // Before there ever was an answer. Marks of transactions that the broker writes at last must not be cut off: alone as it is, it would forget them
    // for good, and with them all that is committed behind.
    sleep(MARKS_WRITTEN);
    broker.kill();
    let instance = product.start("all", "all", 2);
    sleep(WITHOUT_BROKER);
    let code = stop(&product, instance);
    assert!(matches!(code, Some(0 | 3)), "{code:?}\n{}", log(&product, "all"));
    broker.restart();

    product.produce(thirds[2]);
    let mut running = [("all", product.start("all", "all", 2))];
    wait_until(&product, &mut running, "all is journaled", || journaled(&product, PARTITIONS).len() >= events.len());
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    let mut expected: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
    expected.sort_unstable();
    assert_eq!(journaled(&product, PARTITIONS), expected, "each once");
    process_the_rest(&product, "all");
    assert!(assert_as_replayed(&product) > 50);
}
