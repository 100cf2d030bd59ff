//! What the program of fold version 2 has left, beside Kafka: its states, its journal, its signals and its positions, byte for byte, moved into topics.
//!
//! It is kept as an embedded run left it. A journal topic has the same records, so each partition stands at the same offset in it; only what holds
//! them is another. States and headers are those bytes of then, which today's program cannot read.

use std::fs;
use std::path::Path;
use std::time::Duration;

use bellwether_codec::journal::{CONTROL_HEADER, Control, Created, WATERMARK_HEADER};
use bellwether_codec::state::FOLD_VERSION;
use bellwether_engine::event::CustomerKey;
use bellwether_kafka::{
    Admin, BrokerClient, BrokerOptions, Client, CommittedOffset, Outgoing, Polled, TopicPartition, TopicSettings, Transaction,
};
use bellwether_live::journal_directory::JournalDirectory;
use bellwether_store::{Commit, Durability, Position, Store, StoreOptions};
use bellwether_tests::broker::Broker;
use bellwether_tests::former_fold::unpack_fold_2;
use bellwether_tests::product::Product;
use serde_json::{Value, json};

use crate::support::{log, wait_until};

/// Partitions of the journal that is kept.
const PARTITIONS: u16 = 3;

/// The version of the fold that has left it.
const OLDER: u8 = 2;

/// A record of a topic, for a while.
struct Record {
    partition: u16,
    key: Option<String>,
    value: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
}

#[test]
fn what_fold_two_has_left_beside_kafka_goes_on_and_nothing_is_lost_or_told_twice() {
    let kept = tempfile::tempdir().expect("a temporary directory");
    unpack_fold_2(kept.path());
    let product = Product::new(Broker::shared().bootstrap(), "fold-2", PARTITIONS);
    product.create_input("events");
    let created = move_journal(&product, kept.path());
    let setup = product.configuration("setup");
    assert!(product.bellwether(&["topics", "create", "--config"], &[&setup]).status.success());
    let before = move_outputs(&product, kept.path());
    move_states(&product, kept.path(), &created);
    assert!(before.len() > 5 && ids(&product) == before, "{} were told", before.len());

    // The journal goes on behind the states: what is left of it is decided now.
    let replayed = replayed_ids(&product);
    let mut running = [("one", product.start("one", "process", 1))];
    wait_until(&product, &mut running, "all is told", || ids(&product).len() >= replayed.len());
    let [(_, running)] = running;
    assert_eq!(running.stop(), Some(0));

    let said = fs::read_to_string(product.log("one")).expect("it has logged");
    let told: Vec<&str> = said.lines().filter(|line| line.contains("older version of the fold")).collect();
    let versions = [format!("from_version={OLDER}"), format!("to_version={FOLD_VERSION}")];
    assert!(!told.is_empty() && told.iter().all(|line| versions.iter().all(|version| line.contains(version))), "{}", log(&product, "one"));
    assert!(!said.contains("ERROR"), "{}", log(&product, "one"));
    let after = ids(&product);
    assert!(after.len() > before.len() + 3, "{} and {}", before.len(), after.len());
    assert_eq!(after, replayed, "what both have told together is what the present one tells of the same journal");
    assert!(before.iter().all(|id| after.binary_search(id).is_ok()), "what was told stays");

    // A second start has nothing to make anew, and nothing to tell.
    fs::remove_file(product.log("one")).expect("it has logged");
    let mut running = [("one", product.start("one", "process", 1))];
    let said = || fs::read_to_string(product.log("one")).unwrap_or_default();
    wait_until(&product, &mut running, "it stands where it stood", || {
        said().matches("nothing to replay").count() >= usize::from(PARTITIONS)
    });
    let [(_, running)] = running;
    assert_eq!(running.stop(), Some(0));
    assert!(!said().contains("older version of the fold"), "{}", log(&product, "one"));
    assert_eq!(ids(&product), replayed);
}

/// Writes the records of the journal into a topic, each at the offset that it had.
fn move_journal(product: &Product, kept: &Path) -> Created {
    let name = product.topic("journal");
    let settings = [("message.timestamp.type", "LogAppendTime"), ("retention.ms", "-1")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    let topic = TopicSettings { name: name.clone(), partitions: u32::from(PARTITIONS), replication: Some(1), settings };
    Admin::new(product.connection()).and_then(|admin| admin.create(&[topic])).unwrap_or_else(|error| panic!("{error}"));
    let journal = JournalDirectory::open(&kept.join("data")).expect("it is a journal");
    let (mut records, mut created) = (Vec::new(), None);
    for partition in 0..journal.partitions() {
        let mut next = 0;
        let mut visit = |block: &[bellwether_codec::journal::JournalRecord<'_>]| {
            for record in block {
                assert_eq!(record.offset, next, "offsets have no holes");
                next += 1;
                let value = record.value.expect("a record has a value").to_vec();
                let control = record.is_control.then(|| Control::decode(&value).expect("it is a control record"));
                let watermark = (WATERMARK_HEADER.to_owned(), record.watermark.expect("it has a watermark").to_vec());
                let mut headers = vec![watermark];
                if let Some(control) = control {
                    headers.push((CONTROL_HEADER.to_owned(), control.name().as_bytes().to_vec()));
                    if let Control::Created(own) = control {
                        created = Some(own);
                    }
                }
                records.push(Record { partition, key: None, value, headers });
            }
            true
        };
        journal.read(partition, &mut visit).expect("it reads");
    }
    write(product, "journal", &name, &records);
    created.expect("a journal says what it is")
}

/// Writes the signals and decisions that were told up to where the states stand. Returns their ids, sorted.
fn move_outputs(product: &Product, kept: &Path) -> Vec<String> {
    let store = Store::open(kept.join("data/state"), &StoreOptions::default()).expect("the store opens");
    let state: Value = serde_json::from_slice(&store.input("process").expect("it reads").expect("it is there")).expect("JSON");
    let mut ids = Vec::new();
    for (number, (topic, file)) in [("signals", "signals.jsonl"), ("decisions", "signals.jsonl.decisions")].into_iter().enumerate() {
        let length = state["output_bytes"][number].as_u64().expect("a length") as usize;
        let mut text = String::from_utf8(fs::read(kept.join(file)).expect("it is there")[..length].to_vec()).expect("UTF-8");
        // What waited for its turn in the file was decided as well: beside Kafka each partition tells for itself.
        for partition in 0..PARTITIONS {
            let outbox = store.input(&format!("outbox/{partition}")).expect("it reads").filter(|outbox| !outbox.is_empty());
            let outbox: Value = outbox.map(|outbox| serde_json::from_slice(&outbox).expect("JSON")).unwrap_or_default();
            text += outbox[number].as_str().unwrap_or_default();
        }
        let records: Vec<Record> = text.lines().map(|line| in_binary_mode(&serde_json::from_str(line).expect("JSON"))).collect();
        ids.extend(records.iter().map(id_of));
        write(product, topic, &product.topic(topic), &records);
    }
    ids.sort_unstable();
    ids
}

/// A CloudEvent as topics have it.
fn in_binary_mode(output: &Value) -> Record {
    let attributes =
        output.as_object().expect("an object").iter().filter(|(name, _)| !["data", "datacontenttype"].contains(&name.as_str()));
    let mut headers: Vec<_> =
        attributes.map(|(name, value)| (format!("ce_{name}"), value.as_str().expect("a text").as_bytes().to_vec())).collect();
    headers.push(("content-type".to_owned(), b"application/json".to_vec()));
    let customer = output["subject"].as_str().expect("a customer").to_owned();
    let partition = CustomerKey::of(&customer).partition(PARTITIONS);
    Record { partition, key: Some(customer), value: output["data"].to_string().into_bytes(), headers }
}

fn id_of(record: &Record) -> String {
    let (_, id) = record.headers.iter().find(|(name, _)| name == "ce_id").expect("it has an id");
    String::from_utf8(id.clone()).expect("UTF-8")
}

/// Moves headers, states and timers into the store of an instance, and commits the positions at which they stand.
fn move_states(product: &Product, kept: &Path, created: &Created) {
    let store = Store::open(kept.join("data/state"), &StoreOptions::default()).expect("the store opens");
    let data = product.data("one");
    fs::create_dir_all(&data).expect("it can be made");
    let own = Store::open(data.join("state"), &StoreOptions::default()).expect("the store opens");
    let (mut commit, mut offsets) = (Commit::new(), Transaction::default());
    commit.put_input("journal", created.journal.as_bytes());
    for partition in store.partitions() {
        let header = store.header(partition).expect("it reads").expect("it was folded");
        assert_eq!(header.body.first(), Some(&OLDER), "it is of the older fold");
        commit.advance(partition, Position::default(), header.position, &header.body);
        for stored in store.all_states(partition, 0) {
            let (customer, state) = stored.expect("it reads");
            commit.put_state(partition, customer, &state);
        }
        for timer in store.timers(partition) {
            let (due, customer) = timer.expect("it reads");
            commit.put_timer(partition, customer, due);
        }
        let mut metadata = json!({ "journal": created.journal, "partitions": created.partitions, "pseudonym_key_id": created.pseudonym_key_id, "fold": OLDER });
        if header.position.review_due != 0 {
            metadata["review"] = json!([header.position.review_due, format!("{:032x}", header.position.customer)]);
        }
        let committed = CommittedOffset { offset: header.position.offset, metadata: metadata.to_string() };
        offsets.commit_offset(TopicPartition::new(product.topic("journal"), i32::from(partition)), committed);
    }
    assert_eq!(store.partitions().len(), usize::from(PARTITIONS));
    own.commit(commit, Durability::Synced).expect("it can be written");
    // Only a member commits for its group.
    let mut member = client(product, &format!("{}-process", product.application), "older", vec![product.topic("journal")]);
    let mut missing = usize::from(PARTITIONS);
    while missing > 0 {
        let polled = member.poll(&mut Default::default(), 1, 1, Duration::from_millis(100)).unwrap_or_else(|error| panic!("{error}"));
        if let Polled::Assigned(partitions) = polled {
            missing -= partitions.len();
        }
    }
    member.commit(&offsets).unwrap_or_else(|error| panic!("{error}"));
}

/// The ids of what is told, sorted.
fn ids(product: &Product) -> Vec<String> {
    let id = |record: &bellwether_kafka::Received<'_>| String::from_utf8_lossy(record.header("ce_id").unwrap_or_default()).into_owned();
    let mut ids = product.read("signals", PARTITIONS, id);
    ids.extend(product.read("decisions", PARTITIONS, id));
    ids.sort_unstable();
    ids
}

fn replayed_ids(product: &Product) -> Vec<String> {
    let id = |line: &String| serde_json::from_str::<Value>(line).expect("JSON")["id"].as_str().expect("an id").to_owned();
    let mut ids: Vec<String> = product.replayed().iter().map(id).collect();
    ids.sort_unstable();
    ids
}

fn client(product: &Product, group_id: &str, name: &str, subscription: Vec<String>) -> BrokerClient {
    let options = BrokerOptions {
        connection: product.connection(),
        group_id: group_id.to_owned(),
        group_instance_id: None,
        transactional_id: product.topic(name),
        subscription,
    };
    BrokerClient::new(options).unwrap_or_else(|error| panic!("{error}"))
}

/// Writes records in one transaction: its mark stands behind them.
fn write(product: &Product, name: &str, topic: &str, records: &[Record]) {
    let mut transaction = Transaction::default();
    for Record { partition, key, value, headers } in records {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), Some(value.as_slice()))).collect();
        transaction.push(&Outgoing {
            topic,
            partition: Some(i32::from(*partition)),
            key: key.as_deref().map(str::as_bytes),
            value: Some(value),
            headers: &headers,
            timestamp_ms: None,
        });
    }
    client(product, &product.topic(name), name, Vec::new()).commit(&transaction).unwrap_or_else(|error| panic!("{error}"));
}
