//! A broker that dies and comes back in the midst of transactions.

use std::thread;
use std::time::{Duration, Instant};

use bellwether_kafka::{Client, CommitError, TopicPartition};
use bellwether_tests::broker::Broker;
use bellwether_tests::company::Random;

use crate::support::{LONG, Worker, make_topic, options, values};

/// How often the broker dies.
const DEATHS: u32 = 3;

/// Numbers are written one a transaction, each together with the offset that is the next number. Whatever happens to the broker, the committed
/// offset tells the truth, so that each number is there once.
#[test]
fn what_is_committed_is_known_after_the_broker_died() {
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = Random(seed);
    let mut broker = Broker::start();
    make_topic(&broker, "deaths", 1);
    make_topic(&broker, "deaths-out", 1);
    let mut worker = Worker::new(options(&broker, "deaths", "deaths"));
    let at = TopicPartition::new("deaths", 0);
    worker.until("the partition comes", |worker| worker.mine.len() == 1);
    let (mut next, mut aborted, mut lost) = (0, 0, 0);
    for _ in 0..DEATHS {
        let lives = Duration::from_millis(200 + random.below(400));
        let failed = thread::scope(|scope| {
            let killer = scope.spawn(|| {
                thread::sleep(lives);
                broker.kill();
                broker.restart();
            });
            let before = aborted + lost;
            while !killer.is_finished() || aborted + lost == before {
                if killer.is_finished() && worker.mine.len() == 1 && aborted + lost == before {
                    // It was so quick that no transaction noticed.
                    break;
                }
                write_next(&mut worker, &at, &mut next, &mut aborted, &mut lost);
            }
            killer.join().is_err()
        });
        assert!(!failed, "the broker did not start again");
        let target = next + 5;
        let start = Instant::now();
        while next < target {
            write_next(&mut worker, &at, &mut next, &mut aborted, &mut lost);
            assert!(start.elapsed() < LONG, "no transaction succeeds any more: {:?}", worker.told);
        }
    }
    println!("{next} committed; {aborted} aborted, {lost} lost");
    assert!(aborted + lost > 0, "no transaction was hit: the test has tested nothing");
    let expected: Vec<String> = (0..next).map(|number| number.to_string()).collect();
    assert_eq!(values(&broker, "deaths-out", 0), expected);
}

fn write_next(worker: &mut Worker, at: &TopicPartition, next: &mut u64, aborted: &mut u32, lost: &mut u32) {
    // The broker may be down.
    let _ = worker.step();
    if !worker.mine.contains(at) {
        return;
    }
    match worker.commit("deaths-out", &[(0, &next.to_string())], at, *next + 1) {
        Ok(()) => *next += 1,
        Err(CommitError::NotCommitted(_)) => *aborted += 1,
        Err(CommitError::Lost(_)) => {
            *lost += 1;
            *next = truth(worker, at);
        }
    }
}

/// Builds the client anew, and asks what is committed.
fn truth(worker: &mut Worker, at: &TopicPartition) -> u64 {
    let start = Instant::now();
    worker.mine.clear();
    loop {
        match worker.client.rebuild().and_then(|()| worker.client.committed(std::slice::from_ref(at))) {
            Ok(committed) => return committed[0].as_ref().map_or(0, |committed| committed.offset),
            Err(error) => assert!(start.elapsed() < LONG, "the client cannot be built anew: {error}"),
        }
        thread::sleep(Duration::from_millis(100));
    }
}
