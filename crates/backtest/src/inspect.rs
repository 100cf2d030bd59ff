//! The records of a journal one by one, for somebody who wants to see what it holds.

use std::collections::BTreeMap;

use bellwether_codec::event::Decoder;
use bellwether_codec::journal::{Control, JournalRecord};
use bellwether_codec::rejection::{RejectReason, Rejection};
use bellwether_engine::event::{Body, CustomerKey, Event};
use bellwether_engine::time::Time;

use crate::erased::ErasedOfPartition;
use crate::error::ReplayError;
use crate::journal::Journal;

/// A record and what it holds.
#[derive(Debug)]
pub struct Inspected<'r> {
    /// Its partition.
    pub partition: u16,
    /// The record as it was read.
    pub record: JournalRecord<'r>,
    /// What its value says.
    pub content: Content<'r>,
}

/// What a record holds.
#[derive(Debug)]
pub enum Content<'r> {
    /// An event.
    Event(Event<'r>),
    /// An event of a customer that was erased since: its bytes are not shown to anybody.
    Erased,
    /// The erasure of a customer, who is not named any more.
    Erasure(Time),
    /// Something that controls the fold, or tells of the journal.
    Control(Control),
    /// Nothing that this version can read; it is folded as a tick.
    Unreadable(Rejection),
}

/// Hands over the records of some partitions in the order in which they stand, until `visit` wants no more. Erasures are looked for in the whole journal
/// first, wherever the part of it begins.
///
/// # Errors
///
/// When the journal cannot be read.
pub fn inspect(
    journal: &dyn Journal,
    decoder: &Decoder,
    partitions: impl Iterator<Item = u16>,
    visit: &mut dyn FnMut(&Inspected<'_>) -> bool,
) -> Result<(), ReplayError> {
    let mut wants_more = true;
    for partition in partitions {
        let blanks = Blanks::of(journal.whole().unwrap_or(journal), partition, decoder)?;
        let mut of_batch = |records: &[JournalRecord<'_>]| {
            wants_more = records.iter().all(|record| {
                let content = content(record, decoder, &blanks);
                visit(&Inspected { partition, record: *record, content })
            });
            wants_more
        };
        journal.read(partition, &mut of_batch).map_err(ReplayError::Journal)?;
        if !wants_more {
            break;
        }
    }
    Ok(())
}

/// Which events of a partition are of customers that were erased.
struct Blanks<'d> {
    decoder: &'d Decoder,
    offsets: BTreeMap<CustomerKey, u64>,
    times: BTreeMap<u128, Time>,
}

impl<'d> Blanks<'d> {
    fn of(journal: &dyn Journal, partition: u16, decoder: &'d Decoder) -> Result<Self, ReplayError> {
        let ErasedOfPartition { offsets, hashes } = ErasedOfPartition::of(journal, partition, decoder)?;
        let mut times = BTreeMap::new();
        for (hash, time) in hashes {
            let latest: &mut Time = times.entry(hash).or_insert(time);
            *latest = time.max(*latest);
        }
        Ok(Self { decoder, offsets, times })
    }

    /// One that stands before the erasure, or behind it and is dated before.
    fn hide(&self, event: &Event<'_>, offset: u64) -> bool {
        if self.times.is_empty() {
            return false;
        }
        let stands_before = self.offsets.get(&CustomerKey::of(&event.customer)).is_some_and(|erasure| offset < *erasure);
        let is_dated_before = self.times.get(&self.decoder.erasure_key().hash(&event.customer)).is_some_and(|time| event.time <= *time);
        stands_before || is_dated_before
    }
}

fn content<'r>(record: &JournalRecord<'r>, decoder: &Decoder, blanks: &Blanks<'_>) -> Content<'r> {
    let value = record.value.unwrap_or_default();
    let read = if record.is_control { Control::decode(value).map(Content::Control) } else { event(value, decoder).map(Content::Event) };
    match read {
        Ok(Content::Event(Event { body: Body::Erased, time, .. })) => Content::Erasure(time),
        Ok(Content::Event(event)) if blanks.hide(&event, record.offset) => Content::Erased,
        Ok(content) => content,
        Err(rejection) => Content::Unreadable(rejection),
    }
}

fn event<'r>(value: &'r [u8], decoder: &Decoder) -> Result<Event<'r>, Rejection> {
    let text = std::str::from_utf8(value).map_err(|error| Rejection::new(RejectReason::InvalidUtf8, error.to_string()))?;
    decoder.decode_journal(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of one partition, each with whether it is a control record.
    struct Values(Vec<(bool, String)>);

    impl Journal for Values {
        fn partitions(&self) -> u16 {
            1
        }

        fn read(&self, _: u16, visit: &mut crate::journal::Visit<'_>) -> Result<(), String> {
            for (offset, (is_control, value)) in self.0.iter().enumerate() {
                let value = Some(value.as_bytes());
                let record =
                    JournalRecord { offset: offset as u64, appended_at: None, watermark: Some(b"7"), is_control: *is_control, value };
                if !visit(&[record]) {
                    break;
                }
            }
            Ok(())
        }
    }

    fn event_of(kind: &str, customer: &str, day: u8) -> (bool, String) {
        let text = format!(
            r#"{{"specversion":"1.0","id":"{day}","source":"/a","type":"{kind}","subject":"{customer}","time":"2026-01-{day:02}T00:00:00Z"}}"#
        );
        (false, text)
    }

    fn seen(journal: &Values, limit: usize) -> Vec<String> {
        let mut seen = Vec::new();
        inspect(journal, &Decoder::default(), 0..1, &mut |one| {
            assert_eq!((one.partition, one.record.stated_watermark()), (0, Some(Time(7))));
            let what = match &one.content {
                Content::Event(event) => format!("{} of {}", event.event_type().name(), event.customer),
                Content::Erased => "erased".to_owned(),
                Content::Erasure(_) => "erasure".to_owned(),
                Content::Control(control) => control.name().to_owned(),
                Content::Unreadable(rejection) => rejection.reason.code().to_owned(),
            };
            seen.push(format!("{} {what}", one.record.offset));
            seen.len() < limit
        })
        .expect("it can be read");
        seen
    }

    #[test]
    fn each_record_is_shown_but_those_of_who_was_erased() {
        let journal = Values(vec![
            (true, r#"{"type":"tick"}"#.to_owned()),
            event_of("login", "c-1", 1),
            event_of("login", "c-2", 2),
            (false, "{".to_owned()),
            event_of("customer.erased", "c-1", 10),
            event_of("login", "c-1", 5),
            event_of("login", "c-1", 11),
        ]);
        let all = ["0 tick", "1 erased", "2 login of c-2", "3 invalid_json", "4 erasure", "5 erased", "6 login of c-1"];
        assert_eq!(seen(&journal, 100), all);
        assert_eq!(seen(&journal, 3), all[..3]);
    }
}
