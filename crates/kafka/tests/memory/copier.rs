//! A worker that copies `in` to `out` exactly once, as small as one can be: what faults must not break.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::time::Duration;

use bellwether_kafka::memory::{Cluster, MemoryClient};
use bellwether_kafka::{Batch, Client, CommitError, CommittedOffset, KafkaError, Outgoing, Polled, Remedy, TopicPartition, Transaction};

use crate::support::{at, options};

/// Each input record becomes so many output records, in several partitions.
pub const COPIES: usize = 3;

/// What workers were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    pub committed: usize,
    pub aborted: usize,
    pub lost: usize,
    pub revoked: usize,
}

impl Sum for Outcomes {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            committed: sum.committed + one.committed,
            aborted: sum.aborted + one.aborted,
            lost: sum.lost + one.lost,
            revoked: sum.revoked + one.revoked,
        })
    }
}

pub struct Copier {
    pub name: String,
    client: Option<MemoryClient>,
    batch: Batch,
    unanswered: Vec<TopicPartition>,
    rebuild: bool,
    pub outcomes: Outcomes,
}

impl Copier {
    pub fn new(name: &str) -> Self {
        let (batch, unanswered) = (Batch::default(), Vec::new());
        Self { name: name.into(), client: None, batch, unanswered, rebuild: false, outcomes: Outcomes::default() }
    }

    /// Ends it cleanly.
    pub fn stop(&mut self) {
        *self = Self { outcomes: self.outcomes, ..Self::new(&self.name) };
    }

    /// Does one thing; a crash is followed by a new start.
    pub fn step(&mut self, cluster: &Cluster, max_records: usize) {
        match self.try_step(cluster, max_records) {
            Ok(()) => {}
            Err(error) if error.cause == "crashed by the plan" => self.stop(),
            Err(error) => assert_eq!(error.remedy, Remedy::Retry, "{error}"),
        }
    }

    fn try_step(&mut self, cluster: &Cluster, max_records: usize) -> Result<(), KafkaError> {
        let client = match &mut self.client {
            Some(client) => client,
            empty => empty.insert(cluster.client(options(&self.name))?),
        };
        if self.rebuild {
            client.rebuild()?;
            (self.rebuild, self.unanswered) = (false, Vec::new());
            self.batch.clear();
        }
        if !self.unanswered.is_empty() {
            let starts = starts(client, &self.unanswered)?;
            let _ = client.assign(&starts);
            self.unanswered.clear();
        }
        match client.poll(&mut self.batch, max_records, usize::MAX, Duration::from_millis(1))? {
            Polled::Assigned(coming) => self.unanswered = coming,
            Polled::Revoked(gone) => {
                self.batch.forget(&gone);
                self.unanswered.retain(|at| !gone.contains(at));
                self.outcomes.revoked += 1;
            }
            Polled::Records if self.batch.is_empty() => {}
            Polled::Records => self.copy()?,
        }
        Ok(())
    }

    fn copy(&mut self) -> Result<(), KafkaError> {
        let Some(client) = &mut self.client else { return Ok(()) };
        let (transaction, partitions) = copies(&self.batch);
        match client.commit(&transaction) {
            Ok(()) => self.outcomes.committed += 1,
            Err(CommitError::NotCommitted(_)) => {
                self.outcomes.aborted += 1;
                // What was read is read again; if the partitions are gone by now, the next poll says so.
                self.batch.clear();
                let starts = starts(client, &partitions).inspect_err(|_| self.rebuild = true)?;
                let _ = client.seek(&starts);
            }
            Err(CommitError::Lost(error)) => {
                self.outcomes.lost += 1;
                self.rebuild = true;
                return if error.remedy == Remedy::Stop { Err(error) } else { Ok(()) };
            }
        }
        self.batch.clear();
        Ok(())
    }
}

fn starts(client: &mut MemoryClient, partitions: &[TopicPartition]) -> Result<Vec<(TopicPartition, u64)>, KafkaError> {
    let committed = client.committed(partitions)?;
    Ok(partitions.iter().cloned().zip(committed.into_iter().map(|found| found.map_or(0, |found| found.offset))).collect())
}

/// The copies of a batch, named so that all of one transaction can be found again, and the offsets behind it.
fn copies(batch: &Batch) -> (Transaction, Vec<TopicPartition>) {
    let mut transaction = Transaction::default();
    let mut next: BTreeMap<TopicPartition, u64> = BTreeMap::new();
    let size = (batch.len() * COPIES).to_string();
    let first = batch.records().next().map(|record| format!("{} {}", record.at, record.offset)).unwrap_or_default();
    for record in batch.records() {
        let value = format!("{} {}", record.at, record.offset);
        for partition in 0..COPIES {
            let headers: &[(&str, Option<&[u8]>)] = &[("transaction", Some(first.as_bytes())), ("size", Some(size.as_bytes()))];
            let value = Some(value.as_bytes());
            transaction.push(&Outgoing {
                topic: "out",
                partition: Some(partition as i32),
                key: record.key,
                value,
                headers,
                timestamp_ms: None,
            });
        }
        next.insert(record.at.clone(), record.offset + 1);
    }
    for (at, offset) in &next {
        transaction.commit_offset(at.clone(), CommittedOffset { offset: *offset, metadata: offset.to_string() });
    }
    (transaction, next.into_keys().collect())
}

/// Each record of `in` below the committed offset is in every partition of `out` once, and no other is; transactions are whole.
#[track_caller]
pub fn assert_exactly_once(cluster: &Cluster, partitions: i32, context: &str) {
    let committed = cluster.committed_offsets("g");
    let mut expected = Vec::new();
    for input in (0..partitions).map(|partition| at("in", partition)) {
        let limit = committed.get(&input).map_or(0, |committed| committed.offset);
        assert!(committed.get(&input).is_none_or(|found| found.metadata == found.offset.to_string()), "{context}: metadata");
        let records = cluster.records(&input).unwrap().into_iter().filter(|record| record.offset < limit);
        expected.extend(records.map(|record| format!("{input} {}", record.offset)));
    }
    expected.sort();
    let mut sizes: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for output in (0..COPIES).map(|partition| at("out", partition as i32)) {
        let (records, ends) = (cluster.records(&output).unwrap(), cluster.ends(&output).unwrap());
        assert!(records.iter().all(|record| record.offset < ends.last_stable), "{context}: {ends:?}");
        let text = |bytes: &Option<Vec<u8>>| String::from_utf8(bytes.clone().unwrap()).unwrap();
        for record in &records {
            let entry = sizes.entry(text(&record.headers[0].1)).or_insert((0, text(&record.headers[1].1).parse().unwrap()));
            entry.0 += 1;
        }
        let mut found: Vec<String> = records.iter().map(|record| text(&record.value)).collect();
        found.sort();
        assert_eq!(found, expected, "{context}: {output}");
    }
    assert!(sizes.values().all(|(found, size)| found == size), "{context}: half a transaction is visible: {sizes:?}");
}

/// Whether all of `in` is copied.
pub fn is_done(cluster: &Cluster, partitions: i32) -> bool {
    let committed = cluster.committed_offsets("g");
    (0..partitions).map(|partition| at("in", partition)).all(|input| {
        let last = cluster.records(&input).unwrap().last().map_or(0, |record| record.offset + 1);
        committed.get(&input).map_or(0, |committed| committed.offset) == last
    })
}

/// Plain records into each partition of `in`.
pub fn fill(cluster: &Cluster, partitions: i32, records: usize) {
    for number in 0..records {
        let partition = Some(number as i32 % partitions);
        cluster.append("in", partition, (Some(&number.to_be_bytes()), Some(b"value")), &[], 0).unwrap();
    }
}
