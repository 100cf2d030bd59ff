//! Workers that crash, stall, lose messages and expire at random: transactions stay whole, and offsets move with the records.

use std::collections::BTreeMap;

use bellwether_kafka::memory::{Fault, Plan};

use crate::copier::{COPIES, Copier, Outcomes, assert_exactly_once, fill, is_done};
use crate::support::{at, cluster};

const PARTITIONS: i32 = 4;
const WORKERS: usize = 3;
const TURNS: usize = 400;
const SEEDS: u64 = 200;

/// Runs one seed; returns the log as text, what was told, and which faults fired.
fn run(seed: u64) -> (String, Outcomes, BTreeMap<Fault, usize>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let cluster = cluster(seed, COPIES.max(PARTITIONS as usize));
    let faults = [Fault::Crash, Fault::LoseRequest, Fault::LoseResponse];
    cluster.set_plan(Plan::seeded(seed, 25, &faults));
    let mut copiers: Vec<Copier> = (0..WORKERS).map(|number| Copier::new(&format!("w{number}"))).collect();
    for turn in 0..TURNS {
        match random.u32(..20) {
            0 => fill(&cluster, PARTITIONS, random.usize(1..12)),
            1 => _ = cluster.expire(&format!("w{}", random.usize(..WORKERS))),
            2 => _ = cluster.time_out_transactions(),
            3 => _ = cluster.tick(),
            _ => copiers[random.usize(..WORKERS)].step(&cluster, random.usize(1..9)),
        }
        if turn % 50 == 49 {
            cluster.time_out_transactions();
            cluster.settle();
            assert_exactly_once(&cluster, PARTITIONS, &format!("seed {seed}, turn {turn}"));
        }
    }
    let fired = cluster.fired().into_iter().fold(BTreeMap::new(), |mut counts, fired| {
        *counts.entry(fired.fault).or_default() += 1;
        counts
    });
    cluster.set_plan(Plan::default());
    for turn in 0.. {
        if is_done(&cluster, PARTITIONS) {
            break;
        }
        assert!(turn < 1_000, "seed {seed}: it does not end");
        cluster.time_out_transactions();
        // Nobody is dead any more, but dead members may still be waited for.
        (0..WORKERS).filter(|_| turn % 20 == 0).for_each(|number| while cluster.expire(&format!("w{number}")) {});
        copiers.iter_mut().for_each(|copier| copier.step(&cluster, 8));
    }
    cluster.settle();
    assert_exactly_once(&cluster, PARTITIONS, &format!("seed {seed}, at the end"));
    let told = copiers.iter().fold(Outcomes::default(), |sum, copier| Outcomes {
        committed: sum.committed + copier.outcomes.committed,
        aborted: sum.aborted + copier.outcomes.aborted,
        lost: sum.lost + copier.outcomes.lost,
        revoked: sum.revoked + copier.outcomes.revoked,
    });
    let log: Vec<_> = (0..PARTITIONS).map(|partition| cluster.records(&at("out", partition)).unwrap()).collect();
    (format!("{log:?} {:?}", cluster.committed_offsets("g")), told, fired)
}

#[test]
fn transactions_stay_whole_and_offsets_move_with_them() {
    let (mut told, mut fired) = (Outcomes::default(), BTreeMap::<Fault, usize>::new());
    for seed in 0..SEEDS {
        let (_, outcomes, faults) = run(seed);
        told.committed += outcomes.committed;
        told.aborted += outcomes.aborted;
        told.lost += outcomes.lost;
        told.revoked += outcomes.revoked;
        faults.into_iter().for_each(|(fault, count)| *fired.entry(fault).or_default() += count);
    }
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
