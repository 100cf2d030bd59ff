//! Stored states: what a stop leaves on the disk, what damage costs, and what comes back from snapshots.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use bellwether_kafka::{BrokerClient, BrokerOptions, Client, TopicPartition};
use bellwether_store::{Position, Store, StoreOptions};
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::Product;

use crate::support::{assert_as_replayed, journaled, log, wait_until};

const PARTITIONS: u16 = 4;

/// Everything that the fold has made in the store of a stopped instance.
pub type Everything = Vec<(Position, Vec<u8>, Vec<(u128, Vec<u8>)>, Vec<(i64, u128)>)>;

fn store(product: &Product, instance: &str) -> Store {
    Store::open(product.data(instance).join("state"), &StoreOptions::default()).expect("the store opens")
}

/// The offsets at which the partitions of a stopped instance stand.
pub fn stands(product: &Product, instance: &str) -> Vec<u64> {
    let store = store(product, instance);
    let offset = |number| store.header(number).expect("it reads").map_or(0, |header| header.position.offset);
    (0..PARTITIONS).map(offset).collect()
}

pub fn everything(product: &Product, instance: &str) -> Everything {
    let store = store(product, instance);
    let of_partition = |number| {
        let header = store.header(number).expect("it reads").expect("it was folded");
        let states = store.all_states(number, 0).collect::<Result<_, _>>().expect("they read");
        (header.position, header.body, states, store.timers(number).collect::<Result<_, _>>().expect("they read"))
    };
    (0..PARTITIONS).map(of_partition).collect()
}

/// The committed offsets of the journal.
pub fn committed(product: &Product) -> Vec<u64> {
    let mut client = BrokerClient::new(BrokerOptions {
        connection: product.connection(),
        group_id: format!("{}-process", product.application),
        group_instance_id: None,
        transactional_id: product.topic("asking"),
        subscription: Vec::new(),
    })
    .expect("the broker answers");
    let all: Vec<_> = (0..PARTITIONS).map(|number| TopicPartition::new(product.topic("journal"), i32::from(number))).collect();
    let committed = client.committed(&all).expect("the broker answers");
    committed.into_iter().map(|committed| committed.map_or(0, |committed| committed.offset)).collect()
}

/// Journals these many events of a company, and stops in good order when something of each partition is processed.
pub fn run_over(product: &Product, instance: &str, events: &[bellwether_engine::event::Event<'_>]) {
    let before = journaled(product, PARTITIONS).len();
    product.produce(events);
    let mut running = [(instance, product.start(instance, "all", 2))];
    wait_until(product, &mut running, "the events are journaled", || journaled(product, PARTITIONS).len() >= before + events.len());
    wait_until(product, &mut running, "partitions are processed", || committed(product).iter().all(|offset| *offset > 10));
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
}

/// Starts an instance again and again until it has processed all of the journal, and stops it.
pub fn process_the_rest(product: &Product, instance: &str) {
    let count = product.replayed().len();
    let mut running = [(instance, product.start(instance, "process", 2))];
    wait_until(product, &mut running, "all is processed", || product.published().len() >= count);
    let [(_, running)] = running;
    assert_eq!(running.stop(), Some(0));
    for _ in 0..30 {
        if stands(product, instance) == committed(product) {
            return;
        }
        let running = product.start(instance, "process", 2);
        sleep(Duration::from_secs(3));
        assert_eq!(running.stop(), Some(0));
    }
    panic!("it does not catch up\n{}", log(product, instance));
}

fn tables(product: &Product, instance: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(product.data(instance).join("state")).expect("the store is there").map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "sst")).collect()
}

#[test]
fn a_stop_leaves_everything_committed_in_files_and_a_start_replays_nothing() {
    let product = Product::new(Broker::shared().bootstrap(), "stop", PARTITIONS);
    product.create();
    run_over(&product, "all", &company(21, 20, 40));
    // What is only in the log of RocksDB would be replayed from there; nothing is.
    let store = product.data("all").join("state");
    for entry in fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_some_and(|extension| extension == "log") {
            assert_eq!(fs::metadata(&entry).unwrap().len(), 0, "{} holds what is in no table", entry.display());
        }
    }
    assert_eq!(stands(&product, "all"), committed(&product));
    fs::remove_file(product.log("all")).unwrap();
    let mut running = [("all", product.start("all", "process", 2))];
    let said = |text: &str| fs::read_to_string(product.log("all")).unwrap_or_default().matches(text).count();
    wait_until(&product, &mut running, "all partitions are opened", || said("nothing to replay") >= usize::from(PARTITIONS));
    assert_eq!(said("catching up"), 0);
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
}

#[test]
fn a_damaged_store_and_a_lost_disk_come_back_from_snapshots() {
    let mut product = Product::new(Broker::shared().bootstrap(), "damage", PARTITIONS);
    let snapshots = product.directory.path().join("snapshots");
    product.more_settings = format!("  snapshots: {{ to: {}, every: 1s, keep: 2 }}\n", snapshots.display());
    product.create();
    let events = company(22, 30, 60);
    let (first, second) = events.split_at(events.len() / 2);
    run_over(&product, "all", first);
    let listed = product.bellwether(&["snapshot", "list", "--from"], &[&snapshots]);
    assert!(listed.status.success() && String::from_utf8_lossy(&listed.stdout).lines().count() > usize::from(PARTITIONS), "{listed:?}");

    let tables = tables(&product, "all");
    assert!(!tables.is_empty());
    for table in &tables {
        let mut bytes = fs::read(table).unwrap();
        // The data, not what a table says about itself: it opens, and is found out when it is read.
        let data = bytes.len() / 2;
        bytes[..data].iter_mut().step_by(100).for_each(|byte| *byte ^= 0x40);
        fs::write(table, bytes).unwrap();
    }
    run_over(&product, "all", second);
    process_the_rest(&product, "all");
    assert!(product.data("all").join("state.damaged-1").is_dir(), "{}", log(&product, "all"));
    assert!(!product.data("all").join("state.damaged-2").exists(), "{}", log(&product, "all"));
    let told = fs::read_to_string(product.log("all")).unwrap();
    assert_eq!(told.matches("the store is damaged and was moved aside").count(), 1);
    assert!(told.contains("restored from a snapshot"), "{told}");
    assert!(assert_as_replayed(&product) > 50);

    // The same bytes as those of instances that have never had a disk: one with snapshots, one without.
    let everything = |instance: &str| {
        process_the_rest(&product, instance);
        self::everything(&product, instance)
    };
    let from_snapshots = everything("moved");
    assert!(fs::read_to_string(product.log("moved")).unwrap().contains("restored from a snapshot"));
    assert!(from_snapshots == self::everything(&product, "all"));
    let mut without = product;
    without.more_settings = String::new();
    process_the_rest(&without, "fresh");
    assert!(from_snapshots == self::everything(&without, "fresh"));
    assert!(assert_as_replayed(&without) > 50);
}

#[test]
fn snapshots_taken_and_restored_by_hand_bring_a_lost_disk_back() {
    let product = Product::new(Broker::shared().bootstrap(), "by-hand", PARTITIONS);
    product.create();
    let events = company(23, 20, 60);
    let (first, second) = events.split_at(events.len() / 2);
    run_over(&product, "all", first);
    let before = everything(&product, "all");

    let created = product.read("journal", PARTITIONS, |record| {
        let is_it = record.header("control").is_some_and(|control| control == b"journal.created");
        is_it.then(|| serde_json::from_slice::<serde_json::Value>(record.value.unwrap_or_default()).expect("it is JSON"))
    });
    let created = created.into_iter().flatten().next().expect("the journal begins with it");
    let journal = created["journal"].as_str().expect("it has an id");
    let (data, snapshots) = (product.data("all"), product.directory.path().join("by-hand"));
    let [data_text, snapshots_text] = [&data, &snapshots].map(|path| path.display().to_string());
    let take = ["snapshot", "take", "--data", &data_text, "--to", &snapshots_text, "--journal", journal];
    let told = |arguments: &[&str]| {
        let output = product.bellwether(arguments, &[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {told}");
        told
    };
    assert_eq!(told(&take).matches(": taken at").count(), usize::from(PARTITIONS));

    fs::remove_dir_all(&data).expect("the disk is lost");
    let restore = ["snapshot", "restore", "--data", &data_text, "--from", &snapshots_text, "--journal", journal];
    assert_eq!(told(&restore).matches(": restored from").count(), usize::from(PARTITIONS));
    assert!(everything(&product, "all") == before, "states, timers and headers are those of before");
    assert_eq!(told(&take).matches(": there is one at").count(), usize::from(PARTITIONS));

    run_over(&product, "all", second);
    process_the_rest(&product, "all");
    assert!(assert_as_replayed(&product) > 50);
}
