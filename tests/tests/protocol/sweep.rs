//! Processing workers that fail, stall and are taken over at each step of the protocol: every message fails in every way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bellwether_kafka::TopicPartition;
use bellwether_kafka::memory::{Fault, Message, Plan, Record};
use bellwether_live::kafka::RuleSets;
use bellwether_tests::world::{PARTITIONS, PROCESS_GROUP, World, journal_partition, rule_sets, store_in};
use tempfile::TempDir;

use crate::processing::{MAX_TURNS, Restarting, assert_as_replayed, process, run, run_in, world, world_of};

/// The ways in which a step fails.
const FAULTS: [Fault; 3] = [Fault::Crash, Fault::LoseRequest, Fault::LoseResponse];

/// Every message of the protocol.
const MESSAGES: [Message; 10] = [
    Message::InitProducerId,
    Message::AddPartitionsToTxn,
    Message::Produce,
    Message::ProduceResponse,
    Message::AddOffsetsToTxn,
    Message::TxnOffsetCommit,
    Message::EndTxn,
    Message::EndTxnResponse,
    Message::WriteTxnMarker,
    Message::OffsetFetch,
];

/// Steps before and after a cut that count as at it: the transaction that ends there, and the next one.
const AT_THE_CUT: usize = 8;

/// The steps of a run without a fault.
struct Steps {
    messages: Vec<Message>,
    /// Those where a partition stands exactly before a change of rules, or before the late record.
    at_cuts: Vec<usize>,
}

impl Steps {
    fn of(seed: u64, rule_sets: &Arc<RuleSets>) -> Self {
        let (straight, _) = run(seed, Plan::default(), rule_sets, "straight");
        let messages = straight.cluster.messages("a");
        let cuts = cuts(&straight);
        assert!(cuts.len() > PARTITIONS as usize, "seed {seed}: a change of rules in each partition, and a late record: {cuts:?}");
        // The same again, and what is committed is looked at before each step.
        let seen: Arc<Mutex<BTreeMap<(TopicPartition, u64), usize>>> = Arc::default();
        let look = |plan: Plan, step: usize| {
            let (seen, cuts) = (seen.clone(), cuts.clone());
            plan.pause("a", step, move |cluster| {
                let committed = cluster.committed_offsets(PROCESS_GROUP);
                let is_there = |(at, offset): &&(TopicPartition, u64)| committed.get(at).is_some_and(|found| found.offset == *offset);
                let mut seen = seen.lock().expect("nobody panicked");
                cuts.iter().filter(is_there).for_each(|cut| _ = seen.entry(cut.clone()).or_insert(step));
            })
        };
        run(seed, (1..=messages.len()).fold(Plan::default(), look), rule_sets, "looked at");
        let firsts: Vec<usize> = seen.lock().expect("nobody panicked").values().copied().collect();
        assert!(!firsts.is_empty(), "seed {seed}: no batch ends before {cuts:?}");
        let around = |first: &usize| first.saturating_sub(AT_THE_CUT).max(1)..=(first + AT_THE_CUT).min(messages.len());
        let at_cuts = firsts.iter().flat_map(around).collect();
        Self { messages, at_cuts }
    }

    /// A step that sends this message; seeds take different ones.
    fn sending(&self, message: Message, seed: usize) -> usize {
        let steps: Vec<usize> = (1..).zip(&self.messages).filter(|(_, sent)| **sent == message).map(|(step, _)| step).collect();
        assert!(!steps.is_empty(), "{message:?} is sent");
        steps[seed * 7 % steps.len()]
    }

    /// A step around a cut; seeds take different ones.
    fn at_cut(&self, seed: usize) -> usize {
        self.at_cuts[seed * 7 % self.at_cuts.len()]
    }
}

/// Where the other rules stand in each partition, and where the late record stands.
fn cuts(world: &World) -> Vec<(TopicPartition, u64)> {
    let mut cuts = Vec::new();
    for at in (0..PARTITIONS).map(journal_partition) {
        let is_one = |record: &&Record| {
            let text = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default());
            let is_rules = record.headers.iter().any(|(name, value)| name == "control" && value.as_deref() == Some(b"rules.published"));
            is_rules && text.contains("\"number\":2") || text.contains("\"id\":\"late\"")
        };
        cuts.extend(world.records(&at).iter().filter(is_one).map(|record| (at.clone(), record.offset)));
    }
    cuts
}

#[test]
fn one_failure_at_any_message_changes_nothing() {
    let rule_sets = rule_sets();
    let (mut hit, mut at_cuts) = (BTreeMap::<(Message, Fault), usize>::new(), 0);
    for seed in 0..200 {
        let steps = Steps::of(seed, &rule_sets);
        // Every seed takes another message; every fourth stops around the change of rules and the late record.
        for (index, fault) in FAULTS.into_iter().enumerate() {
            let message = MESSAGES[(seed as usize + index) % MESSAGES.len()];
            let is_at_cut = seed % 4 == 3;
            let step = if is_at_cut { steps.at_cut(seed as usize + index) } else { steps.sending(message, seed as usize) };
            let context = format!("seed {seed}, step {step}, {fault:?}");
            let (world, _) = run(seed, Plan::default().at("a", step, fault), &rule_sets, &context);
            let fired = world.cluster.fired();
            let [fired] = &fired[..] else { panic!("{context}: one fault, not {fired:?}") };
            *hit.entry((fired.message, fired.fault)).or_default() += 1;
            at_cuts += usize::from(is_at_cut);
        }
    }
    let missing: Vec<_> = pairs().filter(|pair| !hit.contains_key(pair)).collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
    assert_eq!((hit.values().sum::<usize>(), at_cuts), (600, 150), "faults that happened, and those of them around a cut");
}

fn pairs() -> impl Iterator<Item = (Message, Fault)> {
    MESSAGES.into_iter().flat_map(|message| FAULTS.map(|fault| (message, fault)))
}

#[test]
fn a_failure_at_each_step_of_a_run_changes_nothing() {
    let rule_sets = rule_sets();
    let seed = 7;
    let run = |plan: Plan, context: &str| run_in(world_of(seed, &rule_sets, 3, 40), plan, context).0.cluster;
    let steps = run(Plan::default(), "straight").steps("a");
    assert!(steps > 100, "{steps} steps");
    let mut fired = 0;
    for step in 1..=steps {
        for fault in FAULTS {
            let context = format!("seed {seed}, step {step} of {steps}, {fault:?}");
            fired += run(Plan::default().at("a", step, fault), &context).fired().len();
        }
    }
    assert_eq!(fired, FAULTS.len() * steps, "each step fails in each way");
}

/// Turns of the other worker while one stalls.
const TURNS_MEANWHILE: usize = 6;

#[test]
fn another_worker_of_the_process_takes_over_while_one_stalls() {
    let rule_sets = rule_sets();
    let (mut stalled, mut went_on) = (BTreeMap::<Message, usize>::new(), BTreeMap::<Message, usize>::new());
    for seed in 0..60 {
        let steps = Steps::of(seed, &rule_sets);
        // Committed and not yet in the store; all said but the word that commits, which comes when others have taken over; and anywhere.
        let step = match seed % 3 {
            0 => steps.sending(Message::EndTxnResponse, seed as usize),
            1 => steps.sending(Message::EndTxn, seed as usize),
            _ => 1 + (seed as usize * 11) % steps.messages.len(),
        };
        let context = format!("seed {seed}, worker a stalls at step {step}");
        let world = Arc::new(world(seed, &rule_sets));
        let directory = TempDir::new().expect("a directory");
        let store = store_in(directory.path());
        let other = Arc::new(Mutex::new(Restarting::new("b")));
        let committed_meanwhile = Arc::new(AtomicBool::new(false));
        let (hooked, with, in_store, committed) = (other.clone(), world.clone(), store.clone(), committed_meanwhile.clone());
        world.cluster.set_plan(Plan::default().pause("a", step, move |cluster| {
            cluster.expire("a");
            let mut other = hooked.lock().expect("nobody panicked");
            let positions = || (0..PARTITIONS).map(|number| in_store.header(number).expect("it is read").map(|header| header.position));
            let before: Vec<_> = positions().collect();
            (0..TURNS_MEANWHILE).for_each(|_| _ = other.turn(&with, &in_store));
            committed.store(before != positions().collect::<Vec<_>>(), Ordering::Relaxed);
        }));
        let mut workers = [Restarting::new("a")];
        for _ in 0..MAX_TURNS {
            workers[0].turn(&world, &store);
            world.cluster.tick();
            if !world.cluster.fired().is_empty() || world.is_processed() {
                break;
            }
        }
        let other = std::mem::replace(&mut *other.lock().expect("nobody panicked"), Restarting::new("unused"));
        let [first] = workers;
        process(&world, &store, &mut [first, other], &context);
        assert_as_replayed(&world, &store, &context);
        for fired in world.cluster.fired() {
            *stalled.entry(fired.message).or_default() += 1;
            *went_on.entry(fired.message).or_default() += usize::from(committed_meanwhile.load(Ordering::Relaxed));
        }
    }
    let of = |counts: &BTreeMap<Message, usize>, message| counts.get(&message).copied().unwrap_or_default();
    assert!(stalled.values().sum::<usize>() > 55, "stalls that happened: {stalled:?}");
    assert!(of(&stalled, Message::EndTxn) >= 20 && of(&stalled, Message::EndTxnResponse) >= 20, "{stalled:?}");
    assert!(of(&went_on, Message::EndTxnResponse) >= 15, "the other went on between the commit and the store: {went_on:?}");
}
