//! Whose users there are, as the journal tells it: read before an ingest begins, since what a directory has learned is in memory only.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bellwether_codec::event::Decoder;
use bellwether_codec::source::CustomerDirectory;
use bellwether_engine::event::{Body, Event, UserStep, UserToken};
use bellwether_kafka::{Batch, Reader, TopicPartition};

use super::connect::Connect;
use crate::error::LiveError;

/// Records that are in memory at once.
const MAX_RECORDS: usize = 50_000;
const MAX_BYTES: usize = 32 << 20;

/// What the events that tell whose user somebody is have in common, as the journal writes them. All others are not decoded.
const MARK: &str = "\"type\":\"user.";

/// Teaches a directory once, whichever ingest worker comes first.
pub(crate) struct Learning {
    directory: Option<Arc<CustomerDirectory>>,
    is_done: Mutex<bool>,
}

impl Learning {
    /// For this directory, if it is one that learns.
    pub fn new(directory: Option<&Arc<CustomerDirectory>>) -> Self {
        let directory = directory.filter(|directory| directory.learns()).cloned();
        Self { directory, is_done: Mutex::new(false) }
    }

    /// Reads the journal up to its present end, unless another worker has done so.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn once(&self, connect: &Connect, partitions: u16, stop: &AtomicBool) -> Result<(), LiveError> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let mut is_done = self.is_done.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_done {
            let known = read(connect, partitions, directory.max_users(), stop)?;
            let users = known.into_iter().filter(|(user, known)| directory.insert(*user, &known.customer)).count();
            tracing::info!(users, "learned from the journal whose users there are");
            *is_done = true;
        }
        Ok(())
    }
}

/// The customer of a user.
struct Known {
    /// When the broker appended the event that told it: the order across partitions in which the ingest learned it.
    appended_at_ms: i64,
    customer: String,
}

/// At most so many users; who does not fit is told at the end, and refused by the directory too.
fn read(connect: &Connect, partitions: u16, max_users: usize, stop: &AtomicBool) -> Result<HashMap<UserToken, Known>, LiveError> {
    let (mut known, mut left_out) = (HashMap::new(), 0_u64);
    let (topic, decoder) = (connect.topics().journal, Decoder::default());
    let mut batch = Batch::default();
    for partition in 0..partitions {
        let mut reader = Reader::of_all(connect.connection(), TopicPartition::new(topic.as_str(), i32::from(partition)))?;
        let mut more = true;
        while more && !stop.load(Ordering::Relaxed) {
            batch.clear();
            more = reader.read(&mut batch, MAX_RECORDS, MAX_BYTES)?;
            for record in batch.records() {
                let text = record.value.and_then(|value| std::str::from_utf8(value).ok()).filter(|text| text.contains(MARK));
                if let Some(event) = text.and_then(|text| decoder.decode_journal(text).ok()) {
                    left_out += u64::from(!learn(&event, record.timestamp_ms.unwrap_or_default(), max_users, &mut known));
                }
            }
        }
    }
    if left_out > 0 {
        tracing::warn!(left_out, max_users, "there are more users in the journal than the directory takes: raise user_lookup.max_users");
    }
    Ok(known)
}

/// The last event has the last word. False if the user does not fit.
fn learn(event: &Event<'_>, appended_at_ms: i64, max_users: usize, known: &mut HashMap<UserToken, Known>) -> bool {
    let Body::User { step: UserStep::Invited | UserStep::Activated, user, .. } = event.body else { return true };
    let is_full = known.len() >= max_users;
    match known.entry(user) {
        Entry::Vacant(_) if is_full => return false,
        Entry::Vacant(vacant) => drop(vacant.insert(Known { appended_at_ms, customer: event.customer.to_string() })),
        Entry::Occupied(earlier) if earlier.get().appended_at_ms > appended_at_ms => {}
        Entry::Occupied(mut earlier) => drop(earlier.insert(Known { appended_at_ms, customer: event.customer.to_string() })),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_counts_and_the_number_of_users_is_bounded() {
        let decoder = Decoder::default();
        let mut known = HashMap::new();
        let mut tell = |step: &str, user: &str, customer: &str, at| {
            let text = format!(
                r#"{{"specversion":"1.0","id":"1","source":"/a","type":"user.{step}","subject":"{customer}","time":"2026-01-01T00:00:00Z","data":{{"user":"{user}"}}}}"#
            );
            let event = decoder.decode_text(&text).expect("it is an event");
            let learned = learn(&event, at, 2, &mut known);
            let mut customers: Vec<&str> = known.values().map(|known| known.customer.as_str()).collect();
            customers.sort_unstable();
            (learned, customers.join(" "))
        };
        assert_eq!(tell("invited", "u1", "a", 5), (true, "a".to_owned()));
        assert_eq!(tell("activated", "u1", "b", 4), (true, "a".to_owned()), "an earlier one comes from a later partition");
        assert_eq!(tell("activated", "u1", "b", 6), (true, "b".to_owned()));
        assert_eq!(tell("removed", "u2", "c", 7), (true, "b".to_owned()));
        assert_eq!(tell("invited", "u2", "c", 7), (true, "b c".to_owned()));
        assert_eq!(tell("invited", "u3", "d", 8), (false, "b c".to_owned()));
        assert_eq!(tell("invited", "u2", "e", 8), (true, "b e".to_owned()));
    }

    #[test]
    fn the_mark_is_what_the_journal_writes() {
        let text = r#"{"specversion":"1.0","id":"1","source":"/a","type":"user.invited","subject":"c","time":"2026-01-01T00:00:00Z","data":{"user":"u1"}}"#;
        let decoder = Decoder::default();
        let mut written = Vec::new();
        bellwether_codec::event::encode_event(&decoder.decode_text(text).expect("it is an event"), &mut written);
        assert!(String::from_utf8(written).is_ok_and(|text| text.contains(MARK)));
    }
}
