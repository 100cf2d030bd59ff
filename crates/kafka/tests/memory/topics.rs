//! Topics: whose time counts, where records go, what retention and deletion leave.

use std::time::Duration;

use bellwether_kafka::memory::{ClientOptions, Cluster, Ends, TimestampType};
use bellwether_kafka::{Batch, Client, Polled, Remedy};

use crate::support::{ALL, at, client, cluster, join, options, outcome, poll, read, seen, writing, writing_and_moving};

#[test]
fn a_topic_has_the_producers_time_or_its_own() {
    for (timestamps, expected) in [(TimestampType::CreateTime, [7, 2_000]), (TimestampType::LogAppendTime, [1_000, 2_000])] {
        let cluster = Cluster::new(1);
        cluster.create_topic("out", 1, timestamps).unwrap();
        cluster.set_now_ms(1_000);
        cluster.append("out", Some(0), (Some(b"k"), Some(b"v")), &[("h", b"x")], 7).unwrap();
        cluster.set_now_ms(2_000);
        client(&cluster, "a").commit(&writing(&[(0, "w")])).unwrap();
        cluster.settle();
        let records = cluster.records(&at("out", 0)).unwrap();
        assert_eq!(records.iter().map(|record| record.timestamp_ms).collect::<Vec<_>>(), expected, "{timestamps:?}");
        assert_eq!((records[0].key.as_deref(), &*records[0].headers), (Some(&b"k"[..]), &[("h".to_owned(), Some(b"x".to_vec()))][..]));
        assert_eq!(cluster.now_ms(), 2_000);
    }
}

#[test]
fn a_record_goes_where_it_says_or_where_its_key_says() {
    let cluster = cluster(1, 3);
    let put = |partition, key: Option<&[u8]>| cluster.append("in", partition, (key, None), &[], 0).map(|(at, _)| at.partition);
    // Java's murmur2 of these keys, made positive, modulo 3.
    for (key, expected) in [(&b"21"[..], (-973_932_308 & i32::MAX) % 3), (b"foobar", (-790_332_482 & i32::MAX) % 3)] {
        assert_eq!(put(None, Some(key)).unwrap(), expected);
        assert_eq!(put(Some(2), Some(key)).unwrap(), 2);
    }
    let mut anywhere: Vec<i32> = (0..50).map(|_| put(None, None).unwrap()).collect();
    anywhere.sort_unstable();
    anywhere.dedup();
    assert_eq!(anywhere, [0, 1, 2]);
    assert_eq!(put(Some(3), None).unwrap_err().remedy, Remedy::Stop);
    assert_eq!(put(Some(-1), None).unwrap_err().remedy, Remedy::Stop);
}

#[test]
fn unknown_topics_are_refused_and_break_nothing() {
    let cluster = cluster(1, 1);
    let mut a = cluster.client(ClientOptions { subscription: vec!["none".into()], ..options("a") }).unwrap();
    assert_eq!(a.subscribed_partitions().unwrap_err().remedy, Remedy::Stop);
    assert_eq!(a.bounds(&at("none", 0)).unwrap_err().remedy, Remedy::Stop);
    assert_eq!(a.read_one(&at("in", 1), 0).unwrap_err().remedy, Remedy::Stop);
    let steps = cluster.steps("a");
    assert_eq!(outcome(a.commit(&writing(&[(0, "x"), (1, "no such partition")]))), "aborted");
    assert_eq!(cluster.steps("a"), steps, "metadata tells it before anything is sent");
    assert_eq!(outcome(a.commit(&writing(&[(0, "y")]))), "committed");
    cluster.settle();
    assert_eq!(seen(&cluster, &at("out", 0)), [(0, "y".to_owned())]);
    assert!(
        cluster.create_topic("in", 1, TimestampType::CreateTime).is_err()
            && cluster.create_topic("x", 0, TimestampType::CreateTime).is_err()
    );
}

#[test]
fn retention_moves_the_start() {
    let cluster = cluster(1, 1);
    let mut a = client(&cluster, "a");
    for value in ["0", "1", "2", "3"] {
        cluster.append("in", Some(0), (None, Some(value.as_bytes())), &[], 0).unwrap();
    }
    join(&mut a);
    cluster.delete_records(&at("in", 0), 2).unwrap();
    assert_eq!((a.bounds(&at("in", 0)).unwrap(), seen(&cluster, &at("in", 0)).len()), ((2, 4), 2));
    let error = a.poll(&mut Batch::default(), ALL.0, ALL.1, Duration::ZERO).unwrap_err();
    assert!(error.remedy == Remedy::Stop && error.cause.starts_with("out of range"), "{error}");
    assert_eq!(a.read_one(&at("in", 0), 1).unwrap_err().remedy, Remedy::Stop);
    assert_eq!(a.read_one(&at("in", 0), 3).unwrap().unwrap().records().next().unwrap().value, Some(&b"3"[..]));
    assert_eq!((a.read_one(&at("in", 0), 4).unwrap().is_none(), a.read_one(&at("in", 0), 5).is_err()), (true, true));
    a.seek(&[(at("in", 0), 2)]).unwrap();
    assert_eq!(read(&mut a), [("in/0".to_owned(), 2), ("in/0".to_owned(), 3)]);
    cluster.delete_records(&at("in", 0), 99).unwrap();
    assert_eq!(cluster.ends(&at("in", 0)).unwrap(), Ends { start: 4, last_stable: 4, end: 4 });
}

#[test]
fn a_topic_that_is_created_again_is_another_one() {
    let cluster = cluster(1, 1);
    let mut a = client(&cluster, "a");
    join(&mut a);
    a.commit(&writing_and_moving(&[(0, "old")], 5)).unwrap();
    assert_eq!(cluster.outstanding_markers(), 2);
    cluster.delete_topic("out").unwrap();
    cluster.create_topic("out", 1, TimestampType::CreateTime).unwrap();
    cluster.settle();
    assert_eq!(cluster.ends(&at("out", 0)).unwrap().end, 0, "the marker was for another topic");
    assert_eq!(a.committed(&[at("in", 0)]).unwrap()[0].as_ref().unwrap().offset, 5);

    cluster.delete_topic("in").unwrap();
    assert_eq!(poll(&mut a), Polled::Revoked(vec![at("in", 0)]));
    assert!(cluster.records(&at("in", 0)).is_err() && cluster.delete_topic("in").is_err());
    cluster.create_topic("in", 2, TimestampType::CreateTime).unwrap();
    assert_eq!(join(&mut a), [at("in", 0), at("in", 1)]);
    assert_eq!(a.committed(&[at("in", 0)]).unwrap(), [None], "offsets go with their topic");
}

#[test]
fn a_copy_stands_where_the_first_one_does_and_goes_its_own_way() {
    let cluster = cluster(1, 1);
    client(&cluster, "a").commit(&writing(&[(0, "both")])).unwrap();
    let copy = cluster.copy();
    // The mark is not written yet: each writes its own.
    for (cluster, value) in [(&cluster, "one"), (&copy, "other")] {
        assert_eq!(cluster.outstanding_markers(), 1);
        client(cluster, "a").commit(&writing(&[(0, value)])).unwrap();
        cluster.settle();
        let records = cluster.records(&at("out", 0)).unwrap();
        let values: Vec<_> = records.iter().map(|record| record.value.as_deref().unwrap()).collect();
        assert_eq!(values, [&b"both"[..], value.as_bytes()]);
    }
    assert_eq!(cluster.steps("a"), copy.steps("a"));
}
