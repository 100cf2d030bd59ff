//! The embedded loop through its interface: records that cannot be folded, and rules that change between runs.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bellwether_backtest::journal::{Journal, JournalReplay, Visit};
use bellwether_backtest::replay::{ReplayOptions, Sink, all_processors, replay};
use bellwether_codec::event::{Decoder, encode_event};
use bellwether_codec::intake::InputSpec;
use bellwether_codec::rendered::Rendered;
use bellwether_codec::rules::RuleFile;
use bellwether_codec::summary::Summary;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::poison::Poison;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_live::embedded::{self, Status};
use bellwether_live::journal_directory::JournalDirectory;
use bellwether_live::metrics::Metrics;
use bellwether_live::options::{BatchLimits, EmbeddedOptions, LEAST_MEMORY_BYTES, PROCESS_BYTES, SignalsTarget};
use bellwether_tests::company::{START, company};
use tempfile::TempDir;

const PACK: &str = include_str!("../../deploy/rules/default.yaml");

fn compile(text: &str, number: u32, poison: &Poison) -> RuleSet {
    let mut file = RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}"));
    file.settings.poison = poison.clone();
    file.rule_set(number)
}

fn write_log(directory: &TempDir) -> (std::path::PathBuf, u64) {
    let events = company(42, 30, 200);
    let mut text = Vec::new();
    for event in &events {
        encode_event(event, &mut text);
        text.push(b'\n');
    }
    let path = directory.path().join("events.jsonl");
    fs::write(&path, text).expect("it can be written");
    (path, events[events.len() / 2].identity())
}

fn options(directory: &TempDir, events: &Path, rules: &str, poison: Poison) -> EmbeddedOptions {
    EmbeddedOptions {
        inputs: vec![InputSpec::from(events)],
        data: directory.path().join("data"),
        signals: SignalsTarget::File(directory.path().join("signals.jsonl")),
        kpis: None,
        partitions: Some(3),
        decoder: Decoder::default(),
        rules_text: rules.to_owned(),
        compile_rules: Arc::new(move |text, number| Ok(compile(text, number, &poison))),
        new_journal_id: "test".to_owned(),
        pseudonym_key_id: 1,
        once: true,
        ingest_clock: || None,
        limits: BatchLimits { records: 500, reviews: 100 },
        memory_bytes: LEAST_MEMORY_BYTES,
    }
}

fn run(options: EmbeddedOptions) -> Summary {
    embedded::run(options, Arc::new(Metrics::new()), &AtomicBool::new(false), |_| {}).expect("the run ends well")
}

#[derive(Default)]
struct Memory(Vec<u8>);

impl Sink for Memory {
    fn append(&mut self, rendered: &Rendered) -> std::io::Result<()> {
        self.0.extend_from_slice(&rendered.signals);
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        self.0.clear();
        Ok(())
    }

    fn progress(&mut self, _bytes_read: u64, _bytes_total: u64, _lines: u64) {}
}

#[test]
fn the_number_of_threads_is_invisible() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (events, _) = write_log(&directory);
    // Several epochs: each copy of the log belongs to other customers.
    let log = fs::read_to_string(&events).expect("it was written");
    let copies: String =
        (0..1 + 40_000 / log.lines().count()).map(|copy| log.replace(r#""subject":""#, &format!(r#""subject":"{copy}-"#))).collect();
    fs::write(&events, copies).expect("it can be written");
    let with = |threads: usize| {
        let mut memory = Memory::default();
        let options = ReplayOptions {
            inputs: vec![InputSpec::from(events.as_path())],
            decoder: Decoder::default(),
            rules: Arc::new(compile(PACK, 1, &Poison::default())),
            partitions: 5,
            ingest_clock: None,
            threads: threads.try_into().expect("at least one"),
        };
        let mut summary = replay(&options, &mut memory).expect("the replay ends well").summary;
        (summary.wall_seconds, summary.events_per_second, summary.peak_memory_bytes) = (0.0, 0.0, 0);
        (memory.0, summary)
    };
    let alone = with(1);
    assert!(alone.1.events > 40_000 && !alone.0.is_empty());
    for threads in [2, 3, 8] {
        assert!(with(threads) == alone, "{threads} threads");
    }
}

#[test]
fn a_record_that_panics_the_fold_is_left_out_and_told_in_live_and_replay_alike() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (events, poison) = write_log(&directory);
    let poison = Poison { event: Some(poison), ..Poison::default() };
    let summary = run(options(&directory, &events, PACK, poison.clone()));
    assert_eq!(summary.poisoned, 1, "the fault fired");
    assert_eq!(poisoned_letters(&directory), 1);
    let (replayed, signals) = replayed(&events, &poison);
    assert_eq!(replayed.poisoned, 1, "the fault fired");
    assert!(!signals.is_empty());
    assert!(signals == signals_of(&directory), "live and replay differ");
}

fn signals_of(directory: &TempDir) -> Vec<u8> {
    fs::read(directory.path().join("signals.jsonl")).expect("signals")
}

/// What a replay comes to.
fn replayed(events: &Path, poison: &Poison) -> (Summary, Vec<u8>) {
    let replay_options = ReplayOptions {
        inputs: vec![InputSpec::from(events)],
        decoder: Decoder::default(),
        rules: Arc::new(compile(PACK, 1, poison)),
        partitions: 3,
        ingest_clock: None,
        threads: all_processors(),
    };
    let mut memory = Memory::default();
    let replayed = replay(&replay_options, &mut memory).expect("the replay ends well");
    (replayed.summary, memory.0)
}

/// A customer with two events after a review that panics: each of them asks for that review first, so that it is left out too.
#[test]
fn a_review_that_panics_is_left_out_in_live_and_replay_alike_whatever_the_batches_and_the_memory() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (events, _) = write_log(&directory);
    let untouched = replayed(&events, &Poison::default()).1;
    let (customer, from) = reviewed_later(&untouched);
    let of_customer = Some((customer.as_str().into(), from));
    // The evaluation panics, or what follows it: bringing the sums up to the customer.
    let evaluation = Poison { review: of_customer.clone(), ..Poison::default() };
    for poison in [evaluation, Poison { contribution: of_customer, ..Poison::default() }] {
        let (summary, signals) = replayed(&events, &poison);
        assert_eq!(summary.poisoned, 3, "{poison:?} fired in a review and at two events");
        assert_eq!(
            (told_later(&untouched, &customer, from).is_empty(), told_later(&signals, &customer, from)),
            (false, Vec::<String>::new())
        );
        // A hundred kilobytes are room for one or two customers of a partition: the one in quarantine is evicted, and comes back without its timer.
        for (limits, memory_bytes) in [((500, 100), LEAST_MEMORY_BYTES), ((40, 3), LEAST_MEMORY_BYTES), ((40, 3), PROCESS_BYTES + 100_000)]
        {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let limits = BatchLimits { records: limits.0, reviews: limits.1 };
            let live = run(EmbeddedOptions { limits, memory_bytes, ..options(&directory, &events, PACK, poison.clone()) });
            assert_eq!(live.poisoned, 3, "{limits:?}, {memory_bytes} bytes: {poison:?} fired as in the replay");
            assert!(signals == signals_of(&directory), "{limits:?}, {memory_bytes} bytes, {poison:?}: live and replay differ");
            assert_eq!(poisoned_letters(&directory), 2, "an event each");
        }
    }
}

/// The events in the dead letters of a run because folding them panicked.
fn poisoned_letters(directory: &TempDir) -> usize {
    let letters = fs::read_to_string(directory.path().join("data/dead-letters.jsonl")).expect("dead letters");
    letters.lines().filter(|line| line.contains("\"reason\":\"poisoned\"")).count()
}

#[test]
fn a_day_that_panics_is_not_told_in_live_and_replay_alike() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (events, _) = write_log(&directory);
    let end = START.plus_ms(100 * DAY_MS);
    let poison = Poison { day_end: Some(end), ..Poison::default() };
    let (summary, signals) = replayed(&events, &poison);
    let kpis = directory.path().join("kpis.jsonl");
    let live = run(EmbeddedOptions { kpis: Some(kpis.clone()), ..options(&directory, &events, PACK, poison) });
    assert_eq!((summary.poisoned, live.poisoned), (3, 3), "the fault fired in each partition");
    assert!(!signals.is_empty() && signals == signals_of(&directory), "live and replay differ");
    let kpis = fs::read_to_string(kpis).expect("records of days");
    let is_told = |end: Time| kpis.contains(&format!("\"day\":\"{}\"", &format_time(end.plus_ms(-DAY_MS))[..10]));
    assert_eq!([-1, 0, 1].map(|days| is_told(end.plus_ms(days * DAY_MS))), [true, false, true]);
}

/// A customer with signals after a midnight, and with two events after it; and that midnight.
fn reviewed_later(signals: &[u8]) -> (String, Time) {
    let company = company(42, 30, 200);
    let found = (0..30).map(|number| format!("c-{number}")).find_map(|customer| {
        let times: Vec<Time> = company.iter().filter(|event| event.customer == customer).map(|event| event.time).collect();
        let midnight = times[times.len() - 3].day().next().start();
        let later = times.iter().filter(|time| **time >= midnight).count();
        (later == 2 && !told_later(signals, &customer, midnight).is_empty()).then_some((customer, midnight))
    });
    found.expect("there is such a customer")
}

/// The signals of a customer from a time on.
fn told_later(signals: &[u8], customer: &str, from: Time) -> Vec<String> {
    let text = String::from_utf8(signals.to_vec()).expect("signals are text");
    let (subject, from) = (format!("\"subject\":\"{customer}\""), format_time(from));
    let time = |line: &str| line.split_once("\"time\":\"").map(|(_, rest)| rest[..from.len()].to_owned());
    text.lines().filter(|line| line.contains(&subject) && time(line) >= Some(from.clone())).map(str::to_owned).collect()
}

#[test]
fn states_that_leave_memory_and_come_back_are_invisible() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (events, _) = write_log(&directory);
    // Room for all of the thirty customers, for one or two of ten in a partition, and for none.
    let runs = [(LEAST_MEMORY_BYTES, 0), (PROCESS_BYTES + 100_000, 1_000), (0, 1_000)].map(|(memory_bytes, least_evicted)| {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let options = EmbeddedOptions {
            limits: BatchLimits { records: 40, reviews: 30 },
            memory_bytes,
            ..options(&directory, &events, PACK, Poison::default())
        };
        let mut evicted = 0;
        let observe = |status: &Status<'_>| evicted = status.evicted;
        let summary = embedded::run(options, Arc::new(Metrics::new()), &AtomicBool::new(false), observe).expect("the run ends well");
        assert!(evicted >= least_evicted && (evicted > 0) == (least_evicted > 0), "{memory_bytes} bytes: {evicted} evictions");
        (signals_of(&directory), summary.signals, summary.kpis)
    });
    assert!(runs[0].0 == replayed(&events, &Poison::default()).1 && !runs[0].0.is_empty());
    assert!(runs[1] == runs[0] && runs[2] == runs[0], "memory shows");
}

#[test]
fn a_changed_rule_file_is_published_once_and_episodes_of_removed_rules_expire() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (events, _) = write_log(&directory);
    let first = run(options(&directory, &events, PACK, Poison::default()));
    let signals = || fs::read_to_string(directory.path().join("signals.jsonl")).expect("signals");
    let before = signals();
    let open = |rule: &str| {
        let of = |transition: &str| first.signals.get(rule).and_then(|counts| counts.get(transition)).copied().unwrap_or(0);
        of("raised") - of("cleared") - of("resolved") - of("expired")
    };
    let removed = first.signals.keys().find(|rule| open(rule) > 0).expect("a rule with open episodes").clone();
    let without = "signals:\n  - name: other\n    kind: attention\n    when: logins_28d > 100000\n    summary: none\n";
    run(options(&directory, &events, without, Poison::default()));
    let after = signals();
    assert!(after.starts_with(&before), "what was sent stays");
    let expired = after[before.len()..].lines().filter(|line| line.contains("signal.expired") && line.contains(&removed)).count() as u64;
    assert_eq!(expired, open(&removed));
    run(options(&directory, &events, without, Poison::default()));
    assert_eq!(signals(), after, "the same rules again change nothing");
}

/// Every review of a customer panics under the second rule set: it is left out there and at its two events to come, and is back under the third.
#[test]
fn a_customer_that_panics_under_a_new_rule_set_is_left_out_in_live_and_replay_alike_until_the_next() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (events, _) = write_log(&directory);
    let (customer, from) = reviewed_later(&replayed(&events, &Poison::default()).1);
    let log = fs::read_to_string(&events).expect("it was written");
    let is_before = |line: &&str| line.split_once("\"time\":\"").is_some_and(|(_, rest)| rest[..10] < format_time(from)[..10]);
    let before: String = log.lines().filter(is_before).map(|line| format!("{line}\n")).collect();
    let always = Some((customer.as_str().into(), Time(0)));
    let poison = Poison { review: always.clone(), contribution: always, expiry: Some(customer.as_str().into()), ..Poison::default() };
    let compile = move |text: &str, number: u32| Ok(compile(text, number, &if number == 2 { poison.clone() } else { Poison::default() }));
    let other = PACK.replace("no-login-30d", "no-login");
    for reviews in [100, 1] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let run_under = |rules: &str| {
            let limits = BatchLimits { records: 500, reviews };
            let options = options(&directory, &events, rules, Poison::default());
            run(EmbeddedOptions { compile_rules: Arc::new(compile.clone()), limits, ..options })
        };
        fs::write(&events, &before).expect("it can be written");
        let first = run_under(PACK);
        assert_eq!(first.poisoned, 0);
        let [second, again] = [(); 2].map(|()| run_under(&other));
        assert_eq!((second.poisoned, again.poisoned), (1, 1), "once, and not again at the next start");
        assert_eq!((second.customers, again.customers), (first.customers - 1, first.customers - 1), "it adds nothing to the sums");
        fs::write(&events, &log).expect("it can be written");
        assert_eq!((run_under(&other).poisoned, poisoned_letters(&directory)), (3, 2), "an event each");
        let told = |directory: &TempDir| told_later(&signals_of(directory), &customer, from);
        assert_eq!(told(&directory), Vec::<String>::new());
        let third = run_under(PACK);
        assert!(!told(&directory).is_empty(), "it is back");
        let journal = Directory(JournalDirectory::open(&directory.path().join("data")).expect("a journal"));
        let mut memory = Memory::default();
        let replay = JournalReplay { decoder: Decoder::default(), compile_rules: &compile, rules: None };
        let replayed = replay.run(&journal, &mut memory).expect("the replay ends well");
        let sums = |summary: &Summary| (summary.poisoned, summary.customers, summary.mrr_minor.clone(), summary.kpis.clone());
        assert_eq!(sums(&replayed.summary), sums(&third), "{reviews} reviews a batch");
        assert_eq!(third.poisoned, 3);
        assert!(sorted(&memory.0) == sorted(&signals_of(&directory)), "{reviews} reviews a batch: live and replay differ");
    }
}

fn sorted(lines: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
    lines.sort_unstable();
    lines
}

struct Directory(JournalDirectory);

impl Journal for Directory {
    fn partitions(&self) -> u16 {
        self.0.partitions()
    }

    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        self.0.read(partition, visit).map_err(|error| error.to_string())
    }
}
