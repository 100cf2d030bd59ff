//! Transactions: when records are seen, what holds them back, and who may go on writing.

use std::time::Duration;

use bellwether_kafka::memory::{ClientOptions, Ends, Fault, Message, Plan};
use bellwether_kafka::{Batch, Client, CommitError, Outgoing, Remedy, Transaction};

use crate::support::{ALL, at, client, cluster, join, moved, options, outcome, poll, read, seen, writing, writing_and_moving};

#[test]
fn records_are_seen_where_their_marker_is() {
    let mut orders = Vec::new();
    for seed in 0..30 {
        let cluster = cluster(seed, 2);
        client(&cluster, "a").commit(&writing_and_moving(&[(0, "x"), (1, "y"), (0, "z")], 9)).unwrap();
        let look = || (seen(&cluster, &at("out", 0)).len(), seen(&cluster, &at("out", 1)).len(), moved(&cluster));
        let mut looks = vec![look()];
        while cluster.tick() {
            looks.push(look());
        }
        assert_eq!((looks.len(), looks[0], looks[3]), (4, (0, 0, None), (2, 1, Some(9))), "seed {seed}");
        assert_eq!(cluster.ends(&at("out", 0)).unwrap(), Ends { start: 0, last_stable: 3, end: 3 }, "a marker takes an offset");
        orders.push(looks);
    }
    orders.sort_unstable();
    orders.dedup();
    assert_eq!(orders.len(), 6, "every order of three markers comes");
}

#[test]
fn aborted_records_and_markers_are_skipped() {
    let cluster = cluster(3, 1);
    let mut a = client(&cluster, "a");
    a.commit(&writing(&[(0, "first")])).unwrap();
    // The fault comes at the acknowledgement: the record is in the log.
    cluster.set_plan(Plan::default().at("a", cluster.steps("a") + 4, Fault::LoseRequest));
    assert_eq!(outcome(a.commit(&writing(&[(0, "aborted"), (0, "too")]))), "aborted");
    let fired = cluster.fired();
    assert_eq!(fired.iter().map(|fired| fired.message).collect::<Vec<_>>(), [Message::ProduceResponse]);
    a.commit(&writing(&[(0, "second")])).unwrap();
    cluster.settle();
    assert_eq!(seen(&cluster, &at("out", 0)), [(0, "first".to_owned()), (5, "second".to_owned())]);
    assert_eq!(cluster.ends(&at("out", 0)).unwrap(), Ends { start: 0, last_stable: 7, end: 7 });
    let batch = a.read_one(&at("out", 0), 1).unwrap().unwrap();
    assert_eq!(batch.records().map(|record| record.offset).collect::<Vec<_>>(), [5]);
}

#[test]
fn a_transaction_is_told_where_its_records_end() {
    let cluster = cluster(4, 2);
    let mut a = client(&cluster, "a");
    let many: Vec<(i32, &str)> = vec![(0, "x"); 20];
    assert_eq!(a.commit_and_place(&writing(&[(1, "a"), (0, "b"), (1, "c")])).unwrap(), [(at("out", 0), 1), (at("out", 1), 2)]);
    // Behind the mark of the one before.
    assert_eq!(a.commit_and_place(&writing(&many)).unwrap(), [(at("out", 0), 22)]);
    assert_eq!(a.commit_and_place(&Transaction::default()).unwrap(), []);
    cluster.set_plan(Plan::default().at("a", cluster.steps("a") + 4, Fault::LoseRequest));
    assert!(matches!(a.commit_and_place(&writing(&[(0, "aborted")])), Err(CommitError::NotCommitted(_))));
}

#[test]
fn an_open_transaction_holds_later_records_back() {
    let cluster = cluster(1, 1);
    let mut reader = client(&cluster, "reader");
    let mut open = cluster.client(ClientOptions { subscription: vec![], ..options("open") }).unwrap();
    join(&mut reader);
    cluster.append("in", Some(0), (None, Some(b"plain")), &[], 0).unwrap();
    let into_in = |value: &str| {
        let mut transaction = Transaction::default();
        let value = Some(value.as_bytes());
        transaction.push(&Outgoing { topic: "in", partition: Some(0), key: None, value, headers: &[], timestamp_ms: None });
        transaction
    };
    // It dies with its record written and its transaction open.
    cluster.set_plan(Plan::default().at("open", 5, Fault::Crash));
    assert_eq!(outcome(open.commit(&into_in("open"))), "lost");
    assert_eq!((cluster.fired()[0].message, cluster.fired()[0].step), (Message::EndTxn, 5));
    client(&cluster, "b").commit(&into_in("later")).unwrap();
    cluster.settle();
    cluster.append("in", Some(0), (None, Some(b"plain too")), &[], 0).unwrap();
    assert_eq!(cluster.ends(&at("in", 0)).unwrap(), Ends { start: 0, last_stable: 1, end: 5 });
    assert_eq!(read(&mut reader), [("in/0".to_owned(), 0)]);
    assert_eq!(reader.bounds(&at("in", 0)).unwrap(), (0, 1));
    assert_eq!(reader.at_end(&[at("in", 0)]).unwrap(), [(at("in", 0), 1)], "nothing can be read right now");

    assert_eq!((cluster.time_out_transactions(), cluster.time_out_transactions()), (1, 0));
    let waited = reader.poll(&mut Batch::default(), 0, 0, Duration::from_millis(1)).map(|_| cluster.outstanding_markers());
    assert_eq!(waited, Ok(1), "a full batch waits for nothing");
    let mut batch = Batch::default();
    reader.poll(&mut batch, ALL.0, ALL.1, Duration::from_millis(1)).unwrap();
    assert_eq!(batch.records().map(|record| record.offset).collect::<Vec<_>>(), [2, 4], "waiting lets the marker be written");
    assert_eq!(reader.at_end(&[at("in", 0), at("in", 1)]).unwrap(), [(at("in", 0), 6)], "the last mark is behind it");
}

#[test]
fn a_new_producer_ends_what_the_old_one_left() {
    // Where it dies, counted from its first message; whether the transaction counts afterwards.
    let cases =
        [(Message::AddPartitionsToTxn, false), (Message::EndTxn, false), (Message::EndTxnResponse, true), (Message::WriteTxnMarker, true)];
    for (dies_at, counts) in cases {
        let straight = cluster(1, 2);
        client(&straight, "a").commit(&writing_and_moving(&[(0, "x"), (1, "y")], 4)).unwrap();
        straight.settle();
        let step = straight.messages("a").iter().position(|message| *message == dies_at).unwrap() + 1;
        let cluster = cluster(1, 2);
        cluster.set_plan(Plan::default().at("a", step, Fault::Crash));
        let mut first = client(&cluster, "a");
        let ended = first.commit(&writing_and_moving(&[(0, "x"), (1, "y")], 4));
        while cluster.fired().is_empty() {
            assert!(ended.is_ok() && cluster.tick());
        }
        let error = first.rebuild().unwrap_err();
        assert_eq!((error.remedy, &*error.cause), (Remedy::Stop, "crashed by the plan"));
        client(&cluster, "a");
        assert_eq!(cluster.outstanding_markers(), 0, "{dies_at:?}: it waited");
        let expected = if counts { (1, 1, Some(4)) } else { (0, 0, None) };
        assert_eq!((seen(&cluster, &at("out", 0)).len(), seen(&cluster, &at("out", 1)).len(), moved(&cluster)), expected, "{dies_at:?}");
    }
}

#[test]
fn a_fenced_producer_is_told_at_its_next_step() {
    let straight = cluster(1, 1);
    client(&straight, "a").commit(&writing_and_moving(&[(0, "old")], 4)).unwrap();
    let last = straight.steps("a");
    assert_eq!(straight.messages("a")[last - 1], Message::EndTxnResponse);
    for step in 2..=last {
        let cluster = cluster(1, 1);
        let mut old = client(&cluster, "a");
        // Another process takes the name over while this one stalls.
        cluster.set_plan(Plan::default().pause("a", step, |cluster| {
            let mut new = cluster.client(ClientOptions { client_id: "b".into(), ..options("a") }).unwrap();
            new.commit(&writing(&[(0, "new")])).unwrap();
        }));
        let result = old.commit(&writing_and_moving(&[(0, "old")], 4));
        cluster.settle();
        assert_eq!(cluster.fired().len(), 1, "step {step}");
        let values: Vec<String> = seen(&cluster, &at("out", 0)).into_iter().map(|(_, value)| value).collect();
        if step == last {
            assert_eq!((outcome(result), values, moved(&cluster)), ("committed", vec!["old".into(), "new".into()], Some(4)));
            continue;
        }
        let Err(CommitError::Lost(error)) = result else { panic!("step {step}: {result:?}") };
        assert_eq!(error.remedy, Remedy::Rebuild, "step {step}: {error}");
        assert_eq!((values, moved(&cluster)), (vec!["new".into()], None), "step {step}");
        assert_eq!(outcome(old.commit(&writing(&[(0, "again")]))), "lost", "it has to be rebuilt");
        old.rebuild().unwrap();
        assert_eq!(outcome(old.commit(&writing(&[(0, "again")]))), "committed");
    }
}

#[test]
fn the_latest_of_one_name_is_the_only_one() {
    let cluster = cluster(1, 1);
    let (mut first, mut second) = (client(&cluster, "a"), client(&cluster, "a"));
    let mut told = vec![outcome(first.commit(&writing(&[(0, "x")]))), outcome(second.commit(&writing(&[(0, "y")])))];
    first.rebuild().unwrap();
    told.extend([outcome(second.commit(&writing(&[(0, "z")]))), outcome(first.commit(&writing(&[(0, "x")])))]);
    assert_eq!(told, ["lost", "committed", "lost", "committed"]);
    cluster.settle();
    assert_eq!(seen(&cluster, &at("out", 0)), [(0, "y".to_owned()), (2, "x".to_owned())]);
}

#[test]
fn a_transaction_that_takes_too_long_is_aborted_and_fenced() {
    let cluster = cluster(1, 1);
    let mut a = client(&cluster, "a");
    cluster.set_plan(Plan::default().pause("a", 7, |cluster| assert_eq!(cluster.time_out_transactions(), 1)));
    assert_eq!(outcome(a.commit(&writing_and_moving(&[(0, "late")], 4))), "lost");
    assert_eq!(cluster.fired()[0].message, Message::EndTxn);
    cluster.settle();
    assert_eq!((seen(&cluster, &at("out", 0)).len(), moved(&cluster)), (0, None));
}

#[test]
fn the_next_transaction_waits_for_the_markers_of_the_last() {
    let cluster = cluster(1, 2);
    let mut a = client(&cluster, "a");
    a.commit(&writing(&[(0, "x"), (1, "y")])).unwrap();
    assert_eq!((cluster.outstanding_markers(), outcome(a.commit(&writing(&[]))), cluster.outstanding_markers()), (2, "committed", 2));
    a.commit(&writing(&[(0, "z")])).unwrap();
    assert_eq!((cluster.outstanding_markers(), seen(&cluster, &at("out", 0)).len(), seen(&cluster, &at("out", 1)).len()), (1, 1, 1));
    let polled = poll(&mut a);
    assert_eq!(cluster.outstanding_markers(), 1, "a poll without a timeout waits for nothing: {polled:?}");
}
