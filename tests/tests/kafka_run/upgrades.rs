//! A newer fold over the states and offsets of an older one: everything is made anew in silence, and goes on.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_codec::state::FOLD_VERSION;
use bellwether_kafka::{BrokerClient, BrokerOptions, Client, Polled, TopicPartition, Transaction};
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::former_fold::age;
use bellwether_tests::product::Product;

use crate::keeping::{committed, everything, process_the_rest, run_over, stands};
use crate::support::{LONG, assert_as_replayed, log};

const PARTITIONS: u16 = 4;

/// Kills that must fall into a rebuild.
const KILLS_AMID_REBUILD: usize = 3;

/// The most kills, should the machine be so fast that few of them fall there.
const MOST_KILLS: usize = 30;

#[test]
fn what_an_older_fold_has_left_is_made_anew_and_nothing_is_told_twice() {
    let product = Product::new(Broker::shared().bootstrap(), "upgrade", PARTITIONS);
    product.create();
    let events = company(31, 60, 90);
    let (first, second) = events.split_at(events.len() / 2);
    run_over(&product, "all", first);
    let before = product.published();
    assert!(before.len() > 50);
    age(&product.data("all").join("state"));
    let versions = age_offsets(&product);
    assert_eq!(versions, usize::from(PARTITIONS), "the offsets are of an older fold");

    // Killed while it catches up: what is made anew stays, and the next start goes on with it.
    let (mut kills, mut amid, mut said) = (0, 0, String::new());
    while amid < KILLS_AMID_REBUILD {
        assert!(kills < MOST_KILLS, "only {amid} of {kills} kills fell into a rebuild");
        fs::remove_file(product.log("all")).expect("it has logged");
        let instance = product.start("all", "process", 1);
        let started = Instant::now();
        while !log(&product, "all").contains("catching up") {
            assert!(started.elapsed() < LONG, "it never begins\n{}", log(&product, "all"));
            sleep(Duration::from_millis(5));
        }
        instance.kill();
        kills += 1;
        said += &log(&product, "all");
        let behind = stands(&product, "all").iter().zip(committed(&product)).filter(|(stands, committed)| **stands < *committed).count();
        amid += usize::from(behind > 0);
        if behind == 0 {
            age(&product.data("all").join("state"));
        }
    }
    run_over(&product, "all", second);
    process_the_rest(&product, "all");
    said += &fs::read_to_string(product.log("all")).expect("it has logged");
    let told: Vec<&str> = said.lines().filter(|line| line.contains("older version of the fold")).collect();
    let versions = [format!("from_version={}", FOLD_VERSION - 1), format!("to_version={FOLD_VERSION}")];
    assert!(
        !told.is_empty() && told.iter().all(|line| line.contains("WARN") && versions.iter().all(|version| line.contains(version))),
        "{said}"
    );
    assert!(!said.contains("ERROR") && !said.contains("damaged"), "{}", log(&product, "all"));
    assert!(assert_as_replayed(&product) > before.len());
    let published = product.published();
    assert!(before.iter().all(|line| published.binary_search(line).is_ok()), "what was told stays");
    process_the_rest(&product, "fresh");
    assert!(everything(&product, "fresh") == everything(&product, "all"), "states made anew are those of an instance that begins");
}

/// Commits the same positions again, as an older fold has them. Returns how many there are.
fn age_offsets(product: &Product) -> usize {
    let group_id = format!("{}-process", product.application);
    let transactional_id = format!("{group_id}-older");
    let subscription = vec![product.topic("journal")];
    let options = BrokerOptions { connection: product.connection(), group_id, group_instance_id: None, transactional_id, subscription };
    let mut client = BrokerClient::new(options).unwrap_or_else(|error| panic!("{error}"));
    let all: Vec<_> = (0..PARTITIONS).map(|number| TopicPartition::new(product.topic("journal"), i32::from(number))).collect();
    let mut missing = all.len();
    while missing > 0 {
        let polled = client.poll(&mut Default::default(), 1, 1, Duration::from_millis(100)).unwrap_or_else(|error| panic!("{error}"));
        if let Polled::Assigned(partitions) = polled {
            missing -= partitions.len();
        }
    }
    let committed = client.committed(&all).unwrap_or_else(|error| panic!("{error}"));
    let mut transaction = Transaction::default();
    let (own, older) = (format!("\"fold\":{FOLD_VERSION}"), format!("\"fold\":{}", FOLD_VERSION - 1));
    let mut aged = 0;
    for (at, committed) in all.into_iter().zip(committed) {
        let mut committed = committed.expect("something is committed");
        aged += committed.metadata.matches(&own).count();
        committed.metadata = committed.metadata.replace(&own, &older);
        transaction.commit_offset(at, committed);
    }
    client.commit(&transaction).unwrap_or_else(|error| panic!("{error}"));
    aged
}
