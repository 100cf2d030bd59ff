//! What a partition has in memory of its states: as many as a commit needs, and no more than there is room for.

use std::mem::size_of;
use std::sync::Arc;

use bellwether_codec::run::{Run, TICK_LINE};
use bellwether_codec::state::{decode_customer, decode_header};
use bellwether_engine::customer::Customer;
use bellwether_engine::erasure::ErasureKey;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Header, Partition};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::Time;
use bellwether_store::{Position, Store};

use super::{MAX_OUTBOX_BYTES, Worker};
use crate::error::LiveError;
use crate::options::{BatchLimits, decoded_bytes};

/// The memory for the states of a partition until it is told how much there is, bytes.
pub(super) const FIRST_STATES_BYTES: u64 = 16 << 20;

/// What a customer is expected to take before any is known, bytes.
const EXPECTED_STATE_BYTES: u64 = 8_192;

/// So many customers a step may bring into memory in any case: each step costs a commit.
const LEAST_LOADED: usize = 64;

impl Worker {
    /// Takes states out of memory that were not looked at lately, until those left take at most so many bytes; half as many more may be
    /// loaded for a step. While changes wait for a commit, all stay.
    pub fn keep_states_within(&mut self, bytes: u64) {
        self.states_bytes = bytes;
        if self.waiting().is_none() {
            self.partition.evict_idle(bytes);
        }
    }

    /// Whether its states take more memory than they may while changes wait for a commit: a quarter more than its share, which leaves the next
    /// step another quarter to load into.
    pub fn is_over_budget(&self) -> bool {
        self.partition.held_bytes() > self.states_bytes + self.states_bytes / 4
    }

    /// Loads the states that the next step may touch. Where they are more than there is room for, the step is made smaller: its limits are returned.
    pub(super) fn prefetch(
        &mut self,
        store: &Store,
        run: &Run<'_>,
        first: usize,
        mut limits: BatchLimits,
    ) -> Result<BatchLimits, LiveError> {
        let most = self.most_loaded();
        let (touched, keys) = loop {
            let mut keys = self.wanted(run, first, limits);
            // Whose health is published is needed of all of them; otherwise those in memory already are left out before sorting.
            let touched = self.health.is_some().then(|| keys.clone());
            keys.retain(|key| self.partition.get(CustomerKey(*key)).is_none());
            keys.sort_unstable();
            keys.dedup();
            if keys.len() <= most || (limits.records <= 1 && limits.reviews <= 1) {
                break (touched, keys);
            }
            limits = BatchLimits { records: limits.records.div_ceil(2), reviews: limits.reviews.div_ceil(2) };
        };
        let states = store.states(self.number, &keys)?;
        for (key, bytes) in keys.into_iter().zip(states) {
            if let Some(bytes) = bytes {
                self.insert(CustomerKey(key), &bytes)?;
            }
        }
        self.health_before(touched.unwrap_or_default());
        Ok(limits)
    }

    /// Takes a stored state into memory.
    pub(super) fn insert(&mut self, key: CustomerKey, bytes: &[u8]) -> Result<(), LiveError> {
        self.partition.insert(decode_customer(bytes).map_err(|error| LiveError::State { partition: self.number, error })?);
        self.partition.set_bytes(key, decoded_bytes(bytes.len()));
        Ok(())
    }

    /// The customers of the next records and reviews, some of them several times.
    fn wanted(&self, run: &Run<'_>, first: usize, limits: BatchLimits) -> Vec<u128> {
        let end = run.len().min(first.saturating_add(limits.records.max(1) as usize));
        let ahead = &run.records[first.min(run.records.len())..end.min(run.records.len())];
        let mut keys: Vec<u128> = ahead.iter().filter(|record| record.line != TICK_LINE).map(|record| record.key.0).collect();
        if let Some(until) = run.largest_watermark(first, end) {
            keys.extend(
                self.partition.due(until.max(self.partition.header.journal_time)).take(limits.reviews.max(1) as usize).map(|key| key.0),
            );
        }
        keys
    }

    /// The output that may be held back, bytes: every commit writes it again, and what there is of it must fit beside the states.
    pub(super) fn most_held_back(&self) -> usize {
        usize::try_from(self.states_bytes / 4).unwrap_or(usize::MAX).min(MAX_OUTBOX_BYTES)
    }

    /// The most customers that a step may bring into memory.
    fn most_loaded(&self) -> usize {
        let (resident, held) = (self.partition.resident() as u64, self.partition.held_bytes());
        let average = held.checked_div(resident).unwrap_or(EXPECTED_STATE_BYTES);
        let room = (self.states_bytes + self.states_bytes / 2).saturating_sub(held);
        LEAST_LOADED.max((room / average.max(size_of::<Customer>() as u64)) as usize)
    }
}

/// A partition's header, position and timers from the store; states come when they are needed.
pub(super) fn load(number: u16, store: &Store, rules: &Arc<RuleSet>, erasure_key: ErasureKey) -> Result<(Partition, Position), LiveError> {
    let stored = store.header(number)?;
    let position = stored.as_ref().map_or(Position::default(), |stored| stored.position);
    let header = match stored {
        Some(stored) => decode_header(&stored.body).map_err(|error| LiveError::State { partition: number, error })?,
        None => Header::default(),
    };
    let mut partition = Partition::new(rules.clone(), header).with_erasure_key(erasure_key);
    for timer in store.timers(number) {
        let (due, key) = timer?;
        partition.insert_timer(Time(due), CustomerKey(key));
    }
    Ok((partition, position))
}
