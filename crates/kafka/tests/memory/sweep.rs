//! Every step of a run goes wrong once, in every way, and nothing is lost or doubled.

use bellwether_kafka::memory::{Cluster, Fault, Message, Plan};

use crate::copier::{COPIES, Copier, assert_exactly_once, fill, is_done};
use crate::support::cluster;

const PARTITIONS: i32 = 3;
const RECORDS: usize = 12;
const TURNS_MAX: usize = 2_000;

fn run(plan: Plan, copiers: &mut [Copier], context: &str) -> Cluster {
    let cluster = cluster(11, COPIES.max(PARTITIONS as usize));
    fill(&cluster, PARTITIONS, RECORDS);
    cluster.set_plan(plan);
    let mut turns = 0;
    while !is_done(&cluster, PARTITIONS) {
        copiers.iter_mut().for_each(|copier| copier.step(&cluster, 4));
        turns += 1;
        assert!(turns < TURNS_MAX, "{context}: it does not end");
        if turns % 20 == 0 {
            // What the dead have left is cleaned up: members that have come back under the same name, and transactions.
            expire_former(&cluster);
            cluster.time_out_transactions();
        }
    }
    cluster.settle();
    assert_exactly_once(&cluster, PARTITIONS, context);
    cluster
}

/// Declares members dead of whose name there is a later one.
fn expire_former(cluster: &Cluster) {
    let names: Vec<String> = cluster.owners("g").into_iter().map(|(name, _)| name).collect();
    for (index, name) in names.iter().enumerate() {
        if names[index + 1..].contains(name) {
            cluster.expire(name);
        }
    }
}

#[test]
fn each_step_fails_once_in_each_way() {
    let straight = run(Plan::default(), &mut [Copier::new("a"), Copier::new("b")], "straight");
    let messages = straight.messages("a");
    assert!(messages.contains(&Message::TxnOffsetCommit) && messages.contains(&Message::WriteTxnMarker), "{messages:?}");
    let mut runs = 0;
    for fault in [Fault::Crash, Fault::LoseRequest, Fault::LoseResponse] {
        for step in 1..=straight.steps("a") {
            let context = format!("{fault:?} at step {step}, {:?}", messages[step - 1]);
            let cluster = run(Plan::default().at("a", step, fault), &mut [Copier::new("a"), Copier::new("b")], &context);
            let fired = cluster.fired();
            assert_eq!((fired.len(), fired[0].message, fired[0].fault), (1, messages[step - 1], fault), "{context}");
            runs += 1;
        }
    }
    assert!(runs > 60, "{runs}");
}

#[test]
fn another_worker_takes_over_while_one_stalls_at_each_step() {
    let straight = run(Plan::default(), &mut [Copier::new("a")], "straight");
    let mut takeovers = 0;
    for step in 1..=straight.steps("a") {
        let context = format!("stalled at step {step}, {:?}", straight.messages("a")[step - 1]);
        let plan = Plan::default().pause("a", step, |cluster| {
            cluster.expire("a");
            let mut other = Copier::new("b");
            (0..40).for_each(|_| other.step(cluster, 4));
        });
        let cluster = run(plan, &mut [Copier::new("a")], &context);
        assert_eq!(cluster.fired().len(), 1, "{context}");
        takeovers += usize::from(cluster.messages("b").contains(&Message::EndTxnResponse));
    }
    assert!(takeovers > 10, "{takeovers}");
}
