//! What only an operator can mend ends the process with a clear word, at once, and changes nothing: mended, the same command goes on.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_codec::event::encode_event;
use bellwether_codec::state::FOLD_VERSION;
use bellwether_engine::event::CustomerKey;
use bellwether_kafka::{BrokerClient, BrokerOptions, Client, CommittedOffset, Polled, TopicPartition, Transaction};
use bellwether_tests::broker::{Broker, PASSWORD, STRANGER, tool};
use bellwether_tests::company::company;
use bellwether_tests::product::{INPUT_PARTITIONS, Product, Running, succeeded};

use crate::support::{LONG, journaled, log, wait_until};

const PARTITIONS: u16 = 2;

/// One product and one thing wrong after the other. Those that cannot be mended come last.
#[test]
fn what_does_not_belong_together_is_refused() {
    let broker = Broker::shared();
    let product = Product::new(broker.bootstrap(), "wrong", PARTITIONS);
    product.create();
    let events = company(13, 10, 60);
    product.produce(&events);
    let mut running = [("all", product.start("all", "all", 1))];
    let is_done = || journaled(&product, PARTITIONS).len() >= events.len() && !product.published().is_empty();
    wait_until(&product, &mut running, "there are signals", is_done);
    assert_fails(&product, &[], 3, "is open already, in another process");
    let [(_, mut instance)] = running;
    assert_eq!(instance.ended(), None, "the one that holds the directory goes on");
    assert_eq!(instance.stop(), Some(0));

    assert_refused(
        &product,
        &[("metrics: 127.0.0.1:0", "metrics: off\npseudonym_key: 000102030405060708090a0b0c0d0e0f")],
        "another pseudonym key",
    );
    assert_fails(&product, &[("wrong.signals", "wrong.nothing")], 3, "`wrong.nothing` does not exist");
    assert_fails(&product, &[("topics: [wrong.events]", "topics: [wrong.nowhere]")], 3, "wrong.nowhere");
    assert_goes_on(&product);

    date(broker, &product, "CreateTime");
    assert_refused(&product, &[], "records of the topic wrong.journal are dated by who writes them");
    date(broker, &product, "LogAppendTime");
    assert_goes_on(&product);
    offsets(broker, &product);
    forgotten_neighbour(broker, &product);
    inputs(broker, &product);
    input_made_anew(broker, &product);
    records_gone(broker, &product);
    partitions_altered(broker, &product);
    journal_made_anew(broker, &product);
    journal_lost(broker, &product);
}

/// Says who dates what is written to the journal from now on.
fn date(broker: &Broker, product: &Product, by: &str) {
    let (topic, setting) = (product.topic("journal"), format!("message.timestamp.type={by}"));
    broker.tool(tool::CONFIGS, &["--alter", "--entity-type", "topics", "--entity-name", &topic, "--add-config", &setting]);
}

fn offsets(broker: &Broker, product: &Product) {
    let committed = committed(product);
    let group = product.topic("process").replace('.', "-");
    let set_back = ["--group", &group, "--topic", &product.topic("journal"), "--reset-offsets", "--to-offset", "2", "--execute"];
    broker.tool(tool::CONSUMER_GROUPS, &set_back);
    assert_refused(product, &[], "a tool has set the group's offsets");
    let earlier: Vec<_> =
        committed.iter().map(|(at, committed)| (at.clone(), CommittedOffset { offset: 2, ..committed.clone() })).collect();
    commit(product, &earlier);
    assert_refused(product, &[], "somebody set the group's offsets back");
    broker.tool(tool::CONSUMER_GROUPS, &["--group", &group, "--topic", &product.topic("journal"), "--delete-offsets"]);
    assert_refused(product, &[], "nothing is committed for partition");
    let newer: Vec<_> = committed.iter().map(|(at, committed)| (at.clone(), by_a_newer_fold(committed))).collect();
    commit(product, &newer);
    let versions = format!("was processed by fold version {}, this program has version {FOLD_VERSION}", FOLD_VERSION + 1);
    assert_refused(product, &[], &versions);
    commit(product, &committed);
    assert_goes_on(product);
}

/// The offset of one partition is gone, and its state with the disk: that its neighbour has one does not make it new.
fn forgotten_neighbour(broker: &Broker, product: &Product) {
    let committed = committed(product);
    let customers = product.read("signals", PARTITIONS, |record| record.key.map(|key| String::from_utf8_lossy(key).into_owned()));
    let customer = customers.into_iter().flatten().next().expect("there are signals");
    let number = i32::from(CustomerKey::of(&customer).partition(PARTITIONS));
    let forgotten = format!("{}:{number}", product.topic("journal"));
    broker.tool(tool::CONSUMER_GROUPS, &["--group", &group(product), "--topic", &forgotten, "--delete-offsets"]);
    let (data, aside) = (product.data("all"), product.data("aside"));
    fs::rename(&data, &aside).expect("the data can be put aside");
    assert_refused(product, &[], "holds signals of its customers");
    fs::remove_dir_all(&data).and_then(|()| fs::rename(&aside, &data)).expect("the data can be put back");
    commit(product, &committed);
    assert_goes_on(product);
}

/// As a newer program would have committed it.
fn by_a_newer_fold(committed: &CommittedOffset) -> CommittedOffset {
    let (own, newer) = (format!("\"fold\":{FOLD_VERSION}"), format!("\"fold\":{}", FOLD_VERSION + 1));
    assert!(committed.metadata.contains(&own), "{}", committed.metadata);
    CommittedOffset { metadata: committed.metadata.replace(&own, &newer), ..committed.clone() }
}

/// What is committed of the inputs does not fit; one of Kafka's own tools says where to go on.
fn inputs(broker: &Broker, product: &Product) {
    let (group, topic) = (product.topic("ingest").replace('.', "-"), product.topic("events"));
    let tool = |arguments: &[&str]| broker.tool(tool::CONSUMER_GROUPS, &[&["--group", &group, "--topic", &topic], arguments].concat());
    let before = journaled(product, PARTITIONS).len();
    // Retention may delete all that is taken in, and the marks of transactions behind it: nobody misses anything.
    let all: Vec<String> =
        (0..INPUT_PARTITIONS).map(|number| format!("{{\"topic\":\"{topic}\",\"partition\":{number},\"offset\":-1}}")).collect();
    delete(broker, product, &all);
    assert_goes_on(product);

    tool(&["--delete-offsets"]);
    assert_refused(product, &[], "holds what was taken in before");
    tool(&["--reset-offsets", "--to-latest", "--execute"]);
    assert_goes_on(product);
    assert_eq!(journaled(product, PARTITIONS).len(), before, "nothing is taken in again");

    // Records that nobody has taken in are deleted.
    product.produce(&company(14, 4, 10));
    delete(broker, product, &all);
    assert_refused(product, &[], "were deleted before anybody took them in");
    tool(&["--reset-offsets", "--to-earliest", "--execute"]);
    assert_goes_on(product);

    let ahead = CommittedOffset { offset: 1_000_000, metadata: "{\"watermark\":0}".to_owned() };
    let input = TopicPartition::new(topic.as_str(), 0);
    commit_as(product, &group, &[(input, ahead)]);
    assert_refused(product, &[], "but offset 1000000 is committed as taken in");
    tool(&["--reset-offsets", "--to-earliest", "--execute"]);
    assert_goes_on(product);
}

/// An input is made anew while it is read, and soon holds more than the old one did. Nothing of it is skipped: reading ends, and an operator says what
/// is to be taken in.
fn input_made_anew(broker: &Broker, product: &Product) {
    let (group, topic) = (product.topic("ingest").replace('.', "-"), product.topic("events"));
    let before = journaled(product, PARTITIONS).len();
    let mut running = product.start("all", "all", 1);
    wait_until(product, &mut [], "the ingest is at work", || log(product, "all").contains("metrics are at"));
    broker.tool(tool::TOPICS, &["--delete", "--topic", &topic]);
    product.create_input("events");
    let new = company(17, 20, 60);
    product.produce(&new);
    // A topic that was seen to be missing is the end of it, too.
    let code = end_of(product, "all", &mut running);
    assert!(matches!(code, Some(2 | 3)), "{code:?}\n{}", log(product, "all"));
    assert_refused(product, &[], "holds what was taken in before");
    assert_eq!(journaled(product, PARTITIONS).len(), before);
    broker.tool(tool::CONSUMER_GROUPS, &["--group", &group, "--topic", &topic, "--reset-offsets", "--to-earliest", "--execute"]);
    let mut running = [("all", product.start("all", "all", 1))];
    wait_until(product, &mut running, "all of the new topic is taken in", || journaled(product, PARTITIONS).len() >= before + new.len());
    let [(_, instance)] = running;
    assert_eq!((instance.stop(), journaled(product, PARTITIONS).len()), (Some(0), before + new.len()));
}

/// A state that stands behind the gap goes on, even if the record is gone that tells what the journal is; one that would have to read what is
/// gone does not.
fn records_gone(broker: &Broker, product: &Product) {
    delete_records(broker, product, 1);
    assert_goes_on(product);
    delete_records(broker, product, 0);
    assert_goes_on(product);
    let said = log(product, "all");
    assert!(said.contains("the beginning of the journal is gone"), "{said}");
    let committed = committed(product);
    let group = product.topic("process").replace('.', "-");
    broker.tool(tool::CONSUMER_GROUPS, &["--group", &group, "--topic", &product.topic("journal"), "--delete-offsets"]);
    assert_refused(product, &[], "the journal in the topic wrong.journal has lost its beginning (it starts at offset 20)");
    commit(product, &committed);
    let (data, aside) = (product.data("all"), product.data("aside"));
    fs::rename(&data, &aside).expect("the data can be put aside");
    assert_refused(product, &[], "of the journal begins at offset 20, but the state stands at 0");
    fs::remove_dir_all(&data).and_then(|()| fs::rename(&aside, &data)).expect("the data can be put back");
    assert_goes_on(product);
}

fn partitions_altered(broker: &Broker, product: &Product) {
    let why = "made with 2 partitions, but the topic wrong.journal has 3";
    let mut running = product.start("all", "all", 1);
    broker.tool(tool::TOPICS, &["--alter", "--topic", &product.topic("journal"), "--partitions", "3"]);
    assert_eq!(end_of(product, "all", &mut running), Some(2), "noticed while it runs");
    assert!(log(product, "all").contains(why), "{}", log(product, "all"));
    assert_refused(product, &[], why);
}

fn delete_records(broker: &Broker, product: &Product, partition: u16) {
    let topic = product.topic("journal");
    delete(broker, product, &[format!("{{\"topic\":\"{topic}\",\"partition\":{partition},\"offset\":20}}")]);
}

fn delete(broker: &Broker, product: &Product, before: &[String]) {
    let file = product.directory.path().join("gone.json");
    fs::write(&file, format!("{{\"version\":1,\"partitions\":[{}]}}", before.join(","))).expect("it can be written");
    broker.tool(tool::DELETE_RECORDS, &["--offset-json-file", &file.display().to_string()]);
}

/// Another journal has come under the old offsets and the old state, and nothing goes into it.
fn journal_made_anew(broker: &Broker, product: &Product) {
    broker.tool(tool::TOPICS, &["--delete", "--topic", &product.topic("journal")]);
    assert_fails(product, &[], 3, "`wrong.journal` does not exist");
    product.begin();
    product.produce(&company(15, 4, 10));
    for role in ["ingest", "all"] {
        assert_ends(product, role, &[], 2, "was taken into journal");
    }
    assert_eq!(journaled(product, PARTITIONS), Vec::<String>::new());
    assert_ends(product, "process", &[], 2, "the store holds partition states of journal");
    fs::remove_dir_all(product.data("all")).expect("the data can be removed");
    assert_ends(product, "process", &[], 2, "nothing is committed for partition");
}

/// What the guide for operators says about a journal that is lost.
fn journal_lost(broker: &Broker, product: &Product) {
    for name in ["journal", "signals", "health", "decisions", "kpis"] {
        broker.tool(tool::TOPICS, &["--delete", "--topic", &product.topic(name)]);
    }
    fs::remove_dir_all(product.data("all")).expect("the data can be removed");
    let configuration = product.configuration("setup");
    let run = |arguments: &[&str]| succeeded(&product.bellwether(&[arguments, &["--config"]].concat(), &[&configuration]));
    run(&["topics", "create"]);
    run(&["rules", "publish", "--quiet-until", "2024-02-01"]);
    let (history, path) = (company(16, 10, 40), product.directory.path().join("history.jsonl"));
    let mut text = Vec::new();
    for event in &history {
        encode_event(event, &mut text);
        text.push(b'\n');
    }
    fs::write(&path, text).expect("the history can be written");
    run(&["journal", "import", "--events", path.to_str().expect("it is UTF-8")]);
    let group = product.topic("ingest").replace('.', "-");
    broker.tool(tool::CONSUMER_GROUPS, &["--group", &group, "--all-topics", "--reset-offsets", "--to-current", "--execute"]);
    let mut running = [("all", product.start("all", "all", 1))];
    let expected = history.len() + company(15, 4, 10).len();
    let is_done = || journaled(product, PARTITIONS).len() >= expected && product.published().iter().any(|line| line.contains("backfilled"));
    wait_until(product, &mut running, "history and what has come since are decided", is_done);
    let [(_, instance)] = running;
    assert_eq!((instance.stop(), journaled(product, PARTITIONS).len()), (Some(0), expected));
}

/// An instance ends by itself with the exit code that service managers do not start again, for only an operator can mend it.
#[track_caller]
fn assert_refused(product: &Product, changes: &[(&str, &str)], why: &str) {
    assert_fails(product, changes, 2, why);
}

/// An instance ends by itself, with this exit code and a word about why.
#[track_caller]
fn assert_fails(product: &Product, changes: &[(&str, &str)], code: i32, why: &str) {
    assert_ends(product, "all", changes, code, why);
}

/// The same in another role.
#[track_caller]
fn assert_ends(product: &Product, role: &str, changes: &[(&str, &str)], code: i32, why: &str) {
    let path = product.configuration("all");
    let mut text = fs::read_to_string(&path).expect("it was written");
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is in the configuration");
        text = text.replace(from, to);
    }
    fs::write(&path, text).expect("it can be written");
    _ = fs::remove_file(product.log("all"));
    let ended = end_of(product, "all", &mut product.start_with(&path, "all", role, 1));
    let said = log(product, "all");
    assert!(ended == Some(code) && said.contains(why), "{why}: exit code {ended:?}\n{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[track_caller]
pub fn end_of(product: &Product, name: &str, instance: &mut Running) -> Option<i32> {
    let started = Instant::now();
    loop {
        if let Some(status) = instance.ended() {
            return status.code();
        }
        assert!(started.elapsed() < LONG, "it goes on and on\n{}", log(product, name));
        sleep(Duration::from_millis(100));
    }
}

/// With everything mended the product works: time goes on in its journal and is processed.
#[track_caller]
fn assert_goes_on(product: &Product) {
    let before = committed(product);
    let mut running = [("all", product.start("all", "all", 1))];
    wait_until(product, &mut running, "more is processed", || {
        committed(product).iter().zip(&before).all(|((_, now), (_, before))| now.offset > before.offset)
    });
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
}

fn member(product: &Product, group_id: &str, subscription: Vec<String>) -> BrokerClient {
    let (group_id, transactional_id) = (group_id.to_owned(), format!("{group_id}-operator"));
    BrokerClient::new(BrokerOptions { connection: product.connection(), group_id, group_instance_id: None, transactional_id, subscription })
        .unwrap_or_else(|error| panic!("{error}"))
}

/// What the processing workers have committed.
fn committed(product: &Product) -> Vec<(TopicPartition, CommittedOffset)> {
    let partitions: Vec<_> = (0..i32::from(PARTITIONS)).map(|number| TopicPartition::new(product.topic("journal"), number)).collect();
    let committed = member(product, &group(product), Vec::new()).committed(&partitions).unwrap_or_else(|error| panic!("{error}"));
    partitions.into_iter().zip(committed).map(|(at, committed)| (at, committed.expect("something is committed"))).collect()
}

/// Commits in the name of the processing workers, of whom none runs.
fn commit(product: &Product, offsets: &[(TopicPartition, CommittedOffset)]) {
    commit_as(product, &group(product), offsets);
}

/// The group of the processing workers.
fn group(product: &Product) -> String {
    format!("{}-process", product.application)
}

fn commit_as(product: &Product, group: &str, offsets: &[(TopicPartition, CommittedOffset)]) {
    let topic = offsets.first().map(|(at, _)| at.topic.to_string()).expect("there are offsets");
    let mut client = member(product, group, vec![topic]);
    let mut missing: Vec<&TopicPartition> = offsets.iter().map(|(at, _)| at).collect();
    while !missing.is_empty() {
        let polled = client.poll(&mut Default::default(), 1, 1, Duration::from_millis(100)).unwrap_or_else(|error| panic!("{error}"));
        if let Polled::Assigned(partitions) = polled {
            missing.retain(|at| !partitions.contains(at));
        }
    }
    let mut transaction = Transaction::default();
    offsets.iter().for_each(|(at, committed)| transaction.commit_offset(at.clone(), committed.clone()));
    client.commit(&transaction).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn nobody_answers() {
    let product = Product::new("127.0.0.1:9".to_owned(), "nobody", PARTITIONS);
    assert_fails(&product, &[], 3, "no Kafka broker answered within 30 s at 127.0.0.1:9");
}

#[test]
fn strangers_are_told_so() {
    let broker = Broker::start_secured();
    let product = Product::new(broker.bootstrap(), "secured", PARTITIONS);
    let certificate = broker.certificate().display().to_string();
    let properties = format!(
        "client: {{ security.protocol: SASL_SSL, sasl.mechanism: SCRAM-SHA-512, sasl.username: {STRANGER}, sasl.password: {PASSWORD}, ssl.ca.location: {certificate},"
    );
    assert_fails(&product, &[("client: {", &properties)], 3, "no permission for asking for the topic `secured.journal`");
    assert!(!log(&product, "all").contains(PASSWORD), "a password is shown");
}
