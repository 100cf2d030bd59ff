//! Journals written out by hand: partitions that end apart, a pass that is stopped, and a source that is silent.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bellwether_backtest::explain::{Explainer, Explanation};
use bellwether_backtest::journal::{Journal, Visit};
use bellwether_backtest::pass::{Pass, PassOptions, observe_journal};
use bellwether_backtest::replay::Sink;
use bellwether_codec::event::Decoder;
use bellwether_codec::journal::{Control, JournalRecord, SourceState};
use bellwether_codec::rendered::Rendered;
use bellwether_codec::rules::RuleFile;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::settings::Settings;
use bellwether_engine::time::{DAY_MS, Time};

/// Partitions, each with its records in order: customer, type and day.
struct Memory {
    partitions: Vec<Vec<(&'static str, &'static str, i64)>>,
    /// Set once so many records are read in all.
    stop: Option<u64>,
    stopped: AtomicBool,
    read: AtomicU64,
}

impl Journal for Memory {
    fn partitions(&self) -> u16 {
        self.partitions.len() as u16
    }

    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        for (offset, (customer, kind, day)) in (0..).zip(&self.partitions[usize::from(partition)]) {
            let time = format_time(Time(day * DAY_MS));
            let value = format!(
                r#"{{"specversion":"1.0","id":"{offset}","source":"/t","type":"{kind}","subject":"{customer}","time":"{time}","data":{{"subscription":"s","mrr_minor":1}}}}"#
            );
            let source = || SourceState { source: "/t".to_owned(), families: vec!["login".to_owned()] };
            let (is_control, value) = match *kind {
                "source.silent" => (true, Control::SourceSilent(source()).encode()),
                "source.resumed" => (true, Control::SourceResumed(source()).encode()),
                _ => (false, value.into_bytes()),
            };
            let watermark = (day * DAY_MS).to_string();
            let (watermark, value) = (Some(watermark.as_bytes()), Some(value.as_slice()));
            if !visit(&[JournalRecord { offset, appended_at: None, watermark, is_control, value }]) {
                break;
            }
            if self.read.fetch_add(1, Ordering::Relaxed) + 1 == self.stop.unwrap_or(u64::MAX) {
                self.stopped.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

fn memory(partitions: &[&[(&'static str, &'static str, i64)]], stop: Option<u64>) -> Memory {
    let partitions = partitions.iter().map(|records| records.to_vec()).collect();
    Memory { partitions, stop, stopped: AtomicBool::new(false), read: AtomicU64::new(0) }
}

fn observe(partitions: &[&[(&'static str, &'static str, i64)]], stop: Option<u64>) -> Pass {
    let journal = memory(partitions, stop);
    let options = PassOptions {
        rule_sets: vec![Arc::new(RuleSet::new(1, Vec::new(), Settings::default()))],
        hidden: Vec::new(),
        renders: false,
        features_every_ms: None,
        max_customers: usize::MAX,
        scratch: Path::new("."),
        until: None,
        stop: &journal.stopped,
    };
    observe_journal(&journal, &Decoder::default(), &options, &mut Discard).expect("the pass ends well")
}

/// The customers, each with the day until which it is known.
fn known(pass: &Pass) -> Vec<(&str, i64)> {
    pass.observed[0].customers.iter().map(|customer| (&*customer.id, customer.known_until.0 / DAY_MS)).collect()
}

#[test]
fn each_customer_is_known_until_the_end_of_its_partition() {
    let long: &[_] = &[("a", "subscription.started", 1), ("b", "subscription.started", 2), ("a", "login", 150)];
    let pass = observe(&[long, &[("c", "subscription.started", 3), ("c", "login", 60)], &[]], None);
    assert_eq!(known(&pass), [("a", 150), ("b", 150), ("c", 60)]);
    assert_eq!((pass.log.end, pass.log.is_partial), (Time(150 * DAY_MS), false));
}

#[test]
fn a_pass_that_is_stopped_tells_what_it_has_folded_and_not_of_who_is_erased_later() {
    let only: &[_] = &[
        ("a", "subscription.started", 1),
        ("b", "subscription.started", 2),
        ("c", "subscription.started", 3),
        ("a", "login", 60),
        ("b", "customer.erased", 70),
        ("a", "login", 80),
    ];
    let pass = observe(&[only], Some(3));
    assert!(pass.log.is_partial);
    assert_eq!(known(&pass), [("a", 3), ("c", 3)]);
    // One that was erased before the stop is not told of either.
    assert_eq!(known(&observe(&[only], Some(5))), [("a", 70), ("c", 70)]);
    assert_eq!(known(&observe(&[only], None)), [("a", 80), ("c", 80)]);
}

#[test]
fn a_rule_that_waits_for_a_silent_source_is_told_to_be_frozen() {
    let rules = "signals:\n  - { name: quiet, kind: at_risk, when: days_since_login >= 5, warm_up: 0s, summary: s }\n  \
        - { name: paid, kind: at_risk, when: mrr >= 1, warm_up: 0s, summary: s }\n";
    let rules = Arc::new(RuleFile::parse("test", rules).expect("it is right").rule_set(1));
    let why = |records: &[(&'static str, &'static str, i64)]| -> Vec<String> {
        let followed = Explainer::new("a", None, rules.clone()).journal(&memory(&[records], None), &Decoder::default(), None);
        let explanation = Explanation::of(followed.expect("it can be followed"), "a").expect("it is known");
        explanation.rules.into_iter().map(|rule| rule.why).collect()
    };
    let open = "open since 1970-01-02T00:00:00Z, warning";
    let mut records = vec![("a", "subscription.started", 1), ("a", "login", 2), ("", "source.silent", 3), ("b", "login", 20)];
    assert_eq!(why(&records), ["frozen: a source of the events that it waits for is silent", open]);
    records.extend([("", "source.resumed", 21), ("b", "login", 22)]);
    assert_eq!(why(&records), ["open since 1970-01-21T00:00:00Z, warning", open]);
    records.extend([("", "source.silent", 23), ("b", "login", 24)]);
    assert_eq!(why(&records)[0], "open since 1970-01-21T00:00:00Z, warning, and frozen while a source that it needs is silent");
}

struct Discard;

impl Sink for Discard {
    fn append(&mut self, _rendered: &Rendered) -> std::io::Result<()> {
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn progress(&mut self, _bytes_read: u64, _bytes_total: u64, _lines: u64) {}
}
