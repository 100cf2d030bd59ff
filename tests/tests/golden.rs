//! Bytes are a contract: stored states and signals of a fixed company, pinned.
//!
//! When a change of the fold makes this fail, count `FOLD_VERSION` up and run again with `UPDATE_GOLDEN=1`.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use bellwether_codec::health_record::HealthRecord;
use bellwether_codec::rules::RuleFile;
use bellwether_codec::state::{FOLD_VERSION, encode_customer, encode_header};
use bellwether_engine::customer::{Customer, Relation};
use bellwether_engine::episode::{Episode, Phase};
use bellwether_engine::event::{Body, CancellationStep, CustomerKey, Event, FeedbackStep};
use bellwether_engine::partition::{Partition, Payload, Progress, Record};
use bellwether_engine::signal::{Output, Signal};
use bellwether_engine::silence::{Families, SilentSources};
use bellwether_engine::time::DAY_MS;
use bellwether_tests::company::{START, company};
use bellwether_tests::eventful::eventful_life;
use bellwether_tests::folding::{Cuts, default_rules, fold, lines_of};
use bellwether_tests::world::pack;

fn compare(name: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().expect("a directory")).expect("it can be made");
        fs::write(&path, found).expect("it can be written");
    }
    let expected = fs::read_to_string(&path).expect("the golden file is committed");
    let same_version = expected.lines().next() == found.lines().next();
    assert!(expected == found || same_version, "{name} has another fold version: UPDATE_GOLDEN=1 rewrites it");
    let differs = expected.lines().zip(found.lines()).position(|(a, b)| a != b);
    assert!(expected == found, "{name} differs first in line {differs:?}: count FOLD_VERSION up, then UPDATE_GOLDEN=1 rewrites it");
}

#[test]
fn states_and_signals_are_as_committed() {
    let (partitions, mut outputs) = fold(&company(1, 4, 150), &default_rules(), 1, START.plus_ms(190 * DAY_MS), Cuts::None);
    compare("states.hex", &states_of(&partitions[0]));
    let signals = format!("fold version {FOLD_VERSION}\n{}\n", lines_of(outputs.remove(0)).join("\n"));
    compare("signals.jsonl", &signals);
}

/// The stored form of a partition.
fn states_of(partition: &Partition) -> String {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to memory");
            text
        })
    };
    let mut bytes = Vec::new();
    let mut customers: Vec<_> = partition.customers().collect();
    customers.sort_by_key(|customer| customer.id.clone());
    let mut states = format!("fold version {FOLD_VERSION}\n");
    for customer in customers {
        encode_customer(customer, &mut bytes).expect("a state encodes");
        writeln!(states, "{} {}", customer.id, hex(&bytes)).expect("writing to memory");
    }
    encode_header(&partition.header, &mut bytes).expect("a header encodes");
    writeln!(states, "header {}", hex(&bytes)).expect("writing to memory");
    states
}

/// Features of a rule file, of each kind.
const OWN_FEATURES: &str = "features:
- { name: let_in, event: login, where: { ok: true }, count: true, window: 7d }
- { name: people, event: login, distinct: user, window: 28d }
- { name: owed, event: payment.failed, sum: amount_minor, window: 28d }
- { name: paid, event: invoice.issued, last: amount_minor, window: 28d }
";

/// Three customers to whom everything happens, of whom one is erased and comes back.
fn eventful_partition() -> Partition {
    const DAYS: i64 = 60;
    let mut events: Vec<Event<'static>> = (0..3).flat_map(|customer| eventful_life(3, customer, DAYS as u64)).collect();
    let (time, id) = (START.plus_ms(DAYS / 2 * DAY_MS), "erasure".into());
    let erasure = Event { time, id, source: "/more".into(), customer: "c-2".into(), traceparent: None, body: Body::Erased };
    events.push(erasure);
    let notice = [(45, CancellationStep::Withdrawn), (50, CancellationStep::Requested), (51, CancellationStep::Acknowledged)];
    events.extend(notice.map(|(day, step)| {
        let body = Body::Cancellation { step, user: None, reason: None, effective: None };
        let (time, id, customer) = (START.plus_ms(day * DAY_MS), format!("notice-{day}").into(), "c-0".into());
        Event { time, source: "/more".into(), id, customer, traceparent: None, body }
    }));
    events.sort_by(|one, other| (one.time, &one.customer, &one.id).cmp(&(other.time, &other.customer, &other.id)));
    let file = RuleFile::parse("rules.yaml", &format!("{OWN_FEATURES}{}", pack())).unwrap_or_else(|errors| panic!("{errors}"));
    let end = START.plus_ms(DAYS * DAY_MS);
    let (mut partitions, outputs) = fold(&events, &Arc::new(file.rule_set(1)), 1, end, Cuts::None);
    let mut partition = partitions.remove(0);
    let signals = outputs.iter().flatten().filter_map(|output| if let Output::Signal(signal) = output { Some(signal) } else { None });
    let is_open = |signal: &&Signal| {
        let customer = partition.get(CustomerKey::of(&signal.customer));
        let of_signal = |episode: &Episode| episode.rule == signal.rule.hash && episode.raised_at == signal.time;
        customer.is_some_and(|customer| customer.episodes.iter().any(|episode| episode.phase == Phase::Open && of_signal(episode)))
    };
    let open: Vec<_> = signals.map(|signal| &**signal).filter(is_open).take(3).collect();
    let marks = [FeedbackStep::Acknowledged, FeedbackStep::Dismissed, FeedbackStep::Snoozed];
    for (signal, step) in open.into_iter().zip(marks) {
        let body = Body::Feedback { step, signal: format!("{:032x}", signal.id).into(), by: None, until: None, useful: Some(true) };
        let id = format!("{step:?}").into();
        let event = Event { time: end, source: "/crm".into(), id, customer: signal.customer.to_string().into(), traceparent: None, body };
        let payload = Payload::Event { event: &event, key: CustomerKey::of(&event.customer), identity: event.identity() };
        let progress = partition.apply(&Record { watermark: end, payload }, &mut u64::MAX.clone(), &mut Vec::new());
        assert_eq!(progress, Progress::Done);
    }
    partition.source_silent("/auth", Families::named(["login"]));
    partition
}

/// The states of [`states_and_signals_are_as_committed`] lack what is rare.
#[test]
fn states_of_every_part_are_as_committed() {
    let partition = eventful_partition();
    let customers: Vec<_> = partition.customers().collect();
    let has = |part: &dyn Fn(&Customer) -> bool| customers.iter().any(|customer| part(customer));
    let relation = |part: &dyn Fn(&Relation) -> bool| has(&|customer| customer.relation.as_ref().is_some_and(|relation| part(relation)));
    assert!(relation(&|relation| relation.notes.iter().count() > 1), "notes");
    assert!(relation(&|relation| relation.goals.progress().is_some()), "goals");
    assert!(relation(&|relation| relation.touched_at.is_some() && relation.lead_at.is_some()), "touches and leads");
    assert!(relation(&|relation| relation.campaign_at.is_some() && relation.consent.get().is_some()), "campaigns and consent");
    assert!(has(&|customer| customer.leaving.as_ref().is_some_and(|leaving| leaving.acknowledged_at.is_some())), "notice");
    assert!(has(&|customer| customer.ledger.is_some() && customer.onboarding.is_some() && customer.support.is_some()), "other parts");
    assert!(customers.iter().all(|customer| customer.own.is_some()), "own features");
    assert!(has(&|customer| customer.erased_at.is_some()), "a customer that came back");
    let marks = customers.iter().flat_map(|customer| &customer.episodes).filter(|episode| episode.mark.get().is_some()).count();
    assert_eq!((marks, partition.header.erasures.len()), (3, 1), "marks and erasures");
    assert_ne!(partition.header.silent, SilentSources::default());
    compare("states_of_every_part.hex", &states_of(&partition));
}

#[test]
fn a_health_record_is_as_committed() {
    let (partitions, _) = fold(&company(1, 4, 150), &default_rules(), 1, START.plus_ms(150 * DAY_MS), Cuts::None);
    let records = partitions[0].customers().map(|customer| HealthRecord::of(customer, partitions[0].rules()));
    let record = records.max_by_key(|record| (record.open_episodes.len(), record.customer.clone())).expect("there are customers");
    assert!(record.open_episodes.len() > 1 && !record.health_contributions.is_empty(), "it shows everything");
    let binary = record.to_binary();
    let mut text = format!("fold version {FOLD_VERSION}\n");
    for (name, value) in &binary.headers {
        writeln!(text, "{name}: {value}").expect("writing to memory");
    }
    writeln!(text, "{}", String::from_utf8(binary.value).expect("JSON is text")).expect("writing to memory");
    compare("health.txt", &text);
}
