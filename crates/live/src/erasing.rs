//! Erasing a customer from a data directory: its state and timer, its records in the journal, and on request its lines in the output files.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bellwether_codec::intake::{DecodedEvent, Sequenced};
use bellwether_codec::journal::PurgedErasure;
use bellwether_codec::run::Run;
use bellwether_engine::event::{Body, CustomerKey, Event};
use bellwether_engine::time::Time;
use bellwether_store::{Commit, Durability};

use crate::erased_lines::{blank_lines, occurrences};
use crate::error::LiveError;
use crate::journal::{block_text, encode_block, encode_text};
use crate::metrics::Metrics;
use crate::options::{EmbeddedOptions, SignalsTarget};
use crate::session::{DEAD_LETTERS, Session};

/// Rewritten journal blocks that one commit takes at most, in bytes.
const MAX_COMMIT_BYTES: usize = 16 << 20;

/// The CloudEvents source of erasures that were asked for by hand.
pub const ERASURE_SOURCE: &str = "/bellwether/erase";

/// What was found of a customer, and what is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureReport {
    /// The partition of the customer.
    pub partition: u16,
    /// The keyed hash that stays, with the time.
    pub hash: u128,
    /// Whether there was a state, and is one.
    pub states: (usize, usize),
    /// Journal records with the customer's id, before and after.
    pub journal_records: (usize, usize),
    /// Lines of the output files that were made blank, by file; none where that was not asked for.
    pub lines: Vec<(PathBuf, usize)>,
    /// Every file of the data directory and every output file, with how often the id stands in its bytes after all that.
    pub files: Vec<(PathBuf, usize)>,
}

/// The event that erases a customer: what is dated up to this time is dropped from then on.
#[must_use]
pub fn erasure<'a>(customer: &'a str, time: Time) -> Event<'a> {
    let id = Cow::Owned(format!("{:x}-{}", CustomerKey::of(customer).0, time.0));
    Event { time, source: ERASURE_SOURCE.into(), id, customer: customer.into(), traceparent: None, body: Body::Erased }
}

/// Erases a customer from a data directory that no run has open, and purges what its bytes are in.
///
/// Signals that tell subscribers of the end of what was open are appended to the signals file first; `with_outputs` makes the lines of the
/// customer in signals, decisions and dead letters blank after that, so ask for it once subscribers have read on.
///
/// # Errors
///
/// When the directory is in use or damaged, or cannot be written. The same call goes on where it stopped.
pub fn erase(options: EmbeddedOptions, customer: &str, time: Time, with_outputs: bool) -> Result<ErasureReport, LiveError> {
    let mut session = Session::open(options, Arc::new(Metrics::new()))?;
    session.finish_pending()?;
    let key = CustomerKey::of(customer);
    let partition = key.partition(session.state.partitions);
    let hash = session.options.decoder.erasure_key().hash(customer);
    let states = session.states_of(partition, key)?;
    session.fold_erasure(partition, customer, time)?;
    let rewritten = session.purge_journal(partition, customer)?;
    session.store.purge()?;
    let mut outputs = vec![session.options.data.join(DEAD_LETTERS)];
    if let SignalsTarget::File(path) = &session.options.signals {
        let mut decisions = path.clone().into_os_string();
        decisions.push(".decisions");
        outputs.extend([path.clone(), decisions.into()]);
    }
    let mut lines = Vec::new();
    for path in outputs.iter().filter(|path| with_outputs && path.is_file()) {
        lines.push((path.clone(), blank_lines(path, customer).map_err(|error| LiveError::Output { path: path.clone(), error })?));
    }
    let left = session.journal_records_of(partition, customer)?;
    let states = (states, session.states_of(partition, key)?);
    let data = session.options.data.clone();
    // Closed, so that nothing is on its way to a file any more.
    drop(session);
    let mut files = files_under(&data).map_err(|error| LiveError::Output { path: data.clone(), error })?;
    files.extend(outputs.into_iter().filter(|path| path.is_file() && !path.starts_with(&data)));
    let counted = files.into_iter().map(|path| {
        let count = occurrences(&path, customer).map_err(|error| LiveError::Output { path: path.clone(), error })?;
        Ok((path, count))
    });
    let files = counted.collect::<Result<_, LiveError>>()?;
    Ok(ErasureReport { partition, hash, states, journal_records: (rewritten, left), lines, files })
}

impl Session {
    /// Puts the erasure into the journal, folds it, and publishes what ends by it.
    fn fold_erasure(&mut self, partition: u16, customer: &str, time: Time) -> Result<(), LiveError> {
        let event = erasure(customer, time);
        let (key, identity) = (CustomerKey::of(customer), event.identity());
        let lines = [Ok(DecodedEvent { event, key, identity })];
        let watermark = self.workers[usize::from(partition)].partition.header.journal_time;
        let records = [Sequenced { line: 0, key, identity, watermark }];
        let run = |number: usize| {
            let records = if number == usize::from(partition) { &records[..] } else { &[] };
            Run { first_offset: self.state.journal_ends[number], offsets: None, lines: &lines, records, tick: None }
        };
        let runs: Vec<Run<'_>> = (0..self.workers.len()).map(run).collect();
        let of_partition = &runs[usize::from(partition)];
        let blocks = vec![(partition, of_partition.first_offset, encode_block(of_partition))];
        self.state.journal_ends[usize::from(partition)] += 1;
        self.state.totals.journaled += 1;
        self.fold_runs(&runs, blocks)
    }

    /// Makes the customer's records in the journal blanks, which keep their watermarks, and its erasures hashes. Returns how many there were.
    fn purge_journal(&self, partition: u16, customer: &str) -> Result<usize, LiveError> {
        let mut count = 0;
        let mut commit = Commit::new();
        for block in self.store.journal_blocks(partition, 0) {
            let (first_offset, block) = block?;
            let text = block_text(&block)?;
            let Some((purged, found)) = self.purged(&text, customer) else { continue };
            count += found;
            commit.append_journal_block(partition, first_offset, &encode_text(&purged));
            if commit.size_bytes() >= MAX_COMMIT_BYTES {
                self.store.commit(std::mem::take(&mut commit), Durability::Synced)?;
            }
        }
        self.store.commit(commit, Durability::Synced)?;
        Ok(count)
    }

    /// The text of a block without a customer; `None` where the customer is not in it.
    fn purged(&self, text: &str, customer: &str) -> Option<(String, usize)> {
        let (mut purged, mut count) = (String::with_capacity(text.len()), 0);
        for line in text.lines() {
            let (watermark, value) = line.split_once('\t').unwrap_or((line, ""));
            let event = self.event_of(value, customer);
            count += usize::from(event.is_some());
            match event {
                Some(event) if event.body == Body::Erased => {
                    let hash = self.options.decoder.erasure_key().hash(customer);
                    let control = bellwether_codec::journal::Control::Erased(PurgedErasure { hash, time: event.time });
                    purged.extend([watermark, "\t!", &String::from_utf8_lossy(&control.encode())]);
                }
                Some(_) => purged.push_str(watermark),
                None => purged.push_str(line),
            }
            purged.push('\n');
        }
        (count > 0).then_some((purged, count))
    }

    /// The event of a journal record, if it is of this customer.
    fn event_of<'v>(&self, value: &'v str, customer: &str) -> Option<Event<'v>> {
        let escaped = serde_json::to_string(customer).ok()?;
        if value.starts_with('!') || !value.contains(escaped.trim_matches('"')) {
            return None;
        }
        self.options.decoder.decode_journal(value).ok().filter(|event| event.customer == customer)
    }

    fn journal_records_of(&self, partition: u16, customer: &str) -> Result<usize, LiveError> {
        let mut count = 0;
        for block in self.store.journal_blocks(partition, 0) {
            count += self.purged(&block_text(&block?.1)?, customer).map_or(0, |(_, found)| found);
        }
        Ok(count)
    }

    fn states_of(&self, partition: u16, key: CustomerKey) -> Result<usize, LiveError> {
        Ok(self.store.states(partition, &[key.0])?.iter().flatten().count())
    }
}

fn files_under(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_under(&path)?) } else { files.push(path) }
    }
    files.sort();
    Ok(files)
}
