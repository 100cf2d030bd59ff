//! A partition that a worker owns: its working set, and one step over a piece of its journal.

use std::sync::Arc;

use bellwether_codec::journal::{Created, Piece, PublishedRules};
use bellwether_engine::erasure::ErasureKey;
use bellwether_kafka::TopicPartition;
use bellwether_store::{Commit, Position, Store};

use super::error::JournalError;
use super::open::Opening;
use super::options::ProcessOptions;
use super::rule_sets::{self, RuleSets};
use crate::error::LiveError;
use crate::worker::{Worker, rule_set_in_force};

/// A partition at work.
pub(crate) struct Owned {
    /// Its place in the journal.
    pub at: TopicPartition,
    /// Its working set.
    pub worker: Worker,
    /// How often its stored state had been replaced when it was opened.
    pub generation: Option<u64>,
    /// A rule set that the next commit has to keep.
    new_rules: Option<PublishedRules>,
    /// Where the last step began, if what it put out has not been published before.
    published_from: Option<Position>,
}

impl Owned {
    /// A partition as the store has it, about to fold in silence what is published already.
    pub fn open(
        number: u16,
        at: TopicPartition,
        opening: Opening,
        store: &Store,
        rule_sets: &RuleSets,
        erasure_key: ErasureKey,
    ) -> Result<Self, LiveError> {
        let in_force = rule_set_in_force(number, store)?;
        let rules = rule_sets.get(in_force, number, store)?;
        let mut worker = Worker::open(number, store, &rules, erasure_key)?;
        if worker.is_reviewing_all() {
            let previous = rule_sets.get(rule_sets::number_before(in_force, store)?, number, store)?;
            worker.partition.set_rules(rules, Some(previous));
        }
        worker.catch_up_to(opening.committed);
        worker.tell_health();
        Ok(Self { at, worker, generation: opening.generation, new_rules: None, published_from: None })
    }

    /// Prefetch and apply: one step over a piece. Returns whether all of the piece is folded.
    pub fn step(&mut self, piece: &Piece<'_>, store: &Store, rule_sets: &RuleSets, options: &ProcessOptions) -> Result<bool, LiveError> {
        match piece {
            Piece::Created(offset, _)
            | Piece::Rules(offset, _)
            | Piece::SourceSilent(offset, _)
            | Piece::SourceResumed(offset, _)
            | Piece::Erased(offset, _) => self.worker.arrive_at(*offset),
            Piece::Records(_) => {}
        }
        self.published_from = (!self.worker.is_catching_up()).then_some(self.worker.position);
        match piece {
            Piece::Records(records) => {
                let run = records.run();
                self.worker.step(store, &run, options.limits)?;
                Ok(self.worker.is_done(&run))
            }
            Piece::Created(offset, created) => {
                check_created(created, options)?;
                self.worker.pass_over(*offset);
                Ok(true)
            }
            Piece::Rules(offset, rules) => self.adopt(*offset, rules, store, rule_sets, options),
            Piece::SourceSilent(offset, source) => {
                if self.worker.position.offset <= *offset {
                    self.worker.partition.source_silent(&source.source, source.families());
                    self.worker.pass_over(*offset);
                }
                Ok(true)
            }
            Piece::Erased(offset, erasure) => {
                if self.worker.position.offset <= *offset {
                    self.worker.partition.remember_erasure(erasure.hash, erasure.time);
                    self.worker.pass_over(*offset);
                }
                Ok(true)
            }
            Piece::SourceResumed(offset, source) => self.resume(*offset, &source.source, store, options),
        }
    }

    /// Thaws the rules that waited for a source, and reviews every customer.
    fn resume(&mut self, offset: u64, source: &str, store: &Store, options: &ProcessOptions) -> Result<bool, LiveError> {
        if self.worker.position.offset > offset {
            return Ok(true);
        }
        if !self.worker.is_reviewing_all() && !self.worker.partition.source_resumed(source) {
            self.worker.pass_over(offset);
            return Ok(true);
        }
        let rules = self.worker.partition.rules().clone();
        self.worker.review_all(store, offset, options.limits, Some(&rules))
    }

    /// Brings a rule set into force, and reviews every customer under it.
    fn adopt(
        &mut self,
        offset: u64,
        rules: &PublishedRules,
        store: &Store,
        rule_sets: &RuleSets,
        options: &ProcessOptions,
    ) -> Result<bool, LiveError> {
        if self.worker.position.offset > offset {
            return Ok(true);
        }
        if !self.worker.is_reviewing_all() {
            if rules.number <= self.worker.partition.header.rule_set {
                self.worker.pass_over(offset);
                return Ok(true);
            }
            let compiled = rule_sets.compile(rules.number, &rules.text)?;
            let previous: Arc<_> = self.worker.partition.rules().clone();
            self.worker.partition.set_rules(compiled, Some(previous));
            self.new_rules = Some(rules.clone());
        }
        let previous = self.worker.partition.previous_rules().cloned();
        self.worker.review_all(store, offset, options.limits, previous.as_ref())
    }

    /// Where the last step began and ended, if what it put out has to be published.
    pub fn published(&self) -> Option<(Position, Position)> {
        self.published_from.filter(|from| *from < self.worker.position).map(|from| (from, self.worker.position))
    }

    /// What the last step has put out is published.
    pub fn committed(&mut self) {
        self.published_from = None;
    }

    /// Whether a piece can be folded only where the store has all that was folded before: its customers are read there.
    pub fn needs_store(piece: &Piece<'_>) -> bool {
        !matches!(piece, Piece::Records(_))
    }

    /// Whether what its steps have changed may wait for a later commit, if the changes of so many records may.
    pub fn may_wait(&self, max_changes: usize) -> bool {
        let few = self.worker.waiting().is_none_or(|waiting| waiting < max_changes);
        few && self.new_rules.is_none() && !self.worker.has_erased() && !self.worker.is_over_budget()
    }

    /// What its steps since the last write have changed, if anything: one write batch.
    pub fn take_commit(&mut self) -> Result<Option<Commit>, LiveError> {
        if self.worker.waiting().is_none() {
            return Ok(None);
        }
        self.worker.encode()?;
        let mut commit = Commit::with_room_for(self.worker.written_bytes());
        if let Some(rules) = self.new_rules.take() {
            rule_sets::put(&mut commit, rules.number, &rules.text);
        }
        self.worker.write(&mut commit);
        Ok(Some(commit))
    }
}

fn check_created(created: &Created, options: &ProcessOptions) -> Result<(), JournalError> {
    if created.journal == options.created.journal {
        return Ok(());
    }
    let (topic, expected, found) = (options.topics.journal.clone(), options.created.journal.clone(), created.journal.clone());
    Err(JournalError::OtherJournal { topic, expected, found })
}
