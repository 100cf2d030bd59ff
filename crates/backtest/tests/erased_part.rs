//! A part of a journal knows of the erasures before and behind it, whether their bytes are gone or not.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bellwether_backtest::journal::{Journal, Visit};
use bellwether_backtest::pass::{PassOptions, observe_journal};
use bellwether_backtest::replay::Sink;
use bellwether_codec::event::Decoder;
use bellwether_codec::journal::{Control, JournalRecord, PurgedErasure};
use bellwether_codec::rendered::Rendered;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::settings::Settings;
use bellwether_engine::time::{DAY_MS, Time};

/// A record: its day, and its value.
struct Kept {
    day: i64,
    is_control: bool,
    value: Vec<u8>,
}

/// A journal of one partition, and the part of it that is read.
struct Memory {
    records: Vec<Kept>,
    part: Range<usize>,
    whole: Option<Box<Memory>>,
}

impl Journal for Memory {
    fn partitions(&self) -> u16 {
        1
    }

    fn read(&self, _partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        for offset in self.part.clone() {
            let Kept { day, is_control, value } = &self.records[offset];
            let watermark = (day * DAY_MS).to_string();
            let (watermark, value) = (Some(watermark.as_bytes()), Some(value.as_slice()));
            visit(&[JournalRecord { offset: offset as u64, appended_at: None, watermark, is_control: *is_control, value }]);
        }
        Ok(())
    }

    fn whole(&self) -> Option<&dyn Journal> {
        self.whole.as_deref().map(|whole| whole as &dyn Journal)
    }
}

/// An event of a customer: journaled on one day, dated on another.
fn event(customer: &str, kind: &str, day: i64, dated: i64) -> Kept {
    let time = bellwether_codec::timestamp::format_time(Time(dated * DAY_MS));
    let value =
        format!(r#"{{"specversion":"1.0","id":"{customer}-{day}","source":"/t","type":"{kind}","subject":"{customer}","time":"{time}"}}"#);
    Kept { day, is_control: false, value: value.into_bytes() }
}

/// c-1 is erased on day 20 and comes back on day 40; something of it comes late on day 30. c-2 is there all the time.
fn records(is_purged: bool) -> Vec<Kept> {
    let hash = Decoder::default().erasure_key().hash("c-1");
    let purged = Control::Erased(PurgedErasure { hash, time: Time(20 * DAY_MS) }).encode();
    let erasure = if is_purged { Kept { day: 20, is_control: true, value: purged } } else { event("c-1", "customer.erased", 20, 20) };
    vec![
        event("c-1", "account.created", 1, 1),
        event("c-2", "account.created", 2, 2),
        event("c-1", "login", 10, 10),
        erasure,
        event("c-2", "login", 25, 25),
        event("c-1", "login", 30, 15),
        event("c-2", "login", 35, 35),
        event("c-1", "account.created", 40, 40),
    ]
}

/// The customers that a pass over a part knows, each with the day since when; and the events it counts.
fn seen(part: Range<usize>, is_purged: bool, knows_the_rest: bool) -> (Vec<(String, i64)>, u64) {
    let all = records(is_purged);
    let whole = Memory { part: 0..all.len(), records: all, whole: None };
    let part = Memory { records: records(is_purged), part, whole: knows_the_rest.then(|| Box::new(whole)) };
    let options = PassOptions {
        rule_sets: vec![Arc::new(RuleSet::new(1, Vec::new(), Settings::default()))],
        hidden: Vec::new(),
        renders: false,
        features_every_ms: None,
        max_customers: usize::MAX,
        scratch: Path::new("."),
        until: None,
        stop: &AtomicBool::new(false),
    };
    let pass = observe_journal(&part, &Decoder::default(), &options, &mut Discard).expect("the pass ends well");
    let customers = pass.observed[0].customers.iter();
    let mut known: Vec<(String, i64)> = customers.map(|customer| (customer.id.to_string(), customer.since.0 / DAY_MS)).collect();
    known.sort();
    (known, pass.log.events)
}

fn known(customers: &[(&str, i64)]) -> Vec<(String, i64)> {
    customers.iter().map(|(id, since)| ((*id).to_owned(), *since)).collect()
}

#[test]
fn who_is_erased_behind_a_part_is_not_in_it() {
    assert_eq!(seen(0..3, false, true), (known(&[("c-2", 2)]), 1));
    assert_eq!(seen(0..3, false, false).0, known(&[("c-1", 1), ("c-2", 2)]), "without the rest, it is");
}

#[test]
fn what_comes_late_of_who_was_erased_before_a_part_is_dropped() {
    for is_purged in [false, true] {
        assert_eq!(seen(4..7, is_purged, true).0, known(&[("c-2", 25)]), "purged: {is_purged}");
        assert_eq!(seen(4..7, is_purged, false).0, known(&[("c-1", 15), ("c-2", 25)]), "without the rest, it is not");
    }
}

#[test]
fn who_comes_back_is_new_in_every_part() {
    for part in [0..8, 2..8, 4..8] {
        let first = if part.start == 0 { 2 } else { 25 };
        assert_eq!(seen(part.clone(), false, true).0, known(&[("c-1", 40), ("c-2", first)]), "{part:?}");
    }
    assert_eq!(seen(0..8, false, false), seen(0..8, false, true), "a whole journal needs nobody to tell it");
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
