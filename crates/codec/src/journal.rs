//! Records of a journal topic: events with their watermark, ticks, and the records that control the fold.
//!
//! The value is the normalised event, or a JSON object that tells what a control record says. Headers stand beside it: `watermark` and,
//! here and there from an ingest, `arrival`, both milliseconds since the epoch as decimal digits, and `control`, the type of a control record.

mod control;

use bellwether_engine::event::{Body, CustomerKey};
use bellwether_engine::time::{MINUTE_MS, Time};

pub use control::{Control, Created, ImportProgress, PublishedRules, PurgedErasure, SourceState};

use crate::event::Decoder;
use crate::intake::{DecodedEvent, DecodedLine, Sequenced};
use crate::rejection::{RejectReason, Rejection};
use crate::run::{Run, TICK_LINE};

/// The header that holds the watermark.
pub const WATERMARK_HEADER: &str = "watermark";

/// The header that holds when the event arrived, or the tick was written. An ingest writes it to each of its ticks and to one of
/// [`ARRIVAL_EVERY`] events, and nothing else has it. It is for measuring, and the fold does not know it.
pub const ARRIVAL_HEADER: &str = "arrival";

/// Of the events that a transaction of an ingest has for a partition, the first has [`ARRIVAL_HEADER`], and every one that comes so many after. On all
/// of them it would cost a tenth of what can be taken in.
pub const ARRIVAL_EVERY: u64 = 8;

/// The header that holds the type of a control record.
pub const CONTROL_HEADER: &str = "control";

/// A watermark that is further ahead of the time at which its record was appended does not move journal time: somebody's clock is wrong.
pub const MAX_AHEAD_OF_APPEND_MS: i64 = 5 * MINUTE_MS;

/// A record of a journal partition as it was read.
#[derive(Clone, Copy, Debug)]
pub struct JournalRecord<'a> {
    /// Its offset.
    pub offset: u64,
    /// When the broker appended it.
    pub appended_at: Option<Time>,
    /// Value of the header [`WATERMARK_HEADER`].
    pub watermark: Option<&'a [u8]>,
    /// Whether it has the header [`CONTROL_HEADER`].
    pub is_control: bool,
    /// Its value.
    pub value: Option<&'a [u8]>,
}

impl JournalRecord<'_> {
    /// What the header [`WATERMARK_HEADER`] says, whether it counts or not; none without one.
    #[must_use]
    pub fn stated_watermark(&self) -> Option<Time> {
        let digits = std::str::from_utf8(self.watermark?).ok()?;
        digits.parse().ok().map(Time)
    }
}

/// Records of a partition, cut where something else than an event or a tick stands between them.
#[derive(Debug, Default)]
pub struct Pieces<'a> {
    /// In the order of the journal.
    pub pieces: Vec<Piece<'a>>,
    /// Records whose watermark was too far ahead of the time at which they were appended.
    pub clock_ahead: u64,
}

/// A stretch of a partition.
#[derive(Debug)]
pub enum Piece<'a> {
    /// Events and ticks.
    Records(Records<'a>),
    /// The first record.
    Created(u64, Created),
    /// A rule set, at its offset.
    Rules(u64, PublishedRules),
    /// A source has fallen silent.
    SourceSilent(u64, SourceState),
    /// A source has resumed.
    SourceResumed(u64, SourceState),
    /// A customer was erased, and the record of it purged.
    Erased(u64, PurgedErasure),
}

/// Events and ticks, one after the other.
#[derive(Debug, Default)]
pub struct Records<'a> {
    lines: Vec<DecodedLine<'a>>,
    records: Vec<Sequenced>,
    offsets: Vec<u64>,
}

impl<'a> Records<'a> {
    /// The records as the fold takes them.
    #[must_use]
    pub fn run(&self) -> Run<'_> {
        Run {
            first_offset: self.offsets.first().copied().unwrap_or_default(),
            offsets: Some(&self.offsets),
            lines: &self.lines,
            records: &self.records,
            tick: None,
        }
    }

    /// Makes ticks of the events of customers that are not wanted: time passes as it did.
    pub fn keep(&mut self, is_wanted: impl Fn(CustomerKey) -> bool) {
        for record in &mut self.records {
            let is_event = self.lines.get(record.line as usize).is_some_and(Result::is_ok);
            if is_event && !is_wanted(record.key) {
                record.line = TICK_LINE;
            }
        }
    }

    /// The erasures among the records: offset, customer and time.
    pub fn erasures(&self) -> impl Iterator<Item = (u64, CustomerKey, Time)> {
        let of_record = |(record, offset): (&Sequenced, &u64)| match self.lines.get(record.line as usize) {
            Some(Ok(DecodedEvent { event, .. })) if matches!(event.body, Body::Erased) => Some((*offset, record.key, event.time)),
            _ => None,
        };
        self.records.iter().zip(&self.offsets).filter_map(of_record)
    }

    /// The ids of the customers that are erased by these records, and the times of the erasures.
    pub fn erased_customers(&self) -> impl Iterator<Item = (&str, Time)> {
        let erased = self.lines.iter().flatten().filter(|decoded| matches!(decoded.event.body, Body::Erased));
        erased.map(|decoded| (&*decoded.event.customer, decoded.event.time))
    }

    /// How many of the records carry an event.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.lines.iter().filter(|line| line.is_ok()).count() as u64
    }

    /// Records that do not read back, by offset: they are folded as ticks and belong into the dead letters.
    pub fn unreadable(&self) -> impl Iterator<Item = (u64, &Rejection)> {
        let of_record = |(record, offset): (&Sequenced, &u64)| match self.lines.get(record.line as usize) {
            Some(Err(rejection)) => Some((*offset, rejection)),
            _ => None,
        };
        self.records.iter().zip(&self.offsets).filter_map(of_record)
    }

    fn push(&mut self, offset: u64, watermark: Time, line: Option<DecodedLine<'a>>) {
        let (key, identity) = match &line {
            Some(Ok(decoded)) => (decoded.key, decoded.identity),
            _ => (CustomerKey(0), 0),
        };
        let number = line.map_or(TICK_LINE, |line| {
            self.lines.push(line);
            self.lines.len() as u32 - 1
        });
        self.records.push(Sequenced { line: number, key, identity, watermark });
        self.offsets.push(offset);
    }
}

impl<'a> Pieces<'a> {
    /// Decodes records of one partition, given in the order of their offsets.
    #[must_use]
    pub fn decode(records: impl Iterator<Item = JournalRecord<'a>>, decoder: &Decoder) -> Self {
        let mut pieces = Self::default();
        records.for_each(|record| pieces.push(&record, decoder));
        pieces
    }

    fn push(&mut self, record: &JournalRecord<'a>, decoder: &Decoder) {
        let watermark = self.watermark(record);
        let value = record.value.unwrap_or_default();
        if !record.is_control {
            return self.records().push(record.offset, watermark, Some(decode_event(value, decoder)));
        }
        match Control::decode(value) {
            Ok(Control::Tick | Control::Import(_)) => self.records().push(record.offset, watermark, None),
            Ok(Control::Created(created)) => self.pieces.push(Piece::Created(record.offset, created)),
            Ok(Control::Rules(rules)) => self.pieces.push(Piece::Rules(record.offset, rules)),
            Ok(Control::SourceSilent(source)) => self.pieces.push(Piece::SourceSilent(record.offset, source)),
            Ok(Control::SourceResumed(source)) => self.pieces.push(Piece::SourceResumed(record.offset, source)),
            Ok(Control::Erased(erasure)) => self.pieces.push(Piece::Erased(record.offset, erasure)),
            Err(rejection) => self.records().push(record.offset, watermark, Some(Err(rejection))),
        }
    }

    fn records(&mut self) -> &mut Records<'a> {
        if !matches!(self.pieces.last(), Some(Piece::Records(_))) {
            self.pieces.push(Piece::Records(Records::default()));
        }
        match self.pieces.last_mut() {
            Some(Piece::Records(records)) => records,
            _ => unreachable!("it was just put there"),
        }
    }

    /// The watermark as far as it counts: one from a clock ahead does not move time.
    fn watermark(&mut self, record: &JournalRecord<'a>) -> Time {
        let watermark = record.stated_watermark().unwrap_or(Time::MIN);
        if record.appended_at.is_some_and(|appended| watermark.since_ms(appended) > MAX_AHEAD_OF_APPEND_MS) {
            self.clock_ahead += 1;
            return Time::MIN;
        }
        watermark
    }
}

fn decode_event<'a>(value: &'a [u8], decoder: &Decoder) -> DecodedLine<'a> {
    let text = std::str::from_utf8(value).map_err(|error| Rejection::new(RejectReason::InvalidUtf8, error.to_string()))?;
    let event = decoder.decode_journal(text)?;
    Ok(DecodedEvent::from(event))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = r#"{"specversion":"1.0","id":"1","source":"/a","type":"login","subject":"c","time":"2026-01-01T00:00:00Z"}"#;

    fn record<'a>(offset: u64, appended_at: i64, watermark: &'a str, control: bool, value: &'a str) -> JournalRecord<'a> {
        let (watermark, value) = (Some(watermark.as_bytes()), Some(value.as_bytes()));
        JournalRecord { offset, appended_at: Some(Time(appended_at)), watermark, is_control: control, value }
    }

    fn described(records: Vec<JournalRecord<'_>>) -> (Vec<String>, u64) {
        let pieces = Pieces::decode(records.into_iter(), &Decoder::default());
        let describe = |piece: &Piece<'_>| match piece {
            Piece::Created(offset, created) => format!("{offset} created {}", created.journal),
            Piece::Rules(offset, rules) => format!("{offset} rules {}", rules.number),
            Piece::SourceSilent(offset, source) => format!("{offset} silent {}", source.source),
            Piece::SourceResumed(offset, source) => format!("{offset} resumed {}", source.source),
            Piece::Erased(offset, erasure) => format!("{offset} erased {:x}", erasure.hash),
            Piece::Records(records) => {
                let one = |(record, offset): (&Sequenced, &u64)| {
                    let what = match records.lines.get(record.line as usize) {
                        Some(Ok(decoded)) => decoded.event.event_type().name().to_owned(),
                        Some(Err(rejection)) => rejection.reason.code().to_owned(),
                        None => "tick".to_owned(),
                    };
                    format!("{offset} {what} {}", if record.watermark == Time::MIN { 0 } else { record.watermark.0 })
                };
                records.records.iter().zip(&records.offsets).map(one).collect::<Vec<_>>().join(", ")
            }
        };
        (pieces.pieces.iter().map(describe).collect(), pieces.clock_ahead)
    }

    #[test]
    fn records_are_cut_at_what_controls_the_fold() {
        let created = Control::Created(Created { journal: "j".into(), partitions: 3, pseudonym_key_id: "k".into() }).encode();
        let rules = Control::Rules(PublishedRules { number: 7, text: "signals: []".into() }).encode();
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).expect("it is JSON");
        let (created, rules, tick) = (text(&created), text(&rules), text(&Control::Tick.encode()));
        let auth = SourceState { source: "auth".into(), families: vec!["login".into()] };
        let silent = text(&Control::SourceSilent(auth.clone()).encode());
        let resumed = text(&Control::SourceResumed(auth).encode());
        assert_eq!(silent, r#"{"type":"source.silent","source":"auth","families":["login"]}"#);
        let far = (5 * MINUTE_MS + 101).to_string();
        let records = vec![
            record(0, 0, "", true, &created),
            record(2, 100, "50", false, LOGIN),
            record(3, 100, "60", true, &tick),
            record(5, 100, "70", true, &rules),
            record(6, 100, "80", false, "{"),
            record(7, 100, &far, true, &tick),
            record(9, 100, "90", true, r#"{"type":"from.the.future"}"#),
            record(10, 100, "90", true, &silent),
            record(11, 100, "90", true, &resumed),
        ];
        let last = ["6 invalid_json 80, 7 tick 0, 9 invalid_json 90", "10 silent auth", "11 resumed auth"];
        let expected = ["0 created j", "2 login 50, 3 tick 60", "5 rules 7", last[0], last[1], last[2]];
        assert_eq!(described(records), (expected.map(str::to_owned).to_vec(), 1));
    }

    #[test]
    fn an_event_of_somebody_else_is_a_tick() {
        let others = LOGIN.replace("\"subject\":\"c\"", "\"subject\":\"d\"");
        let records = [record(3, 0, "1", false, LOGIN), record(4, 0, "2", false, &others), record(5, 0, "3", false, "{")];
        let mut pieces = Pieces::decode(records.into_iter(), &Decoder::default());
        let Some(Piece::Records(records)) = pieces.pieces.first_mut() else { panic!("events give a run") };
        records.keep(|key| key == CustomerKey::of("d"));
        let run = records.run();
        assert_eq!([0, 1, 2].map(|index| run.event(index).map(|(_, key, _)| key)), [None, Some(CustomerKey::of("d")), None]);
        assert_eq!([0, 1, 2].map(|index| run.watermark(index).0), [1, 2, 3]);
        assert_eq!(records.unreadable().count(), 1);
    }

    #[test]
    fn a_run_knows_its_gaps() {
        let records = [record(3, 0, "1", false, LOGIN), record(9, 0, "2", false, LOGIN)];
        let pieces = Pieces::decode(records.into_iter(), &Decoder::default());
        let Some(Piece::Records(records)) = pieces.pieces.first() else { panic!("events give a run") };
        let run = records.run();
        assert_eq!([run.offset(0), run.offset(1), run.offset(2)], [3, 9, 10]);
        assert_eq!([0, 3, 4, 9, 10].map(|offset| run.index_of(offset)), [0, 0, 1, 1, 2]);
    }
}
