//! Whose users there are, as the journal tells it: read before an ingest begins, since what a directory has learned is in memory only, and
//! read on while it works, since other instances journal the rest.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bellwether_codec::event::Decoder;
use bellwether_codec::source::CustomerDirectory;
use bellwether_engine::event::{Body, Event, UserStep, UserToken};
use bellwether_kafka::{Batch, Follower, KafkaError, Reader, Received, TopicPartition};

use super::connect::Connect;
use super::options::Turn;
use super::patience::Patience;
use crate::error::LiveError;

/// Records that are in memory at once.
const MAX_RECORDS: usize = 50_000;
const MAX_BYTES: usize = 32 << 20;

/// How long it waits for records before it looks whether to stop.
const WAIT: Duration = Duration::from_millis(200);

/// How far apart the broker's time of records of two partitions may be that are read at the same time, milliseconds.
const MAX_APART_MS: i64 = 10_000;

/// Room for so many users is kept, though fewer were told of lately.
const FEW_USERS: usize = 1_024;

/// What the events that tell whose user somebody is have in common, as the journal writes them. All others are not decoded.
const MARK: &str = "\"type\":\"user.";

/// Teaches a directory.
pub(crate) struct Learning {
    directory: Option<Arc<CustomerDirectory>>,
    /// How far the journal is read; nothing before it was.
    heard: Mutex<Option<Heard>>,
}

/// What was read of the journal.
#[derive(Debug, Default)]
struct Heard {
    /// The next offset of each partition.
    next: Vec<u64>,
    /// When the broker appended the last event that told the customer of a user: the order across partitions in which the ingest learned it.
    told_at_ms: HashMap<UserToken, i64>,
}

impl Learning {
    /// For this directory, if it is one that learns.
    pub fn new(directory: Option<&Arc<CustomerDirectory>>) -> Self {
        let directory = directory.filter(|directory| directory.learns()).cloned();
        Self { directory, heard: Mutex::default() }
    }

    /// Whether there is anything to learn.
    pub fn is_wanted(&self) -> bool {
        self.directory.is_some()
    }

    /// Reads the journal up to its present end, unless another worker has done so.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn once(&self, connect: &Connect, partitions: u16, stop: &AtomicBool) -> Result<(), LiveError> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.is_none() {
            let (known, next) = read(connect, partitions, directory.max_users(), stop)?;
            let mut told_at_ms = HashMap::with_capacity(known.len());
            for (user, Known { appended_at_ms, customer }) in known {
                if directory.insert(user, &customer) {
                    told_at_ms.insert(user, appended_at_ms);
                }
            }
            tracing::info!(users = told_at_ms.len(), "learned from the journal whose users there are");
            *heard = Some(Heard { next, told_at_ms });
        }
        Ok(())
    }

    /// Reads the journal on until `stop` is set: what another instance takes in is known here soon after.
    ///
    /// # Errors
    ///
    /// When it cannot be read and no waiting helps.
    pub fn follow(&self, connect: &Connect, partitions: u16, stop: &Arc<AtomicBool>) -> Result<(), LiveError> {
        self.once(connect, partitions, stop)?;
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(std::mem::take);
        let (Some(directory), Some(mut heard)) = (&self.directory, heard) else { return Ok(()) };
        let mut patience = Patience::new(Turn::default().retry_wait, stop);
        while !stop.load(Ordering::Relaxed) {
            if let Err(error) = heard.read_on(connect, directory, &mut patience, stop) {
                patience.wait(&error)?;
            }
        }
        Ok(())
    }
}

impl Heard {
    fn read_on(
        &mut self,
        connect: &Connect,
        directory: &CustomerDirectory,
        patience: &mut Patience,
        stop: &AtomicBool,
    ) -> Result<(), KafkaError> {
        let topic: Arc<str> = connect.topics().journal.into();
        let starts: Vec<_> = self.next.iter().zip(0..).map(|(next, number)| (TopicPartition::new(topic.clone(), number), *next)).collect();
        let mut follower = Follower::new(&connect.connection(), &starts)?;
        let (mut batch, decoder) = (Batch::default(), Decoder::default());
        while !stop.load(Ordering::Relaxed) {
            batch.clear();
            follower.read(&mut batch, MAX_RECORDS, MAX_BYTES, WAIT)?;
            patience.restore();
            for record in batch.records() {
                if let Some(event) = telling(&record, &decoder) {
                    self.hear(&event, record.timestamp_ms.unwrap_or_default(), directory);
                }
                if let Some(next) = usize::try_from(record.at.partition).ok().and_then(|number| self.next.get_mut(number)) {
                    *next = record.offset + 1;
                }
            }
            if batch.len() < MAX_RECORDS {
                self.forget_long_told();
            }
        }
        Ok(())
    }

    /// The last event has the last word, whichever is read last.
    fn hear(&mut self, event: &Event<'_>, appended_at_ms: i64, directory: &CustomerDirectory) {
        let Body::User { step: UserStep::Invited | UserStep::Activated, user, .. } = event.body else { return };
        if self.told_at_ms.get(&user).is_some_and(|told_at_ms| *told_at_ms > appended_at_ms) {
            return;
        }
        if self.told_at_ms.len() < directory.max_users() || self.told_at_ms.contains_key(&user) {
            self.told_at_ms.insert(user, appended_at_ms);
        }
        directory.learn_from(event);
    }

    /// All that was there is read: nothing much older comes any more.
    fn forget_long_told(&mut self) {
        if let Some(latest) = self.told_at_ms.values().max().copied() {
            self.told_at_ms.retain(|_, told_at_ms| *told_at_ms >= latest - MAX_APART_MS);
            self.told_at_ms.shrink_to(FEW_USERS);
        }
    }
}

/// The event of a record that may tell whose user somebody is.
fn telling<'r>(record: &Received<'r>, decoder: &Decoder) -> Option<Event<'r>> {
    let text = std::str::from_utf8(record.value?).ok().filter(|text| text.contains(MARK))?;
    decoder.decode_journal(text).ok()
}

/// The customer of a user.
struct Known {
    /// When the broker appended the event that told it.
    appended_at_ms: i64,
    customer: String,
}

/// At most so many users; who does not fit is told at the end, and refused by the directory too. And where each partition goes on.
fn read(
    connect: &Connect,
    partitions: u16,
    max_users: usize,
    stop: &AtomicBool,
) -> Result<(HashMap<UserToken, Known>, Vec<u64>), LiveError> {
    let (mut known, mut next, mut left_out) = (HashMap::new(), Vec::new(), 0_u64);
    let (topic, decoder) = (connect.topics().journal, Decoder::default());
    let mut batch = Batch::default();
    for partition in 0..partitions {
        let mut reader = Reader::of_all(connect.connection(), TopicPartition::new(topic.as_str(), i32::from(partition)))?;
        let mut more = true;
        while more && !stop.load(Ordering::Relaxed) {
            batch.clear();
            more = reader.read(&mut batch, MAX_RECORDS, MAX_BYTES)?;
            for record in batch.records() {
                if let Some(event) = telling(&record, &decoder) {
                    left_out += u64::from(!learn(&event, record.timestamp_ms.unwrap_or_default(), max_users, &mut known));
                }
            }
        }
        next.push(reader.next());
    }
    if left_out > 0 {
        tracing::warn!(left_out, max_users, "there are more users in the journal than the directory takes: raise user_lookup.max_users");
    }
    Ok((known, next))
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
    fn what_is_read_on_is_known_and_the_last_word_counts_in_whatever_order_it_is_read() {
        let (decoder, directory) = (Decoder::default(), CustomerDirectory::new(2, true));
        let mut heard = Heard::default();
        let tell = |heard: &mut Heard, step: &str, user: &str, customer: &str, at| {
            let text = format!(
                r#"{{"specversion":"1.0","id":"1","source":"/a","type":"user.{step}","subject":"{customer}","time":"2026-01-01T00:00:00Z","data":{{"user":"{user}"}}}}"#
            );
            let event = decoder.decode_text(&text).expect("it is an event");
            let Body::User { user, .. } = event.body else { panic!("{text}") };
            heard.hear(&event, at, &directory);
            directory.customer_of(user).unwrap_or_default()
        };
        assert_eq!(tell(&mut heard, "invited", "u1", "a", 5), "a");
        assert_eq!(tell(&mut heard, "activated", "u1", "b", 4), "a", "an earlier one comes from a later partition");
        heard.forget_long_told();
        assert_eq!(tell(&mut heard, "activated", "u1", "b", 4), "a", "and a little later");
        assert_eq!(tell(&mut heard, "activated", "u1", "b", 6), "b");
        assert_eq!(tell(&mut heard, "removed", "u2", "c", 7), "");
        assert_eq!(tell(&mut heard, "invited", "u2", "c", 6 + MAX_APART_MS), "c");
        heard.forget_long_told();
        assert_eq!(heard.told_at_ms.len(), 2);
        assert_eq!(tell(&mut heard, "invited", "u2", "d", 7 + MAX_APART_MS), "d");
        heard.forget_long_told();
        assert_eq!(heard.told_at_ms.len(), 1, "long ago");
        assert_eq!(tell(&mut heard, "invited", "u3", "e", 8 + MAX_APART_MS), "", "the directory is full");
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
