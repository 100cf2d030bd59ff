//! A data directory of an older fold: its states are made anew from its journal, in silence, up to where everything was told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bellwether_codec::journal::Piece;
use bellwether_codec::kpi_days::KpiDays;
use bellwether_codec::state::{FOLD_VERSION, decode_kpi_days, encode_kpi_days};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::settings::Settings;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_store::{Commit, Durability, Position, Store};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::LiveError;
use crate::older_fold::older_folds;
use crate::options::{EmbeddedOptions, states_bytes};
use crate::session::KPI_DAYS;

mod lane;

use lane::Lane;

/// The name under which the store keeps what a rebuild aims at, while one is under way.
pub(crate) const REBUILD: &str = "rebuild";

/// What a rebuild aims at. It is kept before anything is dropped, so a rebuild that is interrupted goes on with the next start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rebuild {
    /// The version of the fold that the states were of.
    pub from: u8,
    /// Where each partition stood: up to there everything is told. Offset, due time of a review, and its customer.
    pub positions: BTreeMap<u16, (u64, i64, u128)>,
}

/// Makes the states anew if they are of an older fold, and takes up a rebuild that was interrupted.
///
/// What was told stays: outputs up to the positions of the old states are dropped, and what comes later is told by the new fold.
pub(crate) fn rebuild_if_older(store: &Store, options: &EmbeddedOptions, partitions: u16) -> Result<(), LiveError> {
    let oldest = older_folds(store)?.into_values().min();
    let known = store.input(REBUILD)?.filter(|bytes| !bytes.is_empty()).map(|bytes| serde_json::from_slice::<Rebuild>(&bytes));
    let known = known.transpose().map_err(|error| LiveError::Damaged(format!("what a rebuild aims at: {error}")))?;
    let rebuild = match (known, oldest) {
        (Some(known), _) => known,
        (None, Some(from)) => Rebuild { from, positions: positions(store)? },
        (None, None) => return Ok(()),
    };
    let records: u64 = rebuild.positions.values().map(|(offset, ..)| offset).sum();
    tracing::warn!(
        from_version = rebuild.from,
        to_version = FOLD_VERSION,
        records,
        resumed = oldest.is_none(),
        "the states are of an older version of the fold: they are made anew from the journal, and nothing is told twice"
    );
    if oldest.is_some() {
        begin(store, &rebuild, partitions)?;
    }
    Rebuilding::open(store, options, &rebuild)?.run()?;
    let mut commit = Commit::new();
    commit.put_input(REBUILD, &[]);
    Ok(store.commit(commit, Durability::Synced)?)
}

/// Keeps what is aimed at, and drops the states of the older fold.
fn begin(store: &Store, rebuild: &Rebuild, partitions: u16) -> Result<(), LiveError> {
    let mut commit = Commit::new();
    commit.put_input(REBUILD, &serde_json::to_vec(rebuild).expect("numbers always serialise"));
    commit.put_input(KPI_DAYS, &[]);
    store.commit(commit, Durability::Synced)?;
    // While any of the old ones is left, the next start drops all again, and sums days from nothing.
    (0..partitions).try_for_each(|partition| store.drop_partition(partition))?;
    Ok(())
}

fn positions(store: &Store) -> Result<BTreeMap<u16, (u64, i64, u128)>, LiveError> {
    let mut positions = BTreeMap::new();
    for partition in store.partitions() {
        if let Some(header) = store.header(partition)? {
            let Position { offset, review_due, customer } = header.position;
            positions.insert(partition, (offset, review_due, customer));
        }
    }
    Ok(positions)
}

/// A rebuild at work: its partitions go on together, so that few days wait for the slowest.
struct Rebuilding<'s> {
    store: &'s Store,
    options: &'s EmbeddedOptions,
    lanes: Vec<Lane<'s>>,
    rule_sets: BTreeMap<u32, Arc<RuleSet>>,
    kpi_days: KpiDays,
}

impl<'s> Rebuilding<'s> {
    fn open(store: &'s Store, options: &'s EmbeddedOptions, rebuild: &Rebuild) -> Result<Self, LiveError> {
        let kpi_days = store.input(KPI_DAYS)?.filter(|bytes| !bytes.is_empty()).map(|bytes| decode_kpi_days(&bytes)).transpose();
        let kpi_days = kpi_days.map_err(|error| LiveError::Damaged(format!("days of KPIs: {error}")))?.unwrap_or_default();
        let before_any = Arc::new(RuleSet::new(0, Vec::new(), Settings::default()));
        let mut rebuilding = Self { store, options, lanes: Vec::new(), rule_sets: BTreeMap::from([(0, before_any)]), kpi_days };
        rebuilding.find_rule_sets(rebuild)?;
        for (&partition, &(offset, review_due, customer)) in &rebuild.positions {
            let target = Position { offset, review_due, customer };
            rebuilding.lanes.push(Lane::open(partition, target, store, options, &rebuilding.rule_sets)?);
        }
        Ok(rebuilding)
    }

    /// All rule sets of the journal: each partition has all of them.
    fn find_rule_sets(&mut self, rebuild: &Rebuild) -> Result<(), LiveError> {
        let Some(&partition) = rebuild.positions.keys().next() else { return Ok(()) };
        for block in self.store.journal_blocks(partition, 0) {
            let block = lane::read(block?)?;
            let pieces = if block.1.contains("\t!") { lane::pieces(&block, &self.options.decoder) } else { Vec::new() };
            for rules in pieces.into_iter().filter_map(|piece| if let Piece::Rules(_, rules) = piece { Some(rules) } else { None }) {
                let compiled = (self.options.compile_rules)(&rules.text, rules.number);
                let compiled = compiled
                    .map_err(|error| LiveError::Damaged(format!("rule set {} of the journal does not compile: {error}", rules.number)))?;
                self.rule_sets.insert(rules.number, Arc::new(compiled));
            }
        }
        Ok(())
    }

    fn run(mut self) -> Result<(), LiveError> {
        loop {
            let behind = self.lanes.iter().filter(|lane| lane.is_behind());
            let Some(earliest) = behind.map(|lane| lane.worker.partition.header.journal_time).min() else { return Ok(()) };
            self.round(if earliest == Time::MIN { earliest } else { earliest.plus_ms(DAY_MS) })?;
        }
    }

    /// One block of every partition that is not ahead of the others.
    fn round(&mut self, until: Time) -> Result<(), LiveError> {
        let (mut lanes, others): (Vec<_>, Vec<_>) = self.lanes.iter_mut().partition(|lane| lane.is_behind_at(until));
        let others = others.iter().map(|lane| lane.day_end()).min();
        let blocks = lanes.par_iter_mut().map(|lane| lane.next_block()).collect::<Result<Vec<_>, _>>()?;
        let decode = |block| lane::pieces(block, &self.options.decoder).into();
        let mut pending: Vec<VecDeque<Piece<'_>>> = blocks.par_iter().map(decode).collect();
        while pending.iter().any(|pieces| !pieces.is_empty()) {
            let (store, limits, rule_sets) = (self.store, self.options.limits, &self.rule_sets);
            let steps = lanes.par_iter_mut().zip(&mut pending);
            steps.try_for_each(|(lane, pieces)| lane.step(pieces, store, limits, rule_sets))?;
            let mut commit = Commit::new();
            for lane in &mut lanes {
                self.kpi_days.add(lane.worker.outbox.kpis.drain(..));
                lane.worker.write(&mut commit);
            }
            // Days that all partitions have ended are told already.
            let day_ends = lanes.iter().map(|lane| lane.day_end()).chain(others);
            self.kpi_days.write_ended(day_ends, &mut Vec::new());
            let kpi_days = encode_kpi_days(&self.kpi_days).map_err(|error| LiveError::Damaged(format!("days of KPIs: {error}")))?;
            commit.put_input(KPI_DAYS, &kpi_days);
            self.store.commit(commit, Durability::Buffered)?;
        }
        // States that nobody needs leave the memory.
        let states_bytes = states_bytes(self.options.memory_bytes, self.lanes.len());
        self.lanes.iter_mut().for_each(|lane| lane.worker.keep_states_within(states_bytes));
        Ok(())
    }
}
