//! A broker that dies and comes back in the midst of transactions.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_kafka::{BrokerOptions, Client, CommitError, CommittedOffset, KafkaError, Remedy, TopicPartition};
use bellwether_tests::broker::Broker;
use bellwether_tests::company::Random;

use crate::support::{LONG, Worker, assert_values, make_topic, options, transaction};

/// How long a fault lasts at most: librdkafka may wait for a frozen broker longer than it was told, and gives up what it was doing afterwards.
const LONGEST_FAULT: Duration = Duration::from_secs(25);

/// Numbers are written one a transaction, each together with an offset beside which the next number stands. Whatever happens to the broker, what
/// is committed tells the truth, so that each number is there once.
struct Numbers {
    worker: Worker,
    at: TopicPartition,
    next: u64,
    aborted: u32,
    lost: u32,
    /// The client has to be built anew, once the broker is back.
    is_lost: bool,
    start: Instant,
}

#[test]
fn what_is_committed_is_known_after_the_broker_died() {
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = Random(seed);
    let mut broker = Broker::start();
    make_topic(&broker, "deaths", 1);
    make_topic(&broker, "deaths-out", 1);
    // A member with a name of its own gets its partition back at once, although the broker never heard that it left.
    let static_member = BrokerOptions { group_instance_id: Some("one".into()), ..options(&broker, "deaths", "deaths") };
    let mut numbers = Numbers::new(static_member);

    // A short death: the client waits, and tries again.
    quiet();
    broker.kill();
    while_writing(&mut numbers, 0, |_| broker.restart());
    let short = (numbers.aborted, numbers.lost);
    // Frozen in the midst of a transaction, until it is given up: it may have been committed, or not.
    while_writing(&mut numbers, random.below(300), |is_hit| {
        broker.suspend();
        wait_for(is_hit);
        broker.resume();
    });
    assert!(numbers.lost > short.1, "the frozen broker was not noticed");
    // Dead until a transaction is given up.
    let before = numbers.lost;
    quiet();
    broker.kill();
    while_writing(&mut numbers, 0, |is_hit| {
        wait_for(is_hit);
        broker.restart();
    });
    assert!(numbers.lost > before, "the dead broker was not noticed");

    println!("{} committed; {} aborted, {} lost, {short:?} of them by the short death", numbers.next, numbers.aborted, numbers.lost);
    let expected: Vec<String> = (0..numbers.next).map(|number| number.to_string()).collect();
    assert_values(&broker, "deaths-out", 0, &expected);
}

/// Waits until the marks of the last transaction are surely written. A cluster of one broker that is killed before may lose them for good: when it
/// starts, it does not know yet where the leaders are, itself, and takes their partitions for deleted.
fn quiet() {
    thread::sleep(Duration::from_secs(1));
}

/// Writes while the fault happens, after a while, and until some more numbers are committed.
fn while_writing(numbers: &mut Numbers, after_ms: u64, fault: impl FnOnce(&AtomicBool) + Send) {
    let is_hit = AtomicBool::new(false);
    thread::scope(|scope| {
        let culprit = scope.spawn(|| {
            thread::sleep(Duration::from_millis(after_ms));
            fault(&is_hit);
        });
        let (start, before) = (Instant::now(), numbers.lost);
        while !culprit.is_finished() {
            numbers.write_next();
            is_hit.store(numbers.lost > before, Ordering::Relaxed);
        }
        culprit.join().expect("the broker starts again");
        let target = numbers.next + 20;
        while numbers.next < target {
            numbers.write_next();
            assert!(start.elapsed() < 2 * LONG, "no transaction succeeds any more: {:?}", numbers.worker.told);
        }
        println!("over after {:?}", start.elapsed());
    });
}

fn wait_for(is_hit: &AtomicBool) {
    let start = Instant::now();
    while !is_hit.load(Ordering::Relaxed) && start.elapsed() < LONGEST_FAULT {
        thread::sleep(Duration::from_millis(10));
    }
}

impl Numbers {
    fn new(options: BrokerOptions) -> Self {
        let at = TopicPartition::new("deaths", 0);
        let mut worker = Worker::new(options);
        worker.until("the partition comes", |worker| worker.mine.len() == 1);
        Self { worker, at, next: 0, aborted: 0, lost: 0, is_lost: false, start: Instant::now() }
    }

    fn write_next(&mut self) {
        // The broker may be down.
        if self.is_lost {
            match self.rebuild() {
                Ok(()) => println!("{:?}: built anew, {} are committed", self.start.elapsed(), self.next),
                Err(error) => return println!("{:?}: {error}", self.start.elapsed()),
            }
        }
        if let Err(error) = self.worker.step() {
            println!("{:?}: {error}", self.start.elapsed());
            if error.remedy == Remedy::Rebuild {
                self.is_lost = true;
                self.worker.mine.clear();
                return;
            }
        }
        if !self.worker.mine.contains(&self.at) {
            return;
        }
        let mut transaction = transaction("deaths-out", &[(0, &self.next.to_string())]);
        transaction.commit_offset(self.at.clone(), CommittedOffset { offset: 0, metadata: (self.next + 1).to_string() });
        match self.worker.client.commit(&transaction) {
            Ok(()) => self.next += 1,
            Err(CommitError::NotCommitted(error)) => {
                println!("{:?}: {error}", self.start.elapsed());
                self.aborted += 1;
            }
            Err(CommitError::Lost(error)) => {
                println!("{:?}: {error}", self.start.elapsed());
                self.lost += 1;
                self.is_lost = true;
                self.worker.mine.clear();
            }
        }
    }

    /// Builds the client anew, and asks what is committed.
    fn rebuild(&mut self) -> Result<(), KafkaError> {
        self.worker.client.rebuild()?;
        let committed = self.worker.client.committed(std::slice::from_ref(&self.at))?;
        self.next = committed[0].as_ref().map_or(0, |committed| committed.metadata.parse().expect("it was written so"));
        self.is_lost = false;
        Ok(())
    }
}
