//! Transactions: all or nothing, and only for the one who may.

use bellwether_kafka::{Batch, BrokerClient, Client, CommitError, CommittedOffset, Outgoing, Reader, Remedy, TopicPartition, Transaction};
use bellwether_tests::broker::Broker;

use crate::support::{
    Worker, assert_values, client, connection, eventually, make_narrow_topic, make_topic, options, push_too_large, text, transaction,
};

#[test]
fn records_and_offsets_count_together() {
    let broker = Broker::shared();
    make_topic(broker, "together-in", 1);
    make_topic(broker, "together-out", 2);
    let mut worker = Worker::new(options(broker, "together", "together-in"));
    let at = TopicPartition::new("together-in", 0);
    worker.until("the partition comes", |worker| worker.mine.len() == 1);
    assert_eq!(worker.client.committed(std::slice::from_ref(&at)), Ok(vec![None]));
    worker.commit("together-out", &[(0, "a"), (1, "b"), (0, "c")], &at, 17).expect("it is committed");
    let expected = CommittedOffset { offset: 17, metadata: "behind 17".into() };
    assert_eq!(worker.client.committed(std::slice::from_ref(&at)), Ok(vec![Some(expected)]));
    assert_values(broker, "together-out", 0, &["a", "c"]);
    assert_values(broker, "together-out", 1, &["b"]);
    assert_eq!(worker.client.commit(&Transaction::default()), Ok(()), "a transaction of nothing does nothing");
    let out = TopicPartition::new("together-out", 1);
    eventually("there are one record and one mark", || worker.client.bounds(&out) == Ok((0, 2)));
}

#[test]
fn a_transaction_is_told_where_its_records_end() {
    let broker = Broker::shared();
    make_topic(broker, "placed", 2);
    let mut writer = BrokerClient::placing(options(broker, "placed", "placed")).unwrap_or_else(|error| panic!("{error}"));
    let at = |partition: i32| TopicPartition::new("placed", partition);
    let first = transaction("placed", &[(1, "a"), (0, "b"), (1, "c")]);
    assert_eq!(writer.commit_and_place(&first), Ok(vec![(at(0), 1), (at(1), 2)]));
    // What nobody asks of is not noted.
    assert_eq!(writer.commit(&first), Ok(()));
    assert_eq!(writer.commit_and_place(&Transaction::default()), Ok(Vec::new()));
    // Each transaction before has a mark.
    assert_eq!(writer.commit_and_place(&transaction("placed", &[(0, "d")])), Ok(vec![(at(0), 5)]));
    assert!(writer.commit_and_place(&transaction("placed", &[(0, "e"), (9, "nowhere")])).is_err());
    assert_values(broker, "placed", 0, &["b", "b", "d"]);
}

/// Of records that were written it gets no reports, so it must not say that there were none.
#[test]
fn a_client_that_is_not_told_places_does_not_make_them_up() {
    let broker = Broker::shared();
    make_topic(broker, "untold", 1);
    let mut writer = client(options(broker, "untold", "untold"));
    let refused = writer.commit_and_place(&transaction("untold", &[(0, "a")]));
    assert!(matches!(&refused, Err(CommitError::NotCommitted(error)) if error.remedy == Remedy::Stop), "{refused:?}");
    assert_eq!(writer.commit(&transaction("untold", &[(0, "b")])), Ok(()));
    assert_values(broker, "untold", 0, &["b"]);
}

const SHAPED_HEADERS: [(&str, Option<&[u8]>); 4] = [("ce_id", Some(b"1")), ("ce_id", Some(b"\xfe")), ("empty", Some(b"")), ("none", None)];

#[test]
fn records_come_back_as_they_were_written() {
    let broker = Broker::shared();
    make_topic(broker, "shapes", 1);
    let mut writer = client(options(broker, "shapes", "shapes"));
    let long = "0123456789".repeat(20_000);
    let key = Some(&b"key"[..]);
    let shapes = [(key, Some(long.as_bytes())), (key, None), (None, Some(&b""[..])), (Some(&b""[..]), Some(&b"\xff\x00"[..]))];
    let mut transaction = Transaction::default();
    for (key, value) in shapes {
        let headers = SHAPED_HEADERS;
        transaction.push(&Outgoing { topic: "shapes", partition: None, key, value, headers: &headers, timestamp_ms: None });
    }
    writer.commit(&transaction).expect("it is committed");
    eventually("the records are there", || writer.bounds(&TopicPartition::new("shapes", 0)) == Ok((0, 5)));
    let mut reader = Reader::new(connection(broker), TopicPartition::new("shapes", 0), 1..3).expect("the options are right");
    let mut batch = Batch::default();
    while reader.read(&mut batch, 10, 1 << 20).expect("it can be read") {}
    let offsets: Vec<u64> = batch.records().map(|record| record.offset).collect();
    assert_eq!(offsets, [1, 2], "a reader keeps to its range");
    let mut reader = Reader::new(connection(broker), TopicPartition::new("shapes", 0), 0..u64::MAX).expect("the options are right");
    let mut batch = Batch::default();
    while reader.read(&mut batch, 10, 1 << 20).expect("it can be read") {}
    for (record, (key, value)) in batch.records().zip(shapes) {
        assert_eq!((record.key, record.value), (key, value), "offset {}", record.offset);
        assert_eq!(record.headers().collect::<Vec<_>>(), SHAPED_HEADERS);
        assert!(record.timestamp_ms.is_some_and(|time| time > 1_700_000_000_000));
    }
    assert_eq!(batch.len(), shapes.len());
}

#[test]
fn an_aborted_transaction_is_never_seen() {
    let broker = Broker::shared();
    make_topic(broker, "aborted", 1);
    let mut writer = client(options(broker, "aborted", "aborted"));
    writer.commit(&transaction("aborted", &[(0, "before")])).expect("it is committed");
    // There is no partition 9, and a record is too large: the first record of each transaction is good.
    let large = "x".repeat(9 << 20);
    for bad in [(9, "nowhere"), (0, large.as_str())] {
        let error = writer.commit(&transaction("aborted", &[(0, "aborted"), bad])).expect_err("it cannot be written");
        let CommitError::NotCommitted(cause) = &error else { panic!("{error}") };
        assert_eq!(cause.remedy, Remedy::Stop, "{error}");
    }
    // The broker takes the one and refuses the other.
    make_narrow_topic(broker, "aborted-narrow");
    let mut refused = transaction("aborted", &[(0, "aborted")]);
    push_too_large(&mut refused, "aborted-narrow");
    let error = writer.commit(&refused).expect_err("the broker refuses the last record");
    assert!(matches!(&error, CommitError::NotCommitted(cause) if cause.remedy == Remedy::Stop), "{error}");
    assert!(error.to_string().contains("aborted-narrow"), "{error}");
    writer.commit(&transaction("aborted", &[(0, "after")])).expect("the client goes on");
    assert_values(broker, "aborted", 0, &["before", "after"]);
    let at = TopicPartition::new("aborted", 0);
    let found = writer.read_one(&at, 1).expect("it can be read").expect("there is one");
    let record = found.records().next().expect("there is one");
    assert_eq!(text(record.value), "after", "what was aborted is skipped");
}

#[test]
fn the_later_of_two_clients_of_one_name_fences_the_earlier() {
    let broker = Broker::shared();
    make_topic(broker, "fenced", 1);
    let mut earlier = client(options(broker, "fenced", "fenced"));
    earlier.commit(&transaction("fenced", &[(0, "1")])).expect("it is committed");
    let mut later = client(options(broker, "fenced", "fenced"));
    later.commit(&transaction("fenced", &[(0, "2")])).expect("it is committed");
    let error = earlier.commit(&transaction("fenced", &[(0, "zombie")])).expect_err("it is fenced");
    let CommitError::Lost(cause) = &error else { panic!("{error}") };
    assert_eq!(cause.remedy, Remedy::Rebuild, "{error}");
    later.commit(&transaction("fenced", &[(0, "3")])).expect("it is committed");
    earlier.rebuild().expect("it can be built anew");
    earlier.commit(&transaction("fenced", &[(0, "4")])).expect("now it is the later one");
    assert!(matches!(later.commit(&transaction("fenced", &[(0, "zombie")])), Err(CommitError::Lost(_))));
    assert_values(broker, "fenced", 0, &["1", "2", "3", "4"]);
}
