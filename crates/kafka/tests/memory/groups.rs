//! Groups: partitions change hands only when their owner knows or is dead, and offsets only under the present generation.

use std::time::Duration;

use bellwether_kafka::memory::{Cluster, Fault, MemoryClient, Message, Plan};
use bellwether_kafka::{Batch, Client, CommitError, CommittedOffset, Polled, Remedy, TopicPartition, Transaction};

use crate::support::{at, client, cluster, join, moved, outcome, poll, read, seen, writing, writing_and_moving};

fn partitions(polled: Polled) -> (char, Vec<i32>) {
    let numbers = |list: Vec<TopicPartition>| list.into_iter().map(|at| at.partition).collect();
    match polled {
        Polled::Records => ('=', Vec::new()),
        Polled::Assigned(list) => ('+', numbers(list)),
        Polled::Revoked(list) => ('-', numbers(list)),
    }
}

/// Polls clients in this order, each by its place, and tells what each was told.
fn rounds(clients: &mut [MemoryClient], order: &[usize]) -> Vec<(char, Vec<i32>)> {
    order.iter().map(|client| partitions(poll(&mut clients[*client]))).collect()
}

fn owned(cluster: &Cluster) -> Vec<(String, Vec<i32>)> {
    cluster.owners("g").into_iter().map(|(name, list)| (name, list.into_iter().map(|at| at.partition).collect())).collect()
}

#[test]
fn a_partition_changes_hands_when_its_owner_has_been_told() {
    let cluster = cluster(1, 4);
    let mut clients = ["a", "b", "c"].map(|name| client(&cluster, name));
    // a alone; b joins and waits until a has been told.
    assert_eq!(rounds(&mut clients, &[0, 0, 1, 1]), [('+', vec![0, 1, 2, 3]), ('=', vec![]), ('=', vec![]), ('=', vec![])]);
    assert_eq!(rounds(&mut clients, &[0, 0, 1]), [('-', vec![2, 3]), ('=', vec![]), ('+', vec![2, 3])]);
    // c takes as few as evenness wants, and the rest stays where it is.
    assert_eq!(rounds(&mut clients, &[2, 1, 0, 2]), [('=', vec![]), ('=', vec![]), ('-', vec![1]), ('+', vec![1])]);
    // b leaves, as a clean stop does: its partitions are free at once.
    let mut clients = Vec::from(clients);
    drop(clients.remove(1));
    assert_eq!(rounds(&mut clients, &[0, 1]), [('+', vec![2]), ('+', vec![3])]);
    assert_eq!(owned(&cluster), [("a".to_owned(), vec![0, 2]), ("c".to_owned(), vec![1, 3])]);
}

#[test]
fn a_member_that_is_declared_dead_loses_all_at_once() {
    let cluster = cluster(1, 2);
    let mut clients = ["zombie", "b"].map(|name| client(&cluster, name));
    join(&mut clients[0]);
    assert_eq!(rounds(&mut clients, &[1]), [('=', vec![])]);
    assert!(cluster.expire("zombie") && !cluster.expire("zombie"));
    assert_eq!(rounds(&mut clients, &[1]), [('+', vec![0, 1])], "the other does not wait for a poll of the dead");
    assert_eq!(outcome(clients[0].commit(&writing_and_moving(&[(0, "late")], 3))), "aborted");
    assert_eq!(rounds(&mut clients, &[0, 0, 1, 0]), [('-', vec![0, 1]), ('=', vec![]), ('-', vec![1]), ('+', vec![1])]);
    cluster.settle();
    assert_eq!((moved(&cluster), seen(&cluster, &at("out", 0)).len()), (None, 0));
}

#[test]
fn a_crashed_member_keeps_its_partitions_until_it_expires() {
    let cluster = cluster(1, 1);
    let mut first = client(&cluster, "a");
    join(&mut first);
    assert!(cluster.crash("a") && !cluster.crash("a"));
    drop(first);
    let mut second = client(&cluster, "a");
    assert_eq!(poll(&mut second), Polled::Records);
    assert!(cluster.expire("a"), "the one that joined first");
    assert_eq!(poll(&mut second), Polled::Assigned(vec![at("in", 0)]));
}

#[test]
fn reading_starts_where_the_answer_says() {
    let cluster = cluster(1, 1);
    let mut a = client(&cluster, "a");
    for value in ["0", "1", "2"] {
        cluster.append("in", Some(0), (None, Some(value.as_bytes())), &[], 0).unwrap();
    }
    assert_eq!((poll(&mut a), poll(&mut a)), (Polled::Assigned(vec![at("in", 0)]), Polled::Records));
    assert_eq!(a.seek(&[(at("in", 0), 0)]).unwrap_err().remedy, Remedy::Retry, "not yet answered");
    assert_eq!(a.assign(&[(at("in", 0), 1), (at("out", 0), 0)]).unwrap_err().remedy, Remedy::Stop, "nobody asked for the second");
    assert_eq!(read(&mut a), []);
    a.assign(&[(at("in", 0), 1)]).unwrap();
    assert_eq!(a.assign(&[(at("in", 0), 1)]).unwrap_err().remedy, Remedy::Stop, "answered already");
    assert_eq!(read(&mut a), [("in/0".to_owned(), 1), ("in/0".to_owned(), 2)]);
    a.seek(&[(at("in", 0), 2)]).unwrap();
    assert_eq!(read(&mut a), [("in/0".to_owned(), 2)]);

    a.rebuild().unwrap();
    assert_eq!(poll(&mut a), Polled::Assigned(vec![at("in", 0)]), "assignments come anew");
    cluster.expire("a");
    assert_eq!(a.assign(&[(at("in", 0), 1)]).unwrap_err().remedy, Remedy::Retry, "over already");
    assert_eq!(poll(&mut a), Polled::Revoked(vec![at("in", 0)]));
}

#[test]
fn a_poll_ends_when_the_batch_is_full() {
    for seed in 0..20 {
        let cluster = cluster(seed, 2);
        let mut a = client(&cluster, "a");
        for number in 0..40 {
            cluster.append("in", Some(number % 2), (Some(b"12"), Some(b"345")), &[], 0).unwrap();
        }
        join(&mut a);
        let mut batch = Batch::default();
        for (max_records, max_bytes, records) in [(7, usize::MAX, 7), (7, usize::MAX, 7), (usize::MAX, 51, 11), (0, 0, 11), (90, 900, 40)] {
            assert_eq!(a.poll(&mut batch, max_records, max_bytes, Duration::ZERO).unwrap(), Polled::Records);
            assert_eq!(batch.len(), records, "seed {seed}");
        }
        for partition in 0..2 {
            let offsets: Vec<u64> = batch.records().filter(|record| record.at.partition == partition).map(|record| record.offset).collect();
            assert_eq!(offsets, (0..20).collect::<Vec<_>>(), "seed {seed}");
        }
    }
}

#[test]
fn offsets_of_an_old_generation_are_refused() {
    let cluster = cluster(1, 2);
    let mut a = client(&cluster, "a");
    join(&mut a);
    let joining = || Plan::default().pause("a", 6, |cluster| assert_eq!(poll(&mut client(cluster, "b")), Polled::Records));
    cluster.set_plan(joining());
    let Err(CommitError::NotCommitted(error)) = a.commit(&writing_and_moving(&[(0, "x")], 3)) else { panic!("it was not refused") };
    assert_eq!((cluster.fired()[0].message, error.remedy), (Message::TxnOffsetCommit, Remedy::Retry));
    cluster.settle();
    assert_eq!((moved(&cluster), seen(&cluster, &at("out", 0)).len()), (None, 0));
    // It still owns what it owned, and what is fresh is accepted.
    assert_eq!(outcome(a.commit(&writing_and_moving(&[(0, "x")], 3))), "committed");
    cluster.settle();
    assert_eq!((moved(&cluster), seen(&cluster, &at("out", 0)).len()), (Some(3), 1));
}

#[test]
fn offsets_carry_metadata_of_a_limited_size() {
    let cluster = cluster(1, 1);
    let mut a = client(&cluster, "a");
    for (length, expected) in [(0, "committed"), (4_096, "committed"), (4_097, "aborted")] {
        let mut transaction = Transaction::default();
        let committed = CommittedOffset { offset: length as u64, metadata: "m".repeat(length) };
        transaction.commit_offset(at("in", 0), committed.clone());
        assert_eq!(outcome(a.commit(&transaction)), expected, "{length}");
        let found = a.committed(&[at("in", 0)]).unwrap().remove(0).unwrap();
        assert_eq!(found == committed, expected == "committed", "{length}");
    }
    assert_eq!(a.committed(&[at("in", 7), at("none", 0)]).unwrap(), [None, None]);
}

#[test]
fn offsets_that_are_pending_are_waited_for() {
    let cluster = cluster(1, 1);
    let (mut a, mut b) = (client(&cluster, "a"), client(&cluster, "b"));
    a.commit(&writing_and_moving(&[(0, "x")], 3)).unwrap();
    assert_eq!((moved(&cluster), cluster.outstanding_markers()), (None, 2));
    assert_eq!(b.committed(&[at("in", 1)]).unwrap(), [None]);
    assert_eq!(cluster.outstanding_markers(), 2, "nothing of that partition is pending");
    let found = b.committed(&[at("in", 0)]).unwrap().remove(0);
    assert_eq!(found, Some(CommittedOffset { offset: 3, metadata: "at 3".into() }));

    // A transaction that is open with offsets in it: nobody can tell how it will end.
    cluster.settle();
    cluster.set_plan(Plan::default().at("a", cluster.steps("a") + 6, Fault::Crash));
    assert_eq!(outcome(a.commit(&writing_and_moving(&[(0, "y")], 4))), "lost");
    assert_eq!(cluster.fired()[0].message, Message::EndTxn);
    assert_eq!(b.committed(&[at("in", 0)]).unwrap_err().remedy, Remedy::Retry);
    cluster.time_out_transactions();
    assert_eq!(b.committed(&[at("in", 0)]).unwrap().remove(0).unwrap().offset, 3);
}

#[test]
fn who_is_no_member_is_not_fenced() {
    let cluster = cluster(1, 1);
    let (mut owner, mut outsider) = (client(&cluster, "owner"), client(&cluster, "outsider"));
    join(&mut owner);
    assert_eq!(outcome(outsider.commit(&writing_and_moving(&[], 8))), "committed", "as Kafka has it: never commit what is not yours");
    outsider.commit(&writing(&[(0, "x")])).unwrap();
    cluster.settle();
    assert_eq!(moved(&cluster), Some(8));
    assert_eq!(poll(&mut outsider), Polled::Records);
    assert_eq!(outcome(outsider.commit(&writing_and_moving(&[], 9))), "committed", "a member may, owner or not");
}
