//! The embedded loop through its interface: records that cannot be folded, and rules that change between runs.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bellwether_backtest::replay::{ReplayOptions, Sink, all_processors, replay};
use bellwether_codec::event::{Decoder, encode_event};
use bellwether_codec::intake::InputSpec;
use bellwether_codec::rendered::Rendered;
use bellwether_codec::rules::RuleFile;
use bellwether_codec::summary::Summary;
use bellwether_engine::rule_set::RuleSet;
use bellwether_live::embedded;
use bellwether_live::metrics::Metrics;
use bellwether_live::options::{BatchLimits, EmbeddedOptions, SignalsTarget};
use bellwether_tests::company::company;
use tempfile::TempDir;

const PACK: &str = include_str!("../../deploy/rules/default.yaml");

fn compile(text: &str, number: u32, poison: Option<u64>) -> RuleSet {
    let mut file = RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}"));
    file.settings.poison = poison;
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

fn options(directory: &TempDir, events: &Path, rules: &str, poison: Option<u64>) -> EmbeddedOptions {
    EmbeddedOptions {
        inputs: vec![InputSpec::from(events)],
        data: directory.path().join("data"),
        signals: SignalsTarget::File(directory.path().join("signals.jsonl")),
        kpis: None,
        partitions: Some(3),
        decoder: Decoder::default(),
        rules_text: rules.to_owned(),
        compile_rules: Arc::new(move |text, number| Ok(compile(text, number, poison))),
        new_journal_id: "test".to_owned(),
        pseudonym_key_id: 1,
        once: true,
        ingest_clock: || None,
        limits: BatchLimits { records: 500, reviews: 100 },
        memory_bytes: 64 << 20,
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
            rules: Arc::new(compile(PACK, 1, None)),
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
    let summary = run(options(&directory, &events, PACK, Some(poison)));
    assert_eq!(summary.poisoned, 1, "the fault fired");
    let dead_letters = fs::read_to_string(directory.path().join("data/dead-letters.jsonl")).expect("dead letters");
    assert_eq!(dead_letters.lines().filter(|line| line.contains("\"reason\":\"poisoned\"")).count(), 1);
    let replay_options = ReplayOptions {
        inputs: vec![InputSpec::from(events.as_path())],
        decoder: Decoder::default(),
        rules: Arc::new(compile(PACK, 1, Some(poison))),
        partitions: 3,
        ingest_clock: None,
        threads: all_processors(),
    };
    let mut memory = Memory::default();
    let replayed = replay(&replay_options, &mut memory).expect("the replay ends well");
    assert_eq!(replayed.summary.poisoned, 1, "the fault fired");
    assert!(!memory.0.is_empty());
    assert!(memory.0 == fs::read(directory.path().join("signals.jsonl")).expect("signals"), "live and replay differ");
}

#[test]
fn a_changed_rule_file_is_published_once_and_episodes_of_removed_rules_expire() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (events, _) = write_log(&directory);
    let first = run(options(&directory, &events, PACK, None));
    let signals = || fs::read_to_string(directory.path().join("signals.jsonl")).expect("signals");
    let before = signals();
    let open = |rule: &str| {
        let of = |transition: &str| first.signals.get(rule).and_then(|counts| counts.get(transition)).copied().unwrap_or(0);
        of("raised") - of("cleared") - of("resolved") - of("expired")
    };
    let removed = first.signals.keys().find(|rule| open(rule) > 0).expect("a rule with open episodes").clone();
    let without = "signals:\n  - name: other\n    kind: attention\n    when: logins_28d > 100000\n    summary: none\n";
    run(options(&directory, &events, without, None));
    let after = signals();
    assert!(after.starts_with(&before), "what was sent stays");
    let expired = after[before.len()..].lines().filter(|line| line.contains("signal.expired") && line.contains(&removed)).count() as u64;
    assert_eq!(expired, open(&removed));
    run(options(&directory, &events, without, None));
    assert_eq!(signals(), after, "the same rules again change nothing");
}
