//! One kind of request is never answered: no call waits for ever, and what is committed is known afterwards, and meanwhile as far as it is.

use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use bellwether_kafka::{Client, CommitError, Remedy};
use bellwether_tests::broker::Broker;
use bellwether_tests::proxy::{Proxy, Request};

use crate::steps::{at, behind_a_proxy, beside, write_next};
use crate::support::{assert_values, eventually};

/// How long a transaction may take of which a step is not answered: its records, its offsets, its end, and a moment after each.
const LONGEST: Duration = Duration::from_secs(60);

/// Until then an answer that waits for a transaction has not come, which the broker ends after 15 s.
const MOMENT: Duration = Duration::from_secs(3);

#[test]
fn a_step_that_is_never_answered_is_given_up() {
    let broker = Broker::start();
    let (proxy, mut worker) = behind_a_proxy(&broker);
    let mut next = 0;
    for request in [Request::AddOffsets, Request::CommitOffsets, Request::End, Request::Produce] {
        write_next(&mut worker, &mut next).unwrap_or_else(|error| panic!("before {request:?}: {error}"));
        let (before, start) = (swallowed(&proxy, request), Instant::now());
        proxy.swallow(Some(request));
        let ended = write_next(&mut worker, &mut next);
        println!("{request:?}: {ended:?} after {:?}, {} answers swallowed", start.elapsed(), swallowed(&proxy, request) - before);
        assert!(start.elapsed() < LONGEST, "{request:?} took {:?}", start.elapsed());
        assert!(swallowed(&proxy, request) > before, "no answer to {request:?} was swallowed");
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

/// A process that was killed between its offsets and the end of their transaction leaves it open; who starts then asks what is committed so far.
#[test]
fn an_open_transaction_does_not_keep_from_knowing_what_is_committed_so_far() {
    let broker = Broker::start();
    let (proxy, mut worker) = behind_a_proxy(&broker);
    let mut next = 0;
    write_next(&mut worker, &mut next).unwrap_or_else(|error| panic!("{error}"));
    proxy.swallow(Some(Request::CommitOffsets));
    scope(|scope| {
        let writing = scope.spawn(|| write_next(&mut worker, &mut next));
        eventually("the offsets lie with the broker", || swallowed(&proxy, Request::CommitOffsets) > 0);
        let asking = scope.spawn(|| beside(&broker, "patient").committed(&[at()]));
        let start = Instant::now();
        let so_far = beside(&broker, "prompt").committed_so_far(&[at()]).unwrap_or_else(|error| panic!("{error}"));
        println!("committed so far: {so_far:?} after {:?}", start.elapsed());
        sleep(MOMENT);
        assert!(!writing.is_finished() && !asking.is_finished(), "the transaction was not open");
        assert_eq!(so_far[0].as_ref().map(|committed| committed.metadata.as_str()), Some("1"));
        let (ended, committed) = (writing.join().expect("no panic"), asking.join().expect("no panic"));
        println!("its end: {ended:?}; committed then: {committed:?} after {:?}", start.elapsed());
        assert!(matches!(ended, Err(CommitError::Lost(_))), "{ended:?}");
        assert_eq!(committed.unwrap_or_else(|error| panic!("{error}")), so_far);
    });
}

/// How many answers to such requests never came.
fn swallowed(proxy: &Proxy, request: Request) -> u64 {
    proxy.answers().iter().find(|(kind, _)| *kind == request).map_or(0, |(_, answers)| answers.lost)
}
