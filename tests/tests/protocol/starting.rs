//! Where an ingest begins: nothing is left out, nothing is taken in twice, and nothing goes into another journal.

use std::collections::BTreeMap;
use std::time::Duration;

use bellwether_codec::event::encode_event;
use bellwether_engine::event::Event;
use bellwether_engine::time::DAY_MS;
use bellwether_kafka::memory::{ClientOptions, Fault, Message, Plan, TimestampType};
use bellwether_kafka::{Batch, Client, CommittedOffset, Outgoing, Polled, TopicPartition, Transaction};
use bellwether_live::error::LiveError;
use bellwether_live::kafka::{BreakerLimits, JournalError};
use bellwether_tests::company::{START, company};
use bellwether_tests::world::{INGEST_GROUP, INPUT, INPUT_PARTITIONS, JOURNAL_ID, PARTITIONS, SECOND_INPUT, World, pack, rule_sets};

use crate::ingest::{Restarting, outcome, take_in};

#[test]
fn inputs_are_not_taken_in_again_because_their_offsets_are_forgotten() {
    let rule_sets = rule_sets();
    let world = World::new(8, &rule_sets);
    world.cluster.set_now_ms(START.0 + 13 * DAY_MS);
    world.produce(&company(8, 3, 12));
    take_in(&world, &mut [Restarting("a", None, BreakerLimits::default())], "at first");
    assert_refused_once_forgotten(&world);
}

/// Once the offsets of the inputs are forgotten, nothing is taken in twice.
#[track_caller]
fn assert_refused_once_forgotten(world: &World) {
    let before = outcome(world);
    forget_offsets(world);
    world.produce(&company(9, 3, 12));
    let mut worker = world.ingest("b", 25, BreakerLimits::default()).expect("it starts");
    let ended = (0..20).find_map(|_| worker.turn().err()).expect("it does not go on");
    assert!(matches!(&ended, LiveError::Journal(JournalError::NothingTakenIn { .. })), "{ended}");
    assert_eq!(outcome(world), before);
}

/// The group's offsets of a topic go with it.
fn forget_offsets(world: &World) {
    for topic in [INPUT, SECOND_INPUT] {
        world.cluster.delete_topic(topic).expect("it is there");
        world.cluster.create_topic(topic, INPUT_PARTITIONS as usize, TimestampType::CreateTime).expect("it is gone");
    }
    assert!(world.cluster.committed_offsets(INGEST_GROUP).is_empty());
}

/// The last that the ingest has done is a transaction of hundreds of records that was aborted; or tools have written often since.
#[test]
fn what_was_taken_in_is_found_behind_what_was_aborted_and_what_tools_have_written() {
    let rule_sets = rule_sets();
    for (aborted, published) in [(400, 0), (0, 40), (400, 40)] {
        let world = World::new(8, &rule_sets);
        world.cluster.set_now_ms(START.0 + 13 * DAY_MS);
        world.produce(&company(8, 3, 12));
        take_in(&world, &mut [Restarting("a", None, BreakerLimits::default())], "at first");
        abort(&world, aborted);
        (2..2 + published).for_each(|number| world.publish_rules(number, pack()));
        assert_refused_once_forgotten(&world);
    }
}

/// A journal in which little was taken in holds that too.
#[test]
fn a_single_record_that_was_taken_in_is_found() {
    let world = World::new(8, &rule_sets());
    world.cluster.set_now_ms(START.0 + 13 * DAY_MS);
    world.produce(&company(8, 3, 12)[..1]);
    let mut worker = world.ingest("a", 25, BreakerLimits::default()).expect("it starts");
    while outcome(&world).0.is_empty() {
        worker.turn().expect("it goes on");
        world.cluster.tick();
    }
    drop(worker);
    assert_refused_once_forgotten(&world);
}

/// Tools may have written to a journal, and one that brings history: the first ingest begins.
#[test]
fn a_first_start_goes_on_whatever_tools_have_written() {
    let rule_sets = rule_sets();
    for imported in [0, 100] {
        let world = World::new(8, &rule_sets);
        world.cluster.set_now_ms(START.0 + 13 * DAY_MS);
        if imported > 0 {
            world.journal(&company(8, 4, 40)[..imported], START);
        }
        (2..20).for_each(|number| world.publish_rules(number, pack()));
        abort(&world, 100);
        let before = outcome(&world).0.len();
        let events = company(9, 3, 12);
        world.produce(&events);
        take_in(&world, &mut [Restarting("a", None, BreakerLimits::default())], "at first");
        assert_eq!(outcome(&world).0.len(), before + events.len());
    }
}

/// Many records of a transaction that never counts stand at the end of each partition of the journal.
fn abort(world: &World, records: usize) {
    if records == 0 {
        return;
    }
    let [group, client_id, transactional_id] = ["killed"; 3].map(str::to_owned);
    let mut client =
        world.cluster.client(ClientOptions { group, client_id, transactional_id, subscription: Vec::new() }).expect("it connects");
    let mut transaction = Transaction::default();
    let headers: [(&str, Option<&[u8]>); 2] = [("watermark", Some(b"0")), ("arrival", Some(b"0"))];
    for number in 0..records * usize::from(PARTITIONS) {
        let partition = Some((number % usize::from(PARTITIONS)) as i32);
        transaction.push(&Outgoing { topic: "journal", partition, key: None, value: Some(b"{}"), headers: &headers, timestamp_ms: None });
    }
    // After a request that adds the partitions, and two messages for each sixteen records, it dies before it can say that they count.
    let before = world.cluster.steps("killed") + 1 + 2 * records.div_ceil(16) * usize::from(PARTITIONS);
    world.cluster.set_plan(Plan::default().at("killed", before + 1, Fault::Crash));
    client.commit(&transaction).expect_err("it is killed");
    assert_eq!(world.cluster.fired().last().map(|fired| fired.message), Some(Message::EndTxn));
    world.cluster.time_out_transactions();
    while world.cluster.tick() {}
}

/// Writes events to the first input topic, as a transactional producer does.
fn produce_in_transaction(world: &World, events: &[Event<'_>]) {
    let [group, client_id, transactional_id] = ["producer"; 3].map(str::to_owned);
    let options = ClientOptions { group, client_id, transactional_id, subscription: Vec::new() };
    let mut transaction = Transaction::default();
    for (event, number) in events.iter().zip(0..) {
        let (mut value, partition, timestamp_ms) = (Vec::new(), Some(number % INPUT_PARTITIONS), Some(event.time.0));
        encode_event(event, &mut value);
        transaction.push(&Outgoing { topic: INPUT, partition, key: None, value: Some(&value), headers: &[], timestamp_ms });
    }
    world.cluster.client(options).expect("it connects").commit(&transaction).expect("it is committed");
    while world.cluster.tick() {}
}

/// Behind the last record of an input stands the mark of its transaction, which retention takes with it.
#[test]
fn an_input_that_is_emptied_once_it_is_taken_in_goes_on() {
    let rule_sets = rule_sets();
    let world = World::new(10, &rule_sets);
    world.cluster.set_now_ms(START.0 + 13 * DAY_MS);
    produce_in_transaction(&world, &company(10, 3, 12));
    take_in(&world, &mut [Restarting("a", None, BreakerLimits::default())], "at first");
    let before = outcome(&world);
    for number in 0..INPUT_PARTITIONS {
        let at = TopicPartition::new(INPUT, number);
        world.cluster.delete_records(&at, u64::MAX).expect("the topic is there");
    }
    produce_in_transaction(&world, &company(11, 3, 12));
    take_in(&world, &mut [Restarting("b", None, BreakerLimits::default())], "afterwards");
    assert_eq!(outcome(&world).0.len(), before.0.len() + company(11, 3, 12).len());
}

/// A topic is made anew while it is read, before anybody notices, and soon has more records than the old one had: reading could go on where it was, and
/// would miss what lies before that. Where it has fewer, reading ends, and whoever starts next reads all of it.
#[test]
fn an_input_that_is_made_anew_while_it_is_read_is_read_from_its_beginning() {
    let rule_sets = rule_sets();
    let old = company(14, 3, 12);
    for new in [company(15, 6, 12), company(15, 1, 3)] {
        let world = World::new(14, &rule_sets);
        world.cluster.set_now_ms(START.0 + 13 * DAY_MS);
        world.produce(&old);
        world.produce_to(SECOND_INPUT, INPUT_PARTITIONS, &company(16, 3, 12));
        let mut worker = Restarting("a", None, BreakerLimits::default());
        take_in(&world, std::slice::from_mut(&mut worker), "at first");
        let before = outcome(&world).0.len();
        world.cluster.replace_topic(INPUT, INPUT_PARTITIONS as usize, TimestampType::CreateTime).expect("it is there");
        world.produce(&new);
        if new.len() < old.len() {
            let ended = worker.1.take().and_then(|mut worker| (0..20).find_map(|_| worker.turn().err())).expect("it does not go on");
            assert!(ended.to_string().contains("out of range"), "{ended}");
        }
        take_in(&world, &mut [worker], "of the new topic");
        assert_eq!(outcome(&world).0.len(), before + new.len(), "after {} come {}", old.len(), new.len());
    }
}

/// What is committed was taken into one journal, and the topic is another one now: nothing of what has come meanwhile goes into that.
#[test]
fn another_journal_gets_nothing_under_the_offsets_of_the_first() {
    let rule_sets = rule_sets();
    for is_told in [true, false] {
        let mut world = World::new(12, &rule_sets);
        world.cluster.set_now_ms(START.0 + 13 * DAY_MS);
        world.produce(&company(12, 3, 12));
        take_in(&world, &mut [Restarting("a", None, BreakerLimits::default())], "at first");
        let committed = world.cluster.committed_offsets(INGEST_GROUP);
        assert!(committed.values().all(|committed| committed.metadata.contains(JOURNAL_ID)));
        if !is_told {
            // As the version before has left it.
            forget_journal(&world, committed);
        }
        let before = outcome(&world).0.len();
        world.produce(&company(13, 3, 12));
        world.ingest_journal = "another".to_owned();
        if is_told {
            let mut worker = world.ingest("b", 25, BreakerLimits::default()).expect("it starts");
            let ended = (0..20).find_map(|_| worker.turn().err()).expect("it does not go on");
            assert!(matches!(&ended, LiveError::Journal(JournalError::TakenInElsewhere { found, .. }) if found == JOURNAL_ID), "{ended}");
            assert_eq!(outcome(&world).0.len(), before);
        } else {
            take_in(&world, &mut [Restarting("b", None, BreakerLimits::default())], "nobody tells of another journal");
            assert_eq!(outcome(&world).0.len(), before + company(13, 3, 12).len());
        }
    }
}

/// Commits the same offsets in the name of the group, without the journal.
fn forget_journal(world: &World, committed: BTreeMap<TopicPartition, CommittedOffset>) {
    let options = ClientOptions {
        group: INGEST_GROUP.to_owned(),
        client_id: "tool".to_owned(),
        transactional_id: "tool".to_owned(),
        subscription: vec![INPUT.to_owned(), SECOND_INPUT.to_owned()],
    };
    let mut client = world.cluster.client(options).expect("it connects");
    let polled = client.poll(&mut Batch::default(), 1, 1, Duration::ZERO);
    assert!(matches!(polled, Ok(Polled::Assigned(_))), "{polled:?}");
    let mut transaction = Transaction::default();
    for (at, CommittedOffset { offset, metadata }) in committed {
        let told = format!(",\"journal\":\"{JOURNAL_ID}\"");
        assert!(metadata.contains(&told), "{metadata}");
        transaction.commit_offset(at, CommittedOffset { offset, metadata: metadata.replace(&told, "") });
    }
    client.commit(&transaction).expect("it is committed");
    while world.cluster.tick() {}
}
