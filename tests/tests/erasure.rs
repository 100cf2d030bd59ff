//! Erasure: what goes, what stays, what comes too late, and that a journal reads the same before and after the bytes are gone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bellwether_backtest::explain::Explainer;
use bellwether_backtest::journal::JournalReplay;
use bellwether_backtest::pass::{Pass, PassOptions, observe_journal};
use bellwether_backtest::replay::{Replayed, Sink};
use bellwether_codec::event::{Decoder, encode_event};
use bellwether_codec::intake::InputSpec;
use bellwether_codec::rendered::Rendered;
use bellwether_codec::rules::RuleFile;
use bellwether_codec::state::{encode_customer, encode_header};
use bellwether_engine::aggregates::Aggregates;
use bellwether_engine::event::{Body, CustomerKey, Event};
use bellwether_engine::kpi::MonthSums;
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::{Output, Transition};
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_live::embedded;
use bellwether_live::erasing::{erase, erasure};
use bellwether_live::metrics::Metrics;
use bellwether_live::options::{BatchLimits, EmbeddedOptions, LEAST_MEMORY_BYTES, SignalsTarget};
use bellwether_tests::company::{START, company};
use bellwether_tests::folding::{default_rules, lines_of};
use bellwether_tests::journal_of_run::JournalOfRun;

const PACK: &str = include_str!("../../deploy/rules/default.yaml");

/// When the customer of these tests is erased.
const ERASED_AT: Time = Time(START.0 + 150 * DAY_MS);

fn apply(partition: &mut Partition, watermark: Time, event: Option<&Event<'_>>, outputs: &mut Vec<Output>) {
    let payload =
        event.map_or(Payload::Tick, |event| Payload::Event { event, key: CustomerKey::of(&event.customer), identity: event.identity() });
    assert_eq!(partition.apply(&Record { watermark, payload }, &mut u64::MAX.clone(), outputs), Progress::Done);
}

/// A company of which one customer is erased; `as_blanks`: its earlier records are read as blanks.
fn life(as_blanks: bool, stragglers: bool) -> (Partition, Vec<Output>) {
    let mut partition = Partition::new(default_rules(), Header::default());
    let (mut outputs, mut watermark, mut is_erased) = (Vec::new(), Time::MIN, false);
    for event in &company(7, 6, 200) {
        watermark = watermark.max(event.time);
        if !is_erased && event.time > ERASED_AT {
            is_erased = true;
            apply(&mut partition, watermark, Some(&erasure("c-2", ERASED_AT)), &mut outputs);
        }
        let is_theirs = event.customer == "c-2";
        // Nothing of the customer after its erasure, but for stragglers.
        if is_theirs && is_erased {
            let late = Event { time: ERASED_AT.plus_ms(-1), ..event.clone() };
            apply(&mut partition, watermark, stragglers.then_some(&late), &mut outputs);
            continue;
        }
        apply(&mut partition, watermark, Some(event).filter(|_| !(is_theirs && as_blanks)), &mut outputs);
    }
    assert!(is_erased, "the erasure lies within the company's life");
    (partition, outputs)
}

fn states(partition: &Partition) -> Vec<Vec<u8>> {
    let mut customers: Vec<_> = partition.customers().collect();
    customers.sort_by_key(|customer| customer.id.clone());
    let mut bytes = Vec::new();
    let encoded = customers.into_iter().map(|customer| {
        encode_customer(customer, &mut bytes).expect("it encodes");
        bytes.clone()
    });
    encoded.collect()
}

/// The header without what counts what has happened: records, tickets and answers of a month, campaigns, outcomes.
fn header(partition: &Partition) -> Vec<u8> {
    let mut header = partition.header.clone();
    let Aggregates { events, duplicates, too_late, limited, stragglers, outcomes, kpis, .. } = &mut header.aggregates;
    (*events, *duplicates, *too_late, *limited, *stragglers) = (0, 0, 0, 0, 0);
    (*outcomes, kpis.campaigns) = Default::default();
    for sums in kpis.months.values_mut() {
        (sums.flows, sums.tickets, sums.first_response_hours) = Default::default();
    }
    kpis.months.retain(|_, sums| *sums != MonthSums::default());
    let mut bytes = Vec::new();
    encode_header(&header, &mut bytes).expect("it encodes");
    bytes
}

fn of_customer(line: &str, customer: &str) -> bool {
    line.contains(&format!("\"subject\":\"{customer}\""))
}

#[test]
fn all_of_a_customer_goes_and_subscribers_hear_of_it() {
    let (partition, outputs) = life(false, false);
    let key = CustomerKey::of("c-2");
    assert!(partition.get(key).is_none() && partition.customers().count() == 5);
    assert_eq!(partition.header.aggregates.customers, 5);
    assert!(!partition.due(Time::NEVER).any(|due| due == key), "its timer is gone");
    let about = |output: &Output| match output {
        Output::Signal(signal) | Output::Decision(signal, _) if *signal.customer == *"c-2" => Some(signal.transition),
        Output::Signal(_) | Output::Decision(..) | Output::Kpis(_) => None,
    };
    let told: Vec<Transition> = outputs.iter().filter_map(about).collect();
    let open = told.iter().filter(|one| **one == Transition::Raised).count() as i64
        - told.iter().filter(|one| matches!(one, Transition::Cleared | Transition::Resolved)).count() as i64;
    let expired = told.iter().filter(|one| **one == Transition::Expired).count() as i64;
    assert!(expired > 0 && open >= expired, "{open} were open, {expired} expired");
    assert_eq!(told.last(), Some(&Transition::Expired), "nothing is told after that");
}

#[test]
fn blanks_and_stragglers_change_nothing_for_others() {
    let (with_records, outputs) = life(false, false);
    let others = |outputs: Vec<Output>| -> Vec<String> { lines_of(outputs).into_iter().filter(|line| !of_customer(line, "c-2")).collect() };
    let expected = others(outputs);
    for (as_blanks, stragglers) in [(true, false), (false, true), (true, true)] {
        let (found, outputs) = life(as_blanks, stragglers);
        assert_eq!(states(&found), states(&with_records), "{as_blanks} {stragglers}");
        assert_eq!(header(&found), header(&with_records), "{as_blanks} {stragglers}");
        assert_eq!(found.header.aggregates.stragglers > 0, stragglers, "the fault fired");
        let lines = lines_of(outputs.clone());
        assert_eq!(lines.iter().any(|line| of_customer(line, "c-2")), !as_blanks);
        assert_eq!(others(outputs), expected);
    }
}

#[test]
fn a_customer_that_comes_back_is_new_and_its_past_stays_out() {
    let (mut partition, mut outputs) = life(false, false);
    let later = ERASED_AT.plus_ms(100 * DAY_MS);
    let login = |time: Time| Event {
        time,
        source: "/login".into(),
        id: format!("back-{}", time.0).into(),
        customer: "c-2".into(),
        traceparent: None,
        body: Body::Login { user: None, ok: true },
    };
    apply(&mut partition, later, Some(&login(later)), &mut outputs);
    let before = partition.get(CustomerKey::of("c-2")).expect("it is back").clone();
    assert_eq!((before.since, before.erased_at), (later, Some(ERASED_AT)));
    apply(&mut partition, later, Some(&login(ERASED_AT)), &mut outputs);
    assert_eq!(partition.get(CustomerKey::of("c-2")), Some(&before), "a straggler changes nothing");
    assert_eq!(partition.header.aggregates.stragglers, 1);
    // An older erasure, or the same again, erases nothing.
    apply(&mut partition, later, Some(&erasure("c-2", ERASED_AT)), &mut outputs);
    assert!(partition.get(CustomerKey::of("c-2")).is_some());
    apply(&mut partition, later, Some(&erasure("c-2", later)), &mut outputs);
    assert!(partition.get(CustomerKey::of("c-2")).is_none());
}

fn options(directory: &Path, events: &Path) -> EmbeddedOptions {
    let compile = |text: &str, number: u32| -> Result<RuleSet, String> {
        RuleFile::parse("rules.yaml", text).map(|file| file.rule_set(number)).map_err(|errors| errors.to_string())
    };
    EmbeddedOptions {
        inputs: vec![InputSpec::from(events)],
        data: directory.join("data"),
        signals: SignalsTarget::File(directory.join("signals.jsonl")),
        kpis: None,
        partitions: Some(2),
        decoder: Decoder::default(),
        rules_text: PACK.to_owned(),
        compile_rules: Arc::new(compile),
        new_journal_id: "test".to_owned(),
        pseudonym_key_id: 1,
        once: true,
        ingest_clock: || None,
        limits: BatchLimits { records: 500, reviews: 100 },
        memory_bytes: LEAST_MEMORY_BYTES,
    }
}

#[derive(Default)]
struct Memory(String);

impl Sink for Memory {
    fn append(&mut self, rendered: &Rendered) -> std::io::Result<()> {
        self.0.push_str(&String::from_utf8_lossy(&rendered.signals));
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        self.0.clear();
        Ok(())
    }

    fn progress(&mut self, _bytes_read: u64, _bytes_total: u64, _lines: u64) {}
}

fn replayed(directory: &Path) -> (String, Replayed) {
    let compile = |text: &str, number: u32| -> Result<RuleSet, String> {
        RuleFile::parse("rules.yaml", text).map(|file| file.rule_set(number)).map_err(|errors| errors.to_string())
    };
    let mut memory = Memory::default();
    let replay = JournalReplay { decoder: Decoder::default(), compile_rules: &compile, rules: None };
    let journal = JournalOfRun::open(&directory.join("data"));
    let replayed = replay.run(&journal, &mut memory).expect("the replay ends well");
    (memory.0, replayed)
}

/// What a backtest sees of the journal.
fn observed(directory: &Path) -> Pass {
    let options = PassOptions {
        rule_sets: vec![default_rules()],
        hidden: Vec::new(),
        renders: true,
        features_every_ms: None,
        max_customers: usize::MAX,
        scratch: Path::new("."),
        until: None,
        stop: &AtomicBool::new(false),
    };
    let journal = JournalOfRun::open(&directory.join("data"));
    observe_journal(&journal, &Decoder::default(), &options, &mut Memory::default()).expect("the pass ends well")
}

/// What is told of a customer as of an instant: its timeline, and whether it is known.
fn explained(directory: &Path, customer: &str, until: Option<Time>) -> (Vec<String>, bool) {
    let journal = JournalOfRun::open(&directory.join("data"));
    let explainer = Explainer::new(customer, until, default_rules());
    let followed = explainer.journal(&journal, &Decoder::default(), None).expect("the journal can be followed");
    let timeline = followed.timeline.iter().map(|entry| format!("{} {}", entry.time, entry.what)).collect();
    (timeline, followed.partition.get(CustomerKey::of(customer)).is_some())
}

fn run(directory: &Path, events: &Path) {
    let summary = embedded::run(options(directory, events), Arc::new(Metrics::new()), &AtomicBool::new(false), |_| {});
    summary.expect("the run ends well");
}

/// Every file under a directory that holds these bytes, decompressed journal or not.
fn files_with(directory: &Path, canary: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_with(&path, canary));
        } else if fs::read(&path).expect("a file").windows(canary.len()).any(|window| window == canary.as_bytes()) {
            found.push(path);
        }
    }
    found
}

/// A customer whose every text is a canary, among others.
fn write_log(directory: &Path, with_erasure: bool) -> PathBuf {
    let mut events: Vec<Event<'static>> = company(11, 8, 200);
    for event in events.iter_mut().filter(|event| event.customer == "c-3") {
        event.customer = "canary-customer".into();
        event.id = format!("canary-event-{}", event.id).into();
    }
    if with_erasure {
        let place = events.partition_point(|event| event.time <= ERASED_AT);
        events.retain(|event| event.customer != "canary-customer" || event.time <= ERASED_AT);
        events.insert(place.min(events.len()), erasure("canary-customer", ERASED_AT));
        events.sort_by_key(|event| event.time);
    }
    let mut text = Vec::new();
    for event in &events {
        encode_event(event, &mut text);
        text.push(b'\n');
    }
    text.extend_from_slice(
        b"{\"specversion\":\"1.0\",\"id\":\"canary-event-bad\",\"source\":\"/x\",\"type\":\"login\",\"subject\":\"canary-customer\"}\n",
    );
    let path = directory.join("events.jsonl");
    fs::write(&path, text).expect("it can be written");
    path
}

#[test]
fn no_file_that_the_process_wrote_holds_a_canary_after_the_purge() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let work = directory.path().join("work");
    fs::create_dir(&work).expect("it can be made");
    let events = write_log(directory.path(), false);
    run(&work, &events);
    let before = fs::read_to_string(work.join("signals.jsonl")).expect("signals");
    assert!(before.lines().any(|line| of_customer(line, "canary-customer")), "there is something to erase");
    let dead_letters = fs::read_to_string(work.join("data/dead-letters.jsonl")).expect("dead letters");
    assert!(dead_letters.contains("canary-customer"), "there is a dead letter of it");
    assert!(!files_with(&work.join("data/state"), "canary-customer").is_empty(), "the store has bytes to purge");
    let now = START.plus_ms(300 * DAY_MS);
    let report = erase(options(&work, &events), "canary-customer", now, false).expect("it is erased");
    assert_eq!((report.states, report.journal_records.1), ((1, 0), 0));
    assert!(report.journal_records.0 > 10, "{report:?}");
    let after = fs::read_to_string(work.join("signals.jsonl")).expect("signals");
    let told = after.strip_prefix(&before).expect("what was sent stays");
    assert!(told.lines().count() > 0 && told.lines().all(|line| of_customer(line, "canary-customer") && line.contains("signal.expired")));
    // Journal and states hold nothing any more; the output files still do, as the report says.
    for canary in ["canary-customer", "canary-event-"] {
        assert_eq!(files_with(&work.join("data/state"), canary), Vec::<PathBuf>::new(), "{canary}");
    }
    assert!(report.files.iter().any(|(path, count)| path.ends_with("signals.jsonl") && *count > 0));
    let (signals, once) = replayed(&work);
    assert!(!signals.contains("canary"), "blanks raise nothing");
    let others = |text: &str| -> Vec<String> {
        let mut lines: Vec<String> =
            text.lines().filter(|line| line.starts_with("{\"spec") && !line.contains("canary-customer")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(others(&signals), others(&after), "the signals of all others are what they were");
    let report = erase(options(&work, &events), "canary-customer", now.plus_ms(1), true).expect("it is erased again");
    assert!(report.lines.iter().map(|(_, count)| count).sum::<usize>() > 1);
    assert!(report.files.iter().all(|(_, count)| *count == 0), "{report:?}");
    for canary in ["canary-customer", "canary-event-"] {
        assert_eq!(files_with(&work, canary), Vec::<PathBuf>::new(), "{canary}");
    }
    // The run goes on, and stragglers of the same log change nothing.
    run(&work, &events);
    assert!(files_with(&work, "canary").is_empty());
    let (_, again) = replayed(&work);
    let all = |replayed: &Replayed| -> Vec<Vec<u8>> { replayed.partitions.iter().flat_map(states).collect() };
    assert_eq!(all(&again), all(&once));
}

#[test]
fn a_journal_reads_the_same_before_and_after_its_bytes_are_gone() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let events = write_log(directory.path(), true);
    run(directory.path(), &events);
    let (before, states_before) = replayed(directory.path());
    let seen_before = observed(directory.path());
    assert!(!before.contains("canary"), "whoever is erased is left out, although its bytes are there");
    // Nor is it explained, also as of a time before it was erased.
    let customers = ["canary-customer", "c-1"];
    let instants = [None, Some(ERASED_AT.plus_ms(-DAY_MS))];
    let explain = || customers.map(|customer| instants.map(|until| explained(directory.path(), customer, until)));
    let explained_before = explain();
    for (timeline, is_known) in &explained_before[0] {
        assert!(!is_known && timeline.is_empty(), "nothing is told: {timeline:?}");
    }
    assert!(explained_before[1].iter().all(|(timeline, is_known)| *is_known && timeline.len() > 1), "{:?}", explained_before[1]);
    let live = fs::read_to_string(directory.path().join("signals.jsonl")).expect("signals");
    let others: String = live.split_inclusive('\n').filter(|line| !line.contains("canary-customer")).collect();
    assert!(others.len() < live.len(), "it was told of while it was there");
    let sorted = |text: &str| -> Vec<String> {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&before), sorted(&others));
    erase(options(directory.path(), &events), "canary-customer", ERASED_AT.plus_ms(DAY_MS), false).expect("it is purged");
    let (after, states_after) = replayed(directory.path());
    assert_eq!(before, after);
    assert_eq!(explained_before, explain());
    let seen_after = observed(directory.path());
    let customers = |pass: &Pass| pass.observed[0].customers.clone();
    assert!(customers(&seen_before).len() > 5 && customers(&seen_before).iter().all(|customer| &*customer.id != "canary-customer"));
    assert_eq!((seen_before.log, customers(&seen_before)), (seen_after.log, customers(&seen_after)), "a backtest sees the same");
    for (before, after) in states_before.partitions.iter().zip(&states_after.partitions) {
        assert_eq!(states(before), states(after));
    }
}
