//! A request of one transaction that arrives during the next: a connection was cut, the client sent it again, and a slow network or broker has the
//! first one still. It must not count, or what the next transaction holds would be published, and its offset would not be committed with it.

use bellwether_kafka::{BrokerClient, BrokerOptions, Client, CommitError, TopicPartition};
use bellwether_tests::broker::Broker;
use bellwether_tests::proxy::Request;

use crate::steps::{at, behind_a_proxy, beside, through_a_proxy, write_next};
use crate::support::{assert_values, eventually, make_topic, options, transaction, values};

#[test]
fn offsets_of_the_transaction_before_do_not_set_the_next_back() {
    let broker = Broker::start();
    let (proxy, mut worker) = behind_a_proxy(&broker);
    let mut next = 0;
    let mut write = |what: &str| write_next(&mut worker, &mut next).unwrap_or_else(|error| panic!("{what}: {error}"));
    write("before");
    proxy.hold_back(Request::CommitOffsets);
    write("with offsets that are sent twice");
    proxy.hand_on_before(Request::End);
    write("with the first of them");
    assert!(proxy.was_late(), "nothing came late");
    let committed = beside(&broker, "observer").committed(&[at()]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(committed[0].as_ref().map(|committed| committed.metadata.as_str()), Some("3"));
}

#[test]
fn the_end_of_the_transaction_before_does_not_end_the_next() {
    let broker = Broker::start();
    let (proxy, mut worker) = behind_a_proxy(&broker);
    let mut next = 0;
    write_next(&mut worker, &mut next).unwrap_or_else(|error| panic!("{error}"));
    proxy.hold_back(Request::End);
    write_next(&mut worker, &mut next).unwrap_or_else(|error| panic!("its end is sent twice: {error}"));
    // The next one has its record with the broker by then, and never gets any further.
    proxy.hand_on_before(Request::AddOffsets);
    proxy.swallow(Some(Request::AddOffsets));
    let ended = write_next(&mut worker, &mut next);
    assert!(matches!(ended, Err(CommitError::Lost(_))), "{ended:?}");
    assert!(proxy.was_late(), "nothing came late");
    proxy.swallow(None);
    worker.client.rebuild().unwrap_or_else(|error| panic!("{error}"));
    let committed = worker.client.committed(&[at()]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(committed[0].as_ref().map(|committed| committed.metadata.as_str()), Some("2"));
    eventually("the abort is written", || values(&broker, "steps-out", 0) == ["0", "1"]);
}

/// The producer of the next transaction is another one, which notes the places of its records as well.
#[test]
fn a_transaction_after_one_that_was_sent_twice_is_told_where_its_records_end() {
    let broker = Broker::start();
    make_topic(&broker, "late", 1);
    let (proxy, through) = through_a_proxy(&broker);
    let options = BrokerOptions { connection: through, ..options(&broker, "late", "late") };
    let mut writer = BrokerClient::placing(options).unwrap_or_else(|error| panic!("{error}"));
    let at = TopicPartition::new("late", 0);
    proxy.hold_back(Request::End);
    assert_eq!(writer.commit_and_place(&transaction("late", &[(0, "a")])), Ok(vec![(at.clone(), 1)]));
    proxy.hand_on_before(Request::End);
    assert_eq!(writer.commit_and_place(&transaction("late", &[(0, "b"), (0, "c")])), Ok(vec![(at, 4)]));
    assert!(proxy.was_late(), "nothing came late");
    assert_values(&broker, "late", 0, &["a", "b", "c"]);
}
