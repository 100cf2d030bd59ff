//! What a client sees, and what stays in the log, for each message and each way to fail.

use std::time::Duration;

use bellwether_kafka::memory::{Fault, Message, Plan};
use bellwether_kafka::{Batch, Client, Polled, Remedy};

use crate::support::{at, client, cluster, join, moved, options, outcome, poll, seen, writing, writing_and_moving};
use Fault::{Crash, LoseRequest, LoseResponse, Pause};
use Message::{
    AddOffsetsToTxn, AddPartitionsToTxn, EndTxn, EndTxnResponse, InitProducerId, OffsetFetch, Produce, ProduceResponse, TxnOffsetCommit,
    WriteTxnMarker,
};

#[test]
fn every_message_is_a_step() {
    let cluster = cluster(1, 2);
    let mut a = client(&cluster, "a");
    a.commit(&writing_and_moving(&[(0, "x"), (1, "y"), (0, "z")], 1)).unwrap();
    a.committed(&[at("in", 0)]).unwrap();
    cluster.settle();
    let produced = [Produce, ProduceResponse];
    let mut expected = vec![InitProducerId, AddPartitionsToTxn];
    expected.extend([produced, produced].concat());
    expected.extend([AddOffsetsToTxn, TxnOffsetCommit, EndTxn, EndTxnResponse, OffsetFetch]);
    expected.extend([WriteTxnMarker; 3]);
    assert_eq!((cluster.messages("a"), cluster.steps("a"), cluster.steps("b")), (expected, 14, 0));
}

#[test]
fn each_failure_ends_as_it_does_with_kafka() {
    // What the client is told at once, and whether the transaction counts when the producer has been initialised again.
    let cases = [
        (AddPartitionsToTxn, LoseRequest, "lost", false),
        (AddPartitionsToTxn, LoseResponse, "aborted", false),
        (Produce, LoseRequest, "aborted", false),
        (Produce, LoseResponse, "aborted", false),
        (ProduceResponse, LoseRequest, "aborted", false),
        (ProduceResponse, LoseResponse, "aborted", false),
        (AddOffsetsToTxn, LoseRequest, "lost", false),
        (AddOffsetsToTxn, LoseResponse, "lost", false),
        (TxnOffsetCommit, LoseRequest, "lost", false),
        (TxnOffsetCommit, LoseResponse, "lost", false),
        (EndTxn, LoseRequest, "lost", false),
        (EndTxn, LoseResponse, "lost", true),
        (EndTxnResponse, LoseRequest, "lost", true),
        (EndTxnResponse, LoseResponse, "lost", true),
        (WriteTxnMarker, LoseRequest, "committed", true),
        (WriteTxnMarker, LoseResponse, "committed", true),
        (WriteTxnMarker, Crash, "committed", true),
        (EndTxn, Pause, "committed", true),
    ];
    let order = [
        InitProducerId,
        AddPartitionsToTxn,
        Produce,
        ProduceResponse,
        AddOffsetsToTxn,
        TxnOffsetCommit,
        EndTxn,
        EndTxnResponse,
        WriteTxnMarker,
    ];
    for (message, fault, told, counts) in cases {
        let case = format!("{message:?} {fault:?}");
        let cluster = cluster(1, 1);
        let step = order.iter().position(|known| *known == message).unwrap() + 1;
        cluster.set_plan(Plan::default().at("a", step, fault));
        let mut a = client(&cluster, "a");
        assert_eq!(outcome(a.commit(&writing_and_moving(&[(0, "x")], 1))), told, "{case}");
        cluster.settle();
        let fired = cluster.fired();
        assert_eq!((fired.len(), fired[0].message, fired[0].fault, fired[0].step), (1, message, fault, step), "{case}");
        if told == "lost" {
            assert_eq!(outcome(a.commit(&writing(&[(0, "too early")]))), "lost", "{case}: it has to be rebuilt");
        }
        let mut again = client(&cluster, "a");
        let counted = (seen(&cluster, &at("out", 0)).len(), moved(&cluster));
        assert_eq!(counted, if counts { (1, Some(1)) } else { (0, None) }, "{case}");
        assert_eq!(outcome(again.commit(&writing(&[(0, "next")]))), "committed", "{case}");
    }
}

#[test]
fn a_marker_whose_answer_is_lost_is_written_twice() {
    let cluster = cluster(1, 1);
    cluster.set_plan(Plan::default().at("a", 7, LoseResponse));
    client(&cluster, "a").commit(&writing(&[(0, "x")])).unwrap();
    cluster.settle();
    assert_eq!((cluster.fired()[0].message, cluster.fired()[0].step), (WriteTxnMarker, 7));
    assert_eq!((seen(&cluster, &at("out", 0)).len(), cluster.ends(&at("out", 0)).unwrap().end), (1, 3));
}

#[test]
fn an_initialisation_that_is_not_answered_is_tried_again() {
    for (fault, remedy) in [(LoseRequest, Remedy::Retry), (LoseResponse, Remedy::Retry), (Crash, Remedy::Stop)] {
        let cluster = cluster(1, 1);
        let mut a = client(&cluster, "a");
        cluster.set_plan(Plan::default().at("a", 2, fault).at("a", 3, fault));
        assert_eq!((a.rebuild().unwrap_err().remedy, cluster.fired()[0].message), (remedy, InitProducerId), "{fault:?}");
        assert_eq!(cluster.client(options("a")).unwrap_err().remedy, remedy, "{fault:?}");
        assert_eq!((cluster.fired().len(), outcome(client(&cluster, "a").commit(&writing(&[(0, "x")])))), (2, "committed"));
    }
}

#[test]
fn offsets_that_cannot_be_read_are_asked_for_again() {
    let cluster = cluster(1, 1);
    let mut a = client(&cluster, "a");
    cluster.set_plan(Plan::default().at("a", 2, LoseRequest).at("a", 3, LoseResponse).at("a", 5, Crash));
    let mut ask = || a.committed(&[at("in", 0)]).map_err(|error| error.remedy);
    let expected = [Err(Remedy::Retry), Err(Remedy::Retry), Ok(vec![None]), Err(Remedy::Stop), Err(Remedy::Stop)];
    assert_eq!(std::array::from_fn(|_| ask()), expected);
    assert_eq!((cluster.fired().len(), cluster.steps("a")), (3, 5), "the dead send nothing");
}

#[test]
fn a_crash_ends_every_later_call() {
    let cluster = cluster(1, 1);
    let mut a = client(&cluster, "a");
    cluster.crash("a");
    let causes = [
        a.poll(&mut Batch::default(), 1, 1, Duration::ZERO).unwrap_err(),
        a.assign(&[]).unwrap_err(),
        a.seek(&[]).unwrap_err(),
        a.committed(&[]).unwrap_err(),
        a.at_end(&[]).unwrap_err(),
        a.subscribed_partitions().unwrap_err(),
        a.read_one(&at("in", 0), 0).unwrap_err(),
        a.bounds(&at("in", 0)).unwrap_err(),
        a.rebuild().unwrap_err(),
    ];
    assert!(causes.iter().all(|error| error.cause == "crashed by the plan" && error.remedy == Remedy::Stop), "{causes:?}");
    assert_eq!(outcome(a.commit(&writing(&[]))), "lost");
}

#[test]
fn brokers_that_are_down_cost_time_only() {
    let cluster = cluster(1, 1);
    let mut a = client(&cluster, "a");
    join(&mut a);
    // They go down in the middle of a transaction, and after its outcome was decided.
    for (step, counts) in [(7, false), (8, true)] {
        let before = cluster.steps("a");
        cluster.set_plan(Plan::default().pause("a", before + step - 1, |cluster| cluster.set_down(true)));
        assert_eq!(outcome(a.commit(&writing_and_moving(&[(0, "x")], 1))), "lost", "{step}");
        assert_eq!((cluster.fired().last().unwrap().step, cluster.tick()), (before + step - 1, false));
        assert_eq!(a.rebuild().unwrap_err().remedy, Remedy::Retry);
        assert_eq!(a.poll(&mut Batch::default(), 1, 1, Duration::ZERO).unwrap_err().remedy, Remedy::Retry);
        assert_eq!(a.at_end(&[at("in", 0)]).unwrap(), [], "nobody says so");
        cluster.set_down(false);
        a.rebuild().unwrap();
        assert_eq!((moved(&cluster), seen(&cluster, &at("out", 0)).len()), if counts { (Some(1), 1) } else { (None, 0) }, "{step}");
    }
    assert!(matches!(poll(&mut a), Polled::Assigned(_)));
}
