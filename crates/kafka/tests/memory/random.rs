//! Workers that crash, stall, lose messages and expire at random: transactions stay whole, and offsets move with the records.

use std::collections::BTreeMap;

use bellwether_kafka::memory::{Cluster, Fault, Plan};

use crate::copier::{COPIES, Copier, Outcomes, assert_exactly_once, fill, is_done};
use crate::support::{at, cluster};

const PARTITIONS: i32 = 4;
const WORKERS: usize = 3;
const TURNS: usize = 400;
const SEEDS: u64 = 200;

/// Messages that get lost, crashes, and stalls during which the group takes the worker for dead and somebody else goes on.
fn plan(seed: u64, random: &mut fastrand::Rng) -> Plan {
    let plan = Plan::seeded(seed, 25, &[Fault::Crash, Fault::LoseRequest, Fault::LoseResponse]);
    (0..10).fold(plan, |plan, _| {
        let (name, step) = (format!("w{}", random.usize(..WORKERS)), random.usize(2..300));
        plan.pause(&name.clone(), step, move |cluster| {
            cluster.expire(&name);
            let mut guest = Copier::new("guest");
            (0..12).for_each(|_| guest.step(cluster, 4));
        })
    })
}

/// Lets one thing happen. The first copiers work; the others are former processes of the same names that are still there.
fn turn(cluster: &Cluster, copiers: &mut Vec<Copier>, random: &mut fastrand::Rng) {
    match random.u32(..100) {
        0..5 => fill(cluster, PARTITIONS, random.usize(1..12)),
        5..10 => _ = cluster.expire(&format!("w{}", random.usize(..WORKERS))),
        10..15 => _ = cluster.time_out_transactions(),
        15..20 => _ = cluster.tick(),
        20 if copiers.len() < 2 * WORKERS => {
            let worker = random.usize(..WORKERS);
            let again = Copier::new(&copiers[worker].name);
            let last = copiers.len();
            copiers.push(again);
            copiers.swap(worker, last);
        }
        _ => {
            let turn = random.usize(..copiers.len());
            copiers[turn].step(cluster, random.usize(1..9));
        }
    }
}

/// Lets everybody work without faults until all is copied.
fn finish(cluster: &Cluster, copiers: &mut [Copier], seed: u64) {
    // Two of one name would fence each other for ever.
    let (workers, former) = copiers.split_at_mut(WORKERS);
    former.iter_mut().for_each(Copier::stop);
    for turn in 0..1_000 {
        if is_done(cluster, PARTITIONS) {
            cluster.settle();
            return;
        }
        cluster.time_out_transactions();
        if turn % 20 == 0 {
            // Nobody dies any more, but those that died may still be members, and be waited for.
            cluster.owners("g").iter().for_each(|(name, _)| _ = cluster.expire(name));
        }
        workers.iter_mut().for_each(|copier| copier.step(cluster, 8));
    }
    panic!("seed {seed}: it does not end");
}

/// Runs one seed; returns the log as text, what the workers were told, and which faults fired.
fn run(seed: u64) -> (String, Outcomes, BTreeMap<Fault, usize>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let cluster = cluster(seed, COPIES.max(PARTITIONS as usize));
    cluster.set_plan(plan(seed, &mut random));
    let mut copiers: Vec<Copier> = (0..WORKERS).map(|number| Copier::new(&format!("w{number}"))).collect();
    for number in 1..=TURNS {
        turn(&cluster, &mut copiers, &mut random);
        if number % 50 == 0 {
            cluster.time_out_transactions();
            cluster.settle();
            assert_exactly_once(&cluster, PARTITIONS, &format!("seed {seed}, turn {number}"));
        }
    }
    let mut fired = BTreeMap::new();
    cluster.fired().into_iter().for_each(|happened| *fired.entry(happened.fault).or_default() += 1);
    cluster.set_plan(Plan::default());
    finish(&cluster, &mut copiers, seed);
    assert_exactly_once(&cluster, PARTITIONS, &format!("seed {seed}, at the end"));
    let told = copiers.iter().map(|copier| copier.outcomes).sum();
    let log: Vec<_> = (0..PARTITIONS).map(|partition| cluster.records(&at("out", partition)).unwrap()).collect();
    (format!("{log:?} {:?}", cluster.committed_offsets("g")), told, fired)
}

#[test]
fn transactions_stay_whole_and_offsets_move_with_them() {
    let (mut told, mut fired) = (Vec::new(), BTreeMap::<Fault, usize>::new());
    for seed in 0..SEEDS {
        let (_, outcomes, faults) = run(seed);
        told.push(outcomes);
        faults.into_iter().for_each(|(fault, count)| *fired.entry(fault).or_default() += count);
    }
    let told: Outcomes = told.into_iter().sum();
    println!("seeds 0 to {}: {told:?}, {fired:?}", SEEDS - 1);
    let seeds = SEEDS as usize;
    assert!(told.committed > 10 * seeds && told.aborted > seeds && told.lost > seeds && told.revoked > seeds, "{told:?}");
    let every =
        [Fault::Crash, Fault::LoseRequest, Fault::LoseResponse].iter().all(|fault| fired.get(fault).is_some_and(|count| *count > seeds));
    assert!(every, "{fired:?}");
}

#[test]
fn the_same_seed_gives_the_same_log() {
    assert_eq!((run(5), run(6)), (run(5), run(6)));
    assert_ne!(run(5).0, run(6).0);
}

#[test]
fn clients_may_run_in_threads() {
    for seed in 0..10 {
        let cluster = cluster(seed, COPIES.max(PARTITIONS as usize));
        fill(&cluster, PARTITIONS, 200);
        cluster.set_plan(Plan::seeded(seed, 40, &[Fault::LoseRequest, Fault::LoseResponse]));
        std::thread::scope(|scope| {
            for number in 0..WORKERS {
                let cluster = cluster.clone();
                scope.spawn(move || {
                    let mut copier = Copier::new(&format!("w{number}"));
                    while !is_done(&cluster, PARTITIONS) {
                        copier.step(&cluster, 5);
                    }
                });
            }
        });
        cluster.settle();
        assert!(!cluster.fired().is_empty());
        assert_exactly_once(&cluster, PARTITIONS, &format!("seed {seed}, in threads"));
    }
}
