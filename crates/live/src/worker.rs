//! One journal partition of the live product: what it keeps in memory, and one step of its work.

mod loading;
mod reviewing;

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_codec::rendered::Rendered;
use bellwether_codec::run::{Budget, Run, Skipped};
use bellwether_codec::state::{StateEncoder, decode_header, encode_header};
use bellwether_engine::erasure::ErasureKey;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Partition, Progress};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::Time;
use bellwether_store::{Commit, Position, Store};

use crate::error::LiveError;
use crate::health_changes::{HealthChanges, HealthUpdate};
use crate::options::{BatchLimits, decoded_bytes};
use loading::{FIRST_STATES_BYTES, load};

/// The most records and reviews of a partition that may be left out because folding them panicked, before the run stops.
pub const MAX_POISONED: usize = 16;

/// Output that a partition may hold back at most while it waits for those before it, bytes.
pub const MAX_OUTBOX_BYTES: usize = 16 * 1024 * 1024;

/// A partition and the changes of its last step that no commit has taken yet.
pub struct Worker {
    /// Its number.
    pub number: u16,
    erasure_key: ErasureKey,
    /// Its working set.
    pub partition: Partition,
    /// The memory for its states, bytes.
    states_bytes: u64,
    /// How far it is folded.
    pub position: Position,
    /// What its last steps have put out, not yet rendered.
    pub outputs: Vec<Output>,
    /// What it has put out and not handed over yet.
    pub outbox: Rendered,
    /// Records left out since the start, which belong into the dead letters.
    pub poisoned_offsets: Vec<u64>,
    /// Up to where it folds what was published before: outputs until there are out already.
    catching_up_to: Position,
    /// Whether days that end while it catches up are kept in the outbox.
    keeps_days: bool,
    skipped: Skipped,
    changes: Changes,
    encoder: StateEncoder,
    /// What the last step changed of its customers' health, where that is published.
    health: Option<HealthChanges>,
}

/// What steps have changed of a partition, and no commit has taken yet.
#[derive(Default)]
struct Changes {
    /// Where the first of these steps began.
    start: Option<Position>,
    /// Customers whose states are changed and not encoded yet, each once for every step; with when it is due for review, if that has changed.
    touched: Vec<(CustomerKey, Option<Time>)>,
    states: Vec<Changed>,
    /// Their encoded states, one after the other.
    bytes: Vec<u8>,
    /// Customers to remove before.
    erased: Vec<CustomerKey>,
    header: Vec<u8>,
}

/// A customer whose state is changed.
struct Changed {
    key: CustomerKey,
    /// The end of its state among those of all.
    end: usize,
    /// When it is due for review, if that has changed.
    due: Option<Time>,
}

/// What a write batch adds to each state: keys of state and timer, their lengths and the due time; bytes.
const ENTRY_BYTES: usize = 80;

/// Memory for encoded states, and for the header, that is kept from one commit to the next at most, bytes.
const MAX_KEPT_BYTES: usize = 2 * 1024 * 1024;

impl Changes {
    /// Forgets what was written, and keeps memory for the next commit.
    fn clear(&mut self) {
        self.start = None;
        self.touched.clear();
        self.states.clear();
        self.bytes.clear();
        self.bytes.shrink_to(MAX_KEPT_BYTES);
        self.erased.clear();
        self.header.clear();
        self.header.shrink_to(MAX_KEPT_BYTES);
    }
}

impl Worker {
    /// A partition as the store has it.
    pub fn open(number: u16, store: &Store, rules: &Arc<RuleSet>, erasure_key: ErasureKey) -> Result<Self, LiveError> {
        let (partition, position) = load(number, store, rules, erasure_key)?;
        Ok(Self {
            number,
            erasure_key,
            partition,
            states_bytes: FIRST_STATES_BYTES,
            position,
            outputs: Vec::new(),
            outbox: Rendered::default(),
            poisoned_offsets: Vec::new(),
            catching_up_to: Position::default(),
            keeps_days: false,
            skipped: Skipped::default(),
            changes: Changes::default(),
            encoder: StateEncoder::default(),
            health: None,
        })
    }

    /// From now on each step tells whose published health it changes.
    pub fn tell_health(&mut self) {
        self.health = Some(HealthChanges::default());
    }

    /// Hands over what the last step changed of its customers' health, if nothing of it was published before.
    pub(crate) fn take_health(&mut self) -> Vec<HealthUpdate> {
        self.health.as_mut().map(HealthChanges::take).unwrap_or_default()
    }

    /// Whether all of a run is folded.
    pub fn is_done(&self, run: &Run<'_>) -> bool {
        self.position.offset >= run.offset(run.len())
    }

    /// Folds up to this position without putting anything out: what comes out there was published before.
    pub fn catch_up_to(&mut self, position: Position) {
        self.catching_up_to = position;
    }

    /// From now on days that end while it catches up are kept in the outbox: those that other partitions have not ended are not told yet.
    pub fn keep_days(&mut self) {
        self.keeps_days = true;
    }

    /// These customers are erased at the records of these offsets: their records before are blanks.
    pub fn leave_out_erased(&mut self, erased: BTreeMap<CustomerKey, u64>) {
        self.skipped.erased = erased;
    }

    /// Before the record at this offset: a position further back up to which everything is published is reached, for nothing lies between.
    pub fn arrive_at(&mut self, offset: u64) {
        if self.catching_up_to <= (Position { offset, ..Position::default() }) {
            self.catching_up_to = Position::default();
        }
    }

    /// Whether what it folds next was published before.
    pub fn is_catching_up(&self) -> bool {
        self.position < self.catching_up_to
    }

    /// Renders what the last steps have put out.
    pub fn render(&mut self) {
        self.outbox.take(&mut self.outputs);
    }

    /// Prefetch and apply: loads the states that the next records and reviews touch, and folds up to the limits.
    pub fn step(&mut self, store: &Store, run: &Run<'_>, limits: BatchLimits) -> Result<(), LiveError> {
        if self.is_done(run) || self.outbox.signals.len() + self.outbox.decisions.len() > self.most_held_back() {
            return Ok(());
        }
        let start = self.position;
        let suppressed = self.is_catching_up();
        loop {
            let first = run.index_of(self.position.offset);
            self.begin_health(suppressed);
            let limits = self.prefetch(store, run, first, limits)?;
            let (end, progress) = if suppressed { self.fold_towards(run, first, limits) } else { self.fold(run, first, limits) };
            let offset = run.offset(end);
            if progress.is_poisoned() {
                self.leave_out(store, offset, progress)?;
                continue;
            }
            let reviewed = self.partition.last_review();
            let (review_due, customer) = reviewed.map_or((0, 0), |(due, customer)| (due.0, customer.0));
            self.position = Position { offset, review_due, customer }.max(start);
            if suppressed && end <= run.index_of(self.catching_up_to.offset) {
                // The next record may lie behind a gap of offsets, but the store must not be ahead of what is committed.
                self.position = self.position.min(self.catching_up_to);
            }
            break;
        }
        if suppressed {
            self.forget_outputs();
            self.poisoned_offsets.clear();
        }
        self.collect_changes(start);
        Ok(())
    }

    fn fold(&mut self, run: &Run<'_>, first: usize, limits: BatchLimits) -> (usize, Progress) {
        let mut budget = Budget { records: limits.records.max(1), reviews: limits.reviews.max(1) };
        run.fold(first, &mut self.partition, &mut budget, &self.skipped, &mut self.outputs)
    }

    /// Folds, but not beyond the position up to which everything is published: that may be between two reviews.
    fn fold_towards(&mut self, run: &Run<'_>, first: usize, limits: BatchLimits) -> (usize, Progress) {
        let target = self.catching_up_to;
        let before = run.up_to(run.index_of(target.offset));
        if first < before.len() {
            return self.fold(&before, first, limits);
        }
        // Now at the record of the target, however large the gap of offsets before it; what is left are reviews.
        let here = self.position.max(Position { offset: target.offset, ..Position::default() });
        for _ in 0..limits.reviews.max(1) {
            let reviewed = self.partition.last_review().map(|(due, customer)| Position {
                offset: target.offset,
                review_due: due.0,
                customer: customer.0,
            });
            if reviewed.unwrap_or(here).max(here) >= target {
                break;
            }
            let mut budget = Budget { records: 1, reviews: 1 };
            let (end, progress) = run.fold(first, &mut self.partition, &mut budget, &self.skipped, &mut self.outputs);
            if end > first || progress != Progress::OutOfBudget {
                return (end, progress);
            }
        }
        (first, Progress::OutOfBudget)
    }

    /// Goes behind a record that changes nothing.
    pub fn pass_over(&mut self, offset: u64) {
        let start = self.position;
        self.begin_health(self.is_catching_up());
        self.position = Position { offset: offset + 1, ..Position::default() }.max(start);
        self.collect_changes(start);
    }

    /// Encodes what the steps since the last commit have changed: each state once, as the last of them has left it.
    pub fn encode(&mut self) -> Result<(), LiveError> {
        if self.changes.start.is_none() || !self.changes.header.is_empty() {
            return Ok(());
        }
        let as_state_error = |error| LiveError::State { partition: self.number, error };
        let mut touched = std::mem::take(&mut self.changes.touched);
        // Sorted where it is of one step. What moved last is when it is due.
        touched.sort_by_key(|(key, _)| *key);
        touched.dedup_by(|(later, due), (key, first_due)| {
            let is_same = later == key;
            if is_same && due.is_some() {
                *first_due = *due;
            }
            is_same
        });
        for (key, due) in touched.drain(..) {
            let Some(customer) = self.partition.get(key) else { continue };
            let size = self.encoder.append(customer, &mut self.changes.bytes).map_err(as_state_error)?;
            self.partition.set_bytes(key, decoded_bytes(size));
            self.changes.states.push(Changed { key, end: self.changes.bytes.len(), due });
        }
        self.changes.touched = touched;
        encode_header(&self.partition.header, &mut self.changes.header).map_err(as_state_error)
    }

    /// Writes what the steps since the last commit have changed into a commit; [`Self::encode`] comes before.
    pub fn write(&mut self, commit: &mut Commit) {
        let Some(start) = self.changes.start else { return };
        commit.advance(self.number, start, self.position, &self.changes.header);
        for key in &self.changes.erased {
            commit.delete_state(self.number, key.0);
            commit.delete_timer(self.number, key.0);
        }
        let mut begin = 0;
        for Changed { key, end, due } in &self.changes.states {
            commit.put_state(self.number, key.0, &self.changes.bytes[begin..*end]);
            begin = *end;
            match due {
                Some(Time::NEVER) => commit.delete_timer(self.number, key.0),
                Some(due) => commit.put_timer(self.number, key.0, due.0),
                None => {}
            }
        }
        self.changes.clear();
    }

    /// How much waits for a commit: records, or changes of states where those are more; none where no step waits.
    pub fn waiting(&self) -> Option<usize> {
        let records = |start: Position| usize::try_from(self.position.offset - start.offset).unwrap_or(usize::MAX);
        self.changes.start.map(|start| self.changes.touched.len().max(records(start)))
    }

    /// Whether the next step needs the store to be where the last one ended: it has erased somebody.
    pub fn has_erased(&self) -> bool {
        !self.changes.erased.is_empty()
    }

    /// About how many bytes [`Self::write`] adds to a commit.
    pub fn written_bytes(&self) -> usize {
        let Changes { states, bytes, header, .. } = &self.changes;
        bytes.len() + header.len() + ENTRY_BYTES * (states.len() + 1)
    }

    /// What was published before is not put out again.
    fn forget_outputs(&mut self) {
        let days = self.outputs.drain(..).filter_map(|output| match output {
            Output::Kpis(ended) if self.keeps_days => Some(*ended),
            Output::Kpis(_) | Output::Signal(_) | Output::Decision(..) => None,
        });
        self.outbox.kpis.extend(days);
    }

    fn begin_health(&mut self, is_published: bool) {
        if let Some(health) = &mut self.health {
            health.begin(is_published);
        }
    }

    /// Notes how the customers are that the step may touch.
    fn health_before(&mut self, mut keys: Vec<u128>) {
        let Some(health) = &mut self.health else { return };
        keys.sort_unstable();
        keys.dedup();
        for key in keys.into_iter().map(CustomerKey) {
            if let Some(customer) = self.partition.get(key) {
                health.before(key, customer, self.partition.rules());
            }
        }
    }

    /// Goes back to what the store has, to fold again without what panicked. That works where nothing waits for a commit.
    fn leave_out(&mut self, store: &Store, offset: u64, progress: Progress) -> Result<(), LiveError> {
        if self.changes.start.is_some() {
            return Err(LiveError::FoldAgain { partition: self.number });
        }
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
        self.reload(store)
    }

    /// Drops the working set. What the record at hand has set before its customers are reviewed, and no commit has taken yet, stays.
    fn reload(&mut self, store: &Store) -> Result<(), LiveError> {
        let (rules, previous) = (self.partition.rules().clone(), self.partition.previous_rules().cloned());
        let silent = std::mem::take(&mut self.partition.header.silent);
        (self.partition, self.position) = load(self.number, store, &rules, self.erasure_key)?;
        self.partition.header.silent = silent;
        self.partition.set_rules(rules, previous);
        Ok(())
    }

    /// Notes what a step has changed.
    fn collect_changes(&mut self, start: Position) {
        let erased = self.partition.take_erased();
        if let Some(health) = &mut self.health {
            erased.iter().for_each(|erased| health.erased(&erased.customer));
        }
        let changed = self.partition.take_changed();
        if let Some(health) = &mut self.health {
            for (key, _) in &changed {
                if let Some(customer) = self.partition.get(*key) {
                    health.after(*key, customer, self.partition.rules());
                }
            }
        }
        self.changes.start.get_or_insert(start);
        for erased in erased {
            self.changes.touched.retain(|(key, _)| *key != erased.key);
            self.changes.erased.push(erased.key);
        }
        self.changes.touched.extend(changed);
        self.changes.header.clear();
    }
}

/// The number of the rule set in force in a stored partition; 0 before the first.
pub fn rule_set_in_force(number: u16, store: &Store) -> Result<u32, LiveError> {
    let Some(stored) = store.header(number)? else { return Ok(0) };
    let header = decode_header(&stored.body).map_err(|error| LiveError::State { partition: number, error })?;
    Ok(header.rule_set)
}
