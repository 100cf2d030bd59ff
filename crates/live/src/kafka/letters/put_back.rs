//! Putting dead letters back into the topics they came from, each once: in transactions together with how far that is. Read [`put_back`] first.

use std::collections::BTreeMap;

use bellwether_kafka::{Batch, Client, ConnectionOptions, KafkaError, Outgoing, Reader, Remedy, TopicPartition, Transaction};

use super::group::OnlyMember;
use super::passed::Passed;
use super::{Letter, LetterFilter};
use crate::error::LiveError;
use crate::kafka::connect::Connect;

/// Letters of one transaction at most.
const MAX_RECORDS: usize = 2_000;
/// Bytes of them.
const MAX_BYTES: usize = 8 << 20;

/// What became of the letters that were meant and not put back before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutBack {
    /// Put back, by topic.
    pub topics: BTreeMap<String, u64>,
    /// Left, since folding them panicked: they stand in the journal already.
    pub poisoned: u64,
    /// Left, since they hold only the beginning of records that were too large for their topic.
    pub cut: u64,
    /// Left, since nothing tells where they came from, or this program writes that topic itself.
    pub foreign: u64,
}

/// Puts back the letters that there are now. Letters that it has put back before stay where they are, whatever became of that run.
///
/// # Errors
///
/// When a transaction fails, or another run takes over: the same command goes on where this one was.
pub fn put_back(connect: &Connect, filter: &LetterFilter) -> Result<PutBack, LiveError> {
    let mut client = connect.letters_client()?;
    let mut member = OnlyMember::join(&mut client)?;
    let mut outcome = PutBack::default();
    for at in member.partitions.clone() {
        let mut transaction = Transaction::default();
        let mut stretch = Stretch::open(connect, filter, &mut *member.client, &at)?;
        while let Some(until) = stretch.next(&mut transaction, &mut outcome)? {
            stretch.passed.pass(filter, until);
            let committed = stretch.passed.committed().ok_or_else(|| too_many_kinds(&at))?;
            transaction.commit_offset(at.clone(), committed);
            member.stay()?;
            member.client.commit(&transaction).map_err(|error| {
                let (bellwether_kafka::CommitError::NotCommitted(cause) | bellwether_kafka::CommitError::Lost(cause)) = &error;
                KafkaError::new(
                    Remedy::Stop,
                    "putting dead letters back",
                    format!("{}: {}; the same command goes on from here", cause.what, cause.cause),
                )
            })?;
        }
    }
    Ok(outcome)
}

/// The same without doing it.
///
/// # Errors
///
/// When the dead letters cannot be read.
pub fn to_put_back(connect: &Connect, filter: &LetterFilter) -> Result<PutBack, LiveError> {
    let mut client = connect.letters_lookup()?;
    let mut outcome = PutBack::default();
    for at in partitions(connect)? {
        let mut stretch = Stretch::open(connect, filter, &mut client, &at)?;
        while stretch.next(&mut Transaction::default(), &mut outcome)?.is_some() {}
    }
    Ok(outcome)
}

/// All partitions of the dead letters.
///
/// # Errors
///
/// When the topic is missing, or the brokers do not answer.
pub fn partitions(connect: &Connect) -> Result<Vec<TopicPartition>, LiveError> {
    let topic = connect.topics().dead_letters;
    let described = connect.admin()?.describe(&[&topic])?;
    let count = described.first().map_or(0, |topic| topic.partitions);
    Ok((0..i32::try_from(count).unwrap_or(i32::MAX)).map(|partition| TopicPartition::new(topic.as_str(), partition)).collect())
}

/// The letters of a partition from where to look to its present end.
struct Stretch<'s> {
    filter: &'s LetterFilter,
    passed: Passed,
    /// Topics that no letter is put back into.
    own_topics: [String; 4],
    reader: Option<Reader>,
    end: u64,
    batch: Batch,
}

impl<'s> Stretch<'s> {
    fn open(connect: &Connect, filter: &'s LetterFilter, client: &mut dyn Client, at: &TopicPartition) -> Result<Self, LiveError> {
        let committed = client.committed(std::slice::from_ref(at))?.into_iter().next().flatten();
        let passed = Passed::read(at, committed.as_ref())?;
        let (first, end) = client.bounds(at)?;
        let start = passed.start(filter).max(first);
        let reader = |connection: ConnectionOptions| Reader::new(connection, at.clone(), start..end);
        let reader = if start < end { Some(reader(connect.connection())?) } else { None };
        let topics = connect.topics();
        let own_topics = [topics.journal, topics.signals, topics.decisions, topics.dead_letters];
        Ok(Self { filter, passed, own_topics, reader, end, batch: Batch::default() })
    }

    /// Adds the next letters to an empty transaction. Returns up to where it has looked; nothing when it was at the end.
    fn next(&mut self, transaction: &mut Transaction, outcome: &mut PutBack) -> Result<Option<u64>, LiveError> {
        transaction.clear();
        let Some(reader) = &mut self.reader else { return Ok(None) };
        self.batch.clear();
        let more = reader.read(&mut self.batch, MAX_RECORDS, MAX_BYTES)?;
        for record in self.batch.records() {
            let Some(letter) = Letter::of(record) else {
                outcome.foreign += u64::from(self.filter.is_all());
                continue;
            };
            if !self.filter.matches(&letter) || self.passed.has(&letter) {
                continue;
            }
            if letter.topic == self.own_topics[0] {
                outcome.poisoned += 1;
            } else if self.own_topics.iter().any(|own| own == letter.topic) {
                outcome.foreign += 1;
            } else if letter.whole_bytes.is_some() {
                outcome.cut += 1;
            } else {
                add(&letter, transaction);
                *outcome.topics.entry(letter.topic.to_owned()).or_default() += 1;
            }
        }
        let until = self.batch.records().last().map(|record| record.offset + 1);
        if more {
            return Ok(until);
        }
        self.reader = None;
        Ok(Some(self.end))
    }
}

/// The record as it came, into the partition from which it came.
fn add(letter: &Letter<'_>, transaction: &mut Transaction) {
    let headers: Vec<_> = letter.original_headers().collect();
    transaction.push(&Outgoing {
        topic: letter.topic,
        partition: Some(letter.partition),
        key: letter.record.key,
        value: letter.record.value,
        headers: &headers,
        timestamp_ms: letter.timestamp_ms,
    });
}

fn too_many_kinds(at: &TopicPartition) -> KafkaError {
    let cause = "too many kinds of letters were put back one by one to remember them all: put back those of a whole reason, or all";
    KafkaError::new(Remedy::Stop, format!("remembering what was put back of {at}"), cause)
}
