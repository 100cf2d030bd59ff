//! One journal partition of the live product: what it keeps in memory, and one step of its work.

use std::sync::Arc;

use bellwether_codec::rendered::Rendered;
use bellwether_codec::run::{Budget, Run, Skipped};
use bellwether_codec::state::{decode_customer, decode_header, encode_customer, encode_header};
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Header, Partition, Progress};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::Time;
use bellwether_store::{Commit, Position, Store};

use crate::error::LiveError;
use crate::options::BatchLimits;

/// The most records and reviews of a partition that may be left out because folding them panicked, before the run stops.
pub const MAX_POISONED: usize = 16;

/// Output that a partition may hold back while it waits for those before it, bytes.
pub const MAX_OUTBOX_BYTES: usize = 16 * 1024 * 1024;

/// A position inside the review of all customers that a new rule set asks for has this due time.
const RULES_REVIEW_DUE: i64 = i64::MAX;

/// A partition and the changes of its last step that no commit has taken yet.
pub struct Worker {
    /// Its number.
    pub number: u16,
    /// Its working set.
    pub partition: Partition,
    /// How far it is folded.
    pub position: Position,
    /// What it has put out and not handed over yet.
    pub outbox: Rendered,
    /// Records left out since the start, which belong into the dead letters.
    pub poisoned_offsets: Vec<u64>,
    skipped: Skipped,
    outputs: Vec<Output>,
    changes: Changes,
}

/// What a commit writes of a partition.
#[derive(Default)]
struct Changes {
    start: Option<Position>,
    states: Vec<(CustomerKey, Vec<u8>, Option<Time>)>,
    header: Vec<u8>,
}

impl Worker {
    /// A partition as the store has it.
    pub fn open(number: u16, store: &Store, rules: &Arc<RuleSet>) -> Result<Self, LiveError> {
        let (partition, position) = load(number, store, rules)?;
        Ok(Self {
            number,
            partition,
            position,
            outbox: Rendered::default(),
            poisoned_offsets: Vec::new(),
            skipped: Skipped::default(),
            outputs: Vec::new(),
            changes: Changes::default(),
        })
    }

    /// Whether all of a run is folded.
    pub fn is_done(&self, run: &Run<'_>) -> bool {
        self.position.offset >= run.first_offset + run.len() as u64
    }

    /// Prefetch and apply: loads the states that the next records and reviews touch, and folds up to the limits.
    pub fn step(&mut self, store: &Store, run: &Run<'_>, limits: BatchLimits) -> Result<(), LiveError> {
        if self.is_done(run) || self.outbox.signals.len() + self.outbox.decisions.len() > MAX_OUTBOX_BYTES {
            return Ok(());
        }
        let start = self.position;
        loop {
            let first = self.position.offset.saturating_sub(run.first_offset) as usize;
            self.prefetch(store, run, first, limits)?;
            let mut budget = Budget { records: limits.records.max(1), reviews: limits.reviews.max(1) };
            let (end, progress) = run.fold(first, &mut self.partition, &mut budget, &self.skipped, &mut self.outputs);
            let offset = run.first_offset + end as u64;
            if matches!(progress, Progress::PoisonedRecord | Progress::PoisonedReview(_)) {
                self.leave_out(store, offset, progress)?;
                continue;
            }
            let (due, customer) = self.partition.last_review();
            let is_between_reviews = progress != Progress::Done && budget.reviews < limits.reviews.max(1) && due.0 > 0;
            self.position = if is_between_reviews {
                Position { offset, review_due: due.0, customer: customer.0 }.max(start)
            } else {
                Position { offset, ..Position::default() }.max(start)
            };
            break;
        }
        self.outbox.take(&mut self.outputs);
        self.collect_changes(start)
    }

    /// Reviews the next customers after `from` under a new rule set, in the order of their keys.
    /// Returns whether all are reviewed; then the position is behind the rule set's record.
    pub fn review_all(&mut self, store: &Store, limits: BatchLimits) -> Result<bool, LiveError> {
        let start = self.position;
        let from = if start.review_due == RULES_REVIEW_DUE { start.customer.checked_add(1) } else { Some(0) };
        let mut last = None;
        if let Some(from) = from {
            for stored in store.all_states(self.number, from).take(limits.reviews.max(1) as usize) {
                let (key, bytes) = stored?;
                let key = CustomerKey(key);
                if self.partition.get(key).is_none() {
                    self.partition.insert(decode_customer(&bytes).map_err(|error| LiveError::State { partition: self.number, error })?);
                }
                self.partition.review_now(key, &mut self.outputs);
                last = Some(key);
            }
        }
        self.position = match last {
            Some(key) => Position { offset: start.offset, review_due: RULES_REVIEW_DUE, customer: key.0 },
            None => Position { offset: start.offset + 1, ..Position::default() },
        };
        self.outbox.take(&mut self.outputs);
        self.collect_changes(start)?;
        Ok(last.is_none())
    }

    /// Writes the changes of the last step into a commit.
    pub fn write(&mut self, commit: &mut Commit) {
        let changes = std::mem::take(&mut self.changes);
        let Some(start) = changes.start else { return };
        commit.advance(self.number, start, self.position, &changes.header);
        for (key, state, due) in &changes.states {
            commit.put_state(self.number, key.0, state);
            match due {
                Some(Time::NEVER) => commit.delete_timer(self.number, key.0),
                Some(due) => commit.put_timer(self.number, key.0, due.0),
                None => {}
            }
        }
    }

    fn prefetch(&mut self, store: &Store, run: &Run<'_>, first: usize, limits: BatchLimits) -> Result<(), LiveError> {
        let end = run.len().min(first.saturating_add(limits.records.max(1) as usize));
        let mut keys: Vec<u128> =
            run.records[first.min(run.records.len())..end.min(run.records.len())].iter().map(|record| record.key.0).collect();
        if let Some(until) = run.watermark_before(end) {
            keys.extend(
                self.partition.due(until.max(self.partition.header.journal_time)).take(limits.reviews.max(1) as usize).map(|key| key.0),
            );
        }
        keys.retain(|key| self.partition.get(CustomerKey(*key)).is_none());
        keys.sort_unstable();
        keys.dedup();
        for bytes in store.states(self.number, &keys)?.into_iter().flatten() {
            self.partition.insert(decode_customer(&bytes).map_err(|error| LiveError::State { partition: self.number, error })?);
        }
        Ok(())
    }

    /// Goes back to what the store has, to fold again without what panicked.
    fn leave_out(&mut self, store: &Store, offset: u64, progress: Progress) -> Result<(), LiveError> {
        tracing::error!(
            partition = self.number,
            offset,
            ?progress,
            "folding panicked: folding again without the record, or without its review"
        );
        if !self.skipped.add(offset, progress) || self.skipped.len() > MAX_POISONED {
            return Err(LiveError::TooManyPoisoned { partition: self.number, limit: MAX_POISONED });
        }
        if progress == Progress::PoisonedRecord {
            self.poisoned_offsets.push(offset);
        }
        self.outputs.clear();
        let rules = self.partition.rules().clone();
        (self.partition, self.position) = load(self.number, store, &rules)?;
        Ok(())
    }

    fn collect_changes(&mut self, start: Position) -> Result<(), LiveError> {
        let as_state_error = |error| LiveError::State { partition: self.number, error };
        let changed = self.partition.take_changed();
        let mut states = Vec::with_capacity(changed.len());
        for (key, due) in changed {
            let Some(customer) = self.partition.get(key) else { continue };
            let mut bytes = Vec::with_capacity(1024);
            encode_customer(customer, &mut bytes).map_err(as_state_error)?;
            states.push((key, bytes, due));
        }
        let mut header = Vec::new();
        encode_header(&self.partition.header, &mut header).map_err(as_state_error)?;
        self.changes = Changes { start: Some(start), states, header };
        Ok(())
    }
}

/// A partition's header, position and timers from the store; states come when they are needed.
fn load(number: u16, store: &Store, rules: &Arc<RuleSet>) -> Result<(Partition, Position), LiveError> {
    let stored = store.header(number)?;
    let position = stored.as_ref().map_or(Position::default(), |stored| stored.position);
    let header = match stored {
        Some(stored) => decode_header(&stored.body).map_err(|error| LiveError::State { partition: number, error })?,
        None => Header::default(),
    };
    let mut partition = Partition::new(rules.clone(), header);
    for timer in store.timers(number) {
        let (due, key) = timer?;
        partition.insert_timer(Time(due), CustomerKey(key));
    }
    Ok((partition, position))
}
