//! One partition of a rebuild: its blocks, and the fold of their pieces up to where the old states stood.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bellwether_codec::erasures::Erasures;
use bellwether_codec::event::Decoder;
use bellwether_codec::journal::{Piece, Pieces, PublishedRules};
use bellwether_engine::event::CustomerKey;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::Time;
use bellwether_store::{Position, Scan, Store};

use crate::error::LiveError;
use crate::journal::block_text;
use crate::journal_directory::journal_records;
use crate::options::{BatchLimits, EmbeddedOptions};
use crate::worker::{Worker, rule_set_in_force};

/// The type of the event that erases a customer, as it stands in a record.
const ERASURE: &str = "customer.erased";

/// A partition at work.
pub(super) struct Lane<'s> {
    pub worker: Worker,
    target: Position,
    blocks: Scan<'s, (u64, Vec<u8>)>,
}

impl<'s> Lane<'s> {
    /// A partition as far as it is made anew already. Its erasures up to the target are read first: a customer that was erased is not folded again.
    pub fn open(
        number: u16,
        target: Position,
        store: &'s Store,
        options: &EmbeddedOptions,
        rule_sets: &BTreeMap<u32, Arc<RuleSet>>,
    ) -> Result<Self, LiveError> {
        let in_force = rule_set_in_force(number, store)?;
        let known = |rule_set: u32| rule_sets.get(&rule_set).cloned().ok_or(LiveError::RuleText { partition: number, rule_set });
        let mut worker = Worker::open(number, store, &known(in_force)?, options.decoder.erasure_key())?;
        if worker.is_reviewing_all() {
            worker.partition.set_rules(known(in_force)?, Some(known(in_force.saturating_sub(1))?));
        }
        worker.catch_up_to(target);
        worker.keep_days();
        worker.leave_out_erased(erased(number, target, store, options)?);
        let blocks = store.journal_blocks(number, worker.position.offset);
        Ok(Self { worker, target, blocks })
    }

    /// Whether it is not where the old states stood.
    pub fn is_behind(&self) -> bool {
        self.worker.position < self.target
    }

    /// Whether it is behind, and not further than this.
    pub fn is_behind_at(&self, until: Time) -> bool {
        self.is_behind() && self.worker.partition.header.journal_time <= until
    }

    /// When its present day ends.
    pub fn day_end(&self) -> Time {
        self.worker.partition.header.day_end
    }

    /// The offset of its next block, and its text.
    pub fn next_block(&mut self) -> Result<(u64, String), LiveError> {
        let (number, position) = (self.worker.number, self.worker.position);
        let ended =
            || LiveError::Damaged(format!("the journal of partition {number} ends at {position}, its states stood at {}", self.target));
        read(self.blocks.next().ok_or_else(ended)??)
    }

    /// Prefetch and apply, for one step over the first piece; it is taken away when it is done, and all of them at the target.
    pub fn step(
        &mut self,
        pieces: &mut VecDeque<Piece<'_>>,
        store: &Store,
        limits: BatchLimits,
        rule_sets: &BTreeMap<u32, Arc<RuleSet>>,
    ) -> Result<(), LiveError> {
        let Some(piece) = pieces.front() else { return Ok(()) };
        let is_done = match piece {
            Piece::Records(records) => {
                let run = records.run();
                self.worker.step(store, &run, limits)?;
                self.worker.is_done(&run)
            }
            Piece::Rules(offset, rules) => self.adopt(*offset, rules, store, limits, rule_sets)?,
            Piece::Erased(offset, erasure) => {
                if self.worker.position.offset <= *offset {
                    self.worker.partition.remember_erasure(erasure.hash, erasure.time);
                }
                self.pass_over(*offset)
            }
            // Sources fall silent beside Kafka alone.
            Piece::Created(offset, _) | Piece::SourceSilent(offset, _) | Piece::SourceResumed(offset, _) => self.pass_over(*offset),
        };
        if !self.is_behind() {
            pieces.clear();
        } else if is_done {
            pieces.pop_front();
        }
        self.worker.encode()
    }

    fn pass_over(&mut self, offset: u64) -> bool {
        self.worker.pass_over(offset);
        true
    }

    fn adopt(
        &mut self,
        offset: u64,
        rules: &PublishedRules,
        store: &Store,
        limits: BatchLimits,
        rule_sets: &BTreeMap<u32, Arc<RuleSet>>,
    ) -> Result<bool, LiveError> {
        if self.worker.position.offset > offset {
            return Ok(true);
        }
        if !self.worker.is_reviewing_all() {
            let number = self.worker.number;
            let unknown = || LiveError::RuleText { partition: number, rule_set: rules.number };
            let adopted = rule_sets.get(&rules.number).cloned().ok_or_else(unknown)?;
            let previous = self.worker.partition.rules().clone();
            self.worker.partition.set_rules(adopted, Some(previous));
        }
        self.worker.review_all(store, offset, limits, None)
    }
}

/// A block as text.
pub(super) fn read((first_offset, block): (u64, Vec<u8>)) -> Result<(u64, String), LiveError> {
    Ok((first_offset, block_text(&block)?))
}

/// The records of a block.
pub(super) fn pieces<'b>((first_offset, text): &'b (u64, String), decoder: &Decoder) -> Vec<Piece<'b>> {
    Pieces::decode(journal_records(*first_offset, text), decoder).pieces
}

/// The customers that are erased before the target, and at which offsets. What ends by a later erasure is still to be told.
fn erased(number: u16, target: Position, store: &Store, options: &EmbeddedOptions) -> Result<BTreeMap<CustomerKey, u64>, LiveError> {
    let mut erasures = Erasures::default();
    for block in store.journal_blocks(number, 0) {
        let (first_offset, text) = read(block?)?;
        if first_offset >= target.offset {
            break;
        }
        let lines = journal_records(first_offset, &text).filter(|record| record.offset < target.offset);
        let lines = lines.filter(|record| record.value.is_some_and(|value| contains(value, ERASURE)));
        for piece in Pieces::decode(lines, &options.decoder).pieces {
            if let Piece::Records(records) = piece {
                erasures.note(&records);
            }
        }
    }
    Ok(erasures.into_offsets())
}

fn contains(value: &[u8], word: &str) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| text.contains(word))
}
