//! Rebalances: told as values, partition by partition, and no offset counts of a place in the group that is over.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_kafka::{BrokerOptions, Client, CommitError, Remedy, TopicPartition};
use bellwether_tests::broker::Broker;

use crate::support::{LONG, Worker, assert_values, client, make_topic, options, transaction};

const PARTITIONS: i32 = 4;

/// Writes one record into each partition.
fn write_round(writer: &mut impl Client, topic: &str, round: u32) {
    let value = round.to_string();
    let values: Vec<(i32, &str)> = (0..PARTITIONS).map(|partition| (partition, value.as_str())).collect();
    writer.commit(&transaction(topic, &values)).expect("it is committed");
}

/// A member of a group of several: its transactions have their own name.
fn member(broker: &Broker, topic: &str, number: u32) -> BrokerOptions {
    BrokerOptions { transactional_id: format!("{topic}-{number}"), ..options(broker, topic, topic) }
}

#[test]
fn partitions_move_between_two_clients_without_disturbing_the_others() {
    let broker = Broker::shared();
    make_topic(broker, "moving", 4);
    let mut writer = client(BrokerOptions { subscription: Vec::new(), ..options(broker, "moving-writer", "moving") });
    let mut first = Worker::new(member(broker, "moving", 1));
    first.until("all partitions come", |first| first.mine.len() == 4);
    write_round(&mut writer, "moving", 0);
    first.until("all records are read", |first| first.read.len() == 4);

    let mut second = Worker::new(member(broker, "moving", 2));
    let mut round = 0;
    let start = Instant::now();
    while second.mine.len() != 2 || first.mine.len() != 2 {
        round += 1;
        write_round(&mut writer, "moving", round);
        first.step().unwrap_or_else(|error| panic!("{error}; {:?}", first.told));
        second.step().unwrap_or_else(|error| panic!("{error}; {:?}", second.told));
        assert!(start.elapsed() < LONG, "first: {:?}, second: {:?}", first.told, second.told);
    }
    let all: BTreeSet<_> = first.mine.union(&second.mine).cloned().collect();
    assert_eq!(all.len(), 4, "first: {:?}, second: {:?}", first.told, second.told);
    let kept = first.mine.clone();
    let count = |worker: &Worker, at: &TopicPartition| worker.read.iter().filter(|(found, ..)| found == at).count();
    let rounds = round as usize + 1;
    first.until("the kept partitions are read", |first| kept.iter().all(|at| count(first, at) >= rounds));
    second.until("the new partitions are read", |second| second.mine.clone().iter().all(|at| count(second, at) >= rounds));
    for at in &kept {
        let read: Vec<_> = first.read.iter().filter(|(found, ..)| found == at).map(|(.., value)| value.clone()).collect();
        let expected: Vec<_> = (0..=round).map(|round| round.to_string()).collect();
        assert_eq!(read, expected, "{at} is read once, in order, without a break: {:?}", first.told);
    }

    drop(second);
    first.until("all partitions come back", |first| first.mine.len() == 4);
    assert!(
        kept.iter().all(|at| !first.told.iter().any(|told| told.contains("went") && told.contains(&at.to_string()))),
        "{:?}",
        first.told
    );
}

#[test]
fn offsets_of_an_earlier_generation_are_refused() {
    let broker = Broker::shared();
    make_topic(broker, "stale", 2);
    make_topic(broker, "stale-out", 1);
    let mut first = Worker::new(member(broker, "stale", 1));
    first.until("all partitions come", |first| first.mine.len() == 2);
    let at = TopicPartition::new("stale", 0);
    first.commit("stale-out", &[(0, "good")], &at, 1).expect("it is committed");

    // The second joins, while the first does not poll: librdkafka joins again in the background, and a new generation begins.
    let mut second = Worker::new(member(broker, "stale", 2));
    let start = Instant::now();
    let mut expected = vec!["good"];
    let error = loop {
        second.step().unwrap_or_else(|error| panic!("{error}"));
        match first.commit("stale-out", &[(0, "maybe")], &at, 2) {
            Ok(()) => expected.push("maybe"),
            Err(error) => break error,
        }
        assert!(start.elapsed() < LONG, "no new generation: {:?}", second.told);
    };
    let CommitError::NotCommitted(cause) = &error else { panic!("{error}") };
    assert_eq!(cause.remedy, Remedy::Retry, "{error}");
    assert_values(broker, "stale-out", 0, &expected);

    first.until("one partition goes", |first| first.mine.len() == 1);
    let start = Instant::now();
    while second.mine.is_empty() {
        first.step().and_then(|()| second.step()).unwrap_or_else(|error| panic!("{error}"));
        assert!(start.elapsed() < LONG, "first: {:?}, second: {:?}", first.told, second.told);
    }
    let gone = second.mine.first().expect("it has one").clone();
    let error = first.commit("stale-out", &[(0, "zombie")], &gone, 3).expect_err("the partition is not its own any more");
    assert!(matches!(&error, CommitError::NotCommitted(_)), "{error}");
    second.commit("stale-out", &[(0, "new owner")], &gone, 4).expect("it is committed");
    let kept = first.mine.first().expect("it has one").clone();
    first.until("the new generation is known", |first| first.commit("stale-out", &[(0, "kept")], &kept, 5).is_ok());
    expected.extend(["new owner", "kept"]);
    assert_values(broker, "stale-out", 0, &expected);
}

/// The group gives up a member that does not poll. From then on a broker would take its offsets unchecked, if it sent them without its old name.
#[test]
fn a_client_that_the_group_gave_up_commits_no_offset() {
    let broker = Broker::shared();
    make_topic(broker, "given-up", 1);
    make_topic(broker, "given-up-out", 1);
    let mut options = options(broker, "given-up", "given-up");
    for name in ["session.timeout.ms", "max.poll.interval.ms"] {
        options.connection.properties.insert(name.into(), "3000".into());
    }
    let at = TopicPartition::new("given-up", 0);
    let mut worker = Worker::new(options);
    worker.until("the partition comes", |worker| worker.mine.len() == 1);
    let mut offset = 0;
    let start = Instant::now();
    while worker.commit("given-up-out", &[(0, "mine")], &at, offset + 1).is_ok() {
        offset += 1;
        assert!(start.elapsed() < LONG, "the group did not give it up");
    }
    for _ in 0..20 {
        let error = worker.commit("given-up-out", &[(0, "zombie")], &at, 99).expect_err("it is nobody in the group");
        assert!(matches!(&error, CommitError::NotCommitted(cause) if cause.remedy == Remedy::Retry), "{error}");
        sleep(Duration::from_millis(50));
    }
    worker.until("the partition goes, and comes back", |worker| worker.told.len() == 3);
    assert_eq!(worker.told, ["came given-up/0", "went given-up/0", "came given-up/0"]);
    let committed = worker.client.committed(std::slice::from_ref(&at)).expect("the broker answers");
    assert_eq!(committed[0].as_ref().map(|committed| committed.offset), Some(offset));
    worker.commit("given-up-out", &[(0, "again")], &at, offset + 1).expect("it is somebody again");
    let mut expected = vec!["mine"; usize::try_from(offset).expect("it is small")];
    expected.push("again");
    assert_values(broker, "given-up-out", 0, &expected);
}
