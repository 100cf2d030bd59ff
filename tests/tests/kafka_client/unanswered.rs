//! One kind of request is never answered: no call waits for ever, and what is committed is known afterwards.

use std::time::{Duration, Instant};

use bellwether_kafka::{BrokerOptions, Client, CommitError, CommittedOffset, ConnectionOptions, Remedy, TopicPartition};
use bellwether_tests::broker::Broker;
use bellwether_tests::proxy::{Proxy, Request};

use crate::support::{Worker, assert_values, connection, make_topic, options, transaction};

/// How long a transaction may take of which a step is not answered: its records, its offsets, its end, and a moment after each.
const LONGEST: Duration = Duration::from_secs(60);

#[test]
fn a_step_that_is_never_answered_is_given_up() {
    let broker = Broker::start();
    make_topic(&broker, "steps", 1);
    make_topic(&broker, "steps-out", 1);
    let proxied = broker.proxied();
    let proxy = Proxy::start(proxied.told, proxied.target, 1);
    let through = ConnectionOptions { bootstrap_servers: format!("127.0.0.1:{}", proxied.told), ..connection(&broker) };
    let mut worker = Worker::new(BrokerOptions { connection: through, ..options(&broker, "steps", "steps") });
    let mut next = 0;
    for request in [Request::AddOffsets, Request::CommitOffsets, Request::End, Request::Produce] {
        write_next(&mut worker, &mut next).unwrap_or_else(|error| panic!("before {request:?}: {error}"));
        let swallowed = || proxy.answers().iter().find(|(kind, _)| *kind == request).map_or(0, |(_, answers)| answers.lost);
        let (before, start) = (swallowed(), Instant::now());
        proxy.swallow(Some(request));
        let ended = write_next(&mut worker, &mut next);
        println!("{request:?}: {ended:?} after {:?}, {} answers swallowed", start.elapsed(), swallowed() - before);
        assert!(start.elapsed() < LONGEST, "{request:?} took {:?}", start.elapsed());
        assert!(swallowed() > before, "no answer to {request:?} was swallowed");
        assert!(matches!(&ended, Err(CommitError::Lost(error)) if error.remedy == Remedy::Rebuild), "{request:?}: {ended:?}");
        proxy.swallow(None);
        worker.mine.clear();
        worker.client.rebuild().unwrap_or_else(|error| panic!("after {request:?}: {error}"));
        let committed = worker.client.committed(&[at()]).unwrap_or_else(|error| panic!("after {request:?}: {error}"));
        next = committed[0].as_ref().map_or(0, |committed| committed.metadata.parse().expect("it was written so"));
    }
    write_next(&mut worker, &mut next).unwrap_or_else(|error| panic!("{error}"));
    // Of those that were given up, the one whose end was not answered is committed, and none of the others.
    assert_eq!(next, 6);
    let expected: Vec<String> = (0..next).map(|number| number.to_string()).collect();
    assert_values(&broker, "steps-out", 0, &expected);
}

fn at() -> TopicPartition {
    TopicPartition::new("steps", 0)
}

/// Writes the next number, with an offset beside which the one after it stands.
fn write_next(worker: &mut Worker, next: &mut u64) -> Result<(), CommitError> {
    worker.until("the partition comes", |worker| worker.mine.len() == 1);
    let mut transaction = transaction("steps-out", &[(0, &next.to_string())]);
    transaction.commit_offset(at(), CommittedOffset { offset: 0, metadata: (*next + 1).to_string() });
    worker.client.commit(&transaction)?;
    *next += 1;
    Ok(())
}
