//! Replay of a journal: the records of each partition through the fold, with the rule sets that the journal brought, and no store.

use std::sync::Arc;
use std::time::Instant;

use bellwether_codec::erasures::Erasures;
use bellwether_codec::event::Decoder;
use bellwether_codec::journal::{JournalRecord, Piece, Pieces, PublishedRules};
use bellwether_codec::kpi_days::KpiDays;
use bellwether_codec::rendered::Rendered;
use bellwether_codec::run::{Budget, Skipped};
use bellwether_codec::summary::Summary;
use bellwether_engine::erasure::ErasureKey;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Header, Partition, Progress};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::settings::Settings;
use bellwether_engine::signal::Output;
use rayon::prelude::*;

use crate::error::ReplayError;
use crate::replay::{MAX_POISONED, Replayed, Sink};

/// Makes the rule set of a text under a number, or says what is wrong with it.
pub type CompileRules = dyn Fn(&str, u32) -> Result<RuleSet, String> + Send + Sync;

/// Takes records of a partition in their order; it returns false when it wants no more.
pub type Visit<'v> = dyn FnMut(&[JournalRecord<'_>]) -> bool + 'v;

/// A journal that can be read from its start, as often as needed and several partitions at once.
pub trait Journal: Sync {
    /// How many partitions it has.
    fn partitions(&self) -> u16;

    /// Hands over all records of a partition, in pieces of any size.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String>;

    /// The whole journal, where this is only a part of it. Erasures are looked for there: they count wherever they are.
    fn whole(&self) -> Option<&dyn Journal> {
        None
    }

    /// Whether what it holds of a customer from before an erasure is left out from the start, as if its bytes were gone.
    fn blanks_erased(&self) -> bool {
        true
    }
}

/// How to replay a journal.
pub struct JournalReplay<'o> {
    /// Reads journal records.
    pub decoder: Decoder,
    /// Compiles the rule sets of the journal.
    pub compile_rules: &'o CompileRules,
    /// Rules to take in place of those of the journal, from its start.
    pub rules: Option<Arc<RuleSet>>,
}

impl JournalReplay<'_> {
    /// Folds the journal from its start to its end. What it puts out is in the order of partitions, then positions.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read, a rule set of it does not compile, the sink cannot be written, or too many records cannot be folded.
    pub fn run(&self, journal: &impl Journal, sink: &mut impl Sink) -> Result<Replayed, ReplayError> {
        let started = Instant::now();
        let numbers: Vec<u16> = (0..journal.partitions()).collect();
        let mut summary = Summary::default();
        let mut partitions: Vec<Partition> = Vec::with_capacity(numbers.len());
        let mut days = KpiDays::default();
        // As many partitions at once as there are threads: what each puts out stays in memory until its turn.
        for numbers in numbers.chunks(rayon::current_num_threads().max(1)) {
            let shards: Vec<_> = numbers.par_iter().map(|number| self.shard(journal, *number)).collect();
            for shard in shards {
                let mut shard = shard?;
                days.add(shard.rendered.kpis.drain(..));
                summary.events += shard.events;
                summary.journaled += shard.events;
                summary.add_signals(&shard.rendered.counts);
                sink.append(&shard.rendered).map_err(ReplayError::Output)?;
                partitions.push(shard.partition);
            }
        }
        let mut lines = Vec::new();
        days.write_ended(partitions.iter().map(|partition| partition.header.day_end), &mut lines);
        sink.append_kpis(&lines).map_err(ReplayError::Output)?;
        if let Some(rules) = partitions.first().map(|partition| partition.rules().clone()) {
            summary.add_partitions(partitions.iter().map(|partition| &partition.header), &rules.settings.kpis);
        }
        summary.measure(started.elapsed());
        Ok(Replayed { summary, partitions })
    }

    /// Folds a partition; when a record panics the fold, again from the start without it.
    fn shard(&self, journal: &impl Journal, number: u16) -> Result<Shard, ReplayError> {
        let mut skipped = Skipped::default();
        loop {
            let mut shard = Shard::new(self.rules.clone(), skipped.clone(), self.decoder.erasure_key());
            let mut stopped = None;
            let mut visit = |records: &[JournalRecord<'_>]| {
                stopped = shard.fold(records, self).err();
                stopped.is_none()
            };
            journal.read(number, &mut visit).map_err(ReplayError::Journal)?;
            match stopped {
                // Whoever was erased is left out from the start, whether its bytes are gone already or not.
                None if *shard.erasures.offsets() != skipped.erased => skipped.erased = shard.erasures.into_offsets(),
                None => return Ok(shard),
                Some(Stopped::Rules(error)) => return Err(ReplayError::Journal(error)),
                Some(Stopped::Poisoned(offset, progress)) => {
                    tracing::error!(partition = number, offset, "folding panicked: replaying without the record, or without its review");
                    if !skipped.add(offset, progress) || skipped.len() > MAX_POISONED {
                        return Err(ReplayError::TooManyPoisoned { limit: MAX_POISONED });
                    }
                }
            }
        }
    }
}

enum Stopped {
    Rules(String),
    Poisoned(u64, Progress),
}

/// One partition, and what it has put out.
struct Shard {
    partition: Partition,
    rules_are_given: bool,
    erasures: Erasures,
    skipped: Skipped,
    events: u64,
    outputs: Vec<Output>,
    rendered: Rendered,
}

impl Shard {
    fn new(rules: Option<Arc<RuleSet>>, skipped: Skipped, erasure_key: ErasureKey) -> Self {
        let rules_are_given = rules.is_some();
        let rules = rules.unwrap_or_else(|| Arc::new(RuleSet::new(0, Vec::new(), Settings::default())));
        let partition = Partition::new(rules, Header::default()).with_erasure_key(erasure_key);
        Self {
            partition,
            rules_are_given,
            erasures: Erasures::default(),
            skipped,
            events: 0,
            outputs: Vec::new(),
            rendered: Rendered::default(),
        }
    }

    fn fold(&mut self, records: &[JournalRecord<'_>], replay: &JournalReplay<'_>) -> Result<(), Stopped> {
        for piece in Pieces::decode(records.iter().copied(), &replay.decoder).pieces {
            match piece {
                Piece::Records(records) => {
                    let run = records.run();
                    let mut budget = Budget::UNLIMITED;
                    let (end, progress) = run.fold(0, &mut self.partition, &mut budget, &self.skipped, &mut self.outputs);
                    if progress != Progress::Done {
                        return Err(Stopped::Poisoned(run.offset(end), progress));
                    }
                    self.events += records.events();
                    self.erasures.note(&records);
                }
                Piece::Created(..) => {}
                Piece::Rules(offset, rules) => self.adopt(offset, &rules, replay)?,
                Piece::Erased(_, erasure) => self.partition.remember_erasure(erasure.hash, erasure.time),
                Piece::SourceSilent(_, source) => self.partition.source_silent(&source.source, source.families()),
                Piece::SourceResumed(offset, source) => {
                    if self.partition.source_resumed(&source.source) {
                        self.review_all(offset)?;
                    }
                }
            }
            self.rendered.take(&mut self.outputs);
            self.partition.take_changed();
            self.partition.take_erased();
        }
        Ok(())
    }

    /// Brings a rule set into force, and reviews every customer under it.
    fn adopt(&mut self, offset: u64, rules: &PublishedRules, replay: &JournalReplay<'_>) -> Result<(), Stopped> {
        if self.rules_are_given || rules.number <= self.partition.header.rule_set {
            return Ok(());
        }
        let does_not_compile = |error| Stopped::Rules(format!("rule set {} does not compile: {error}", rules.number));
        let compiled = (replay.compile_rules)(&rules.text, rules.number).map_err(does_not_compile)?;
        let previous = self.partition.rules().clone();
        self.partition.set_rules(Arc::new(compiled), Some(previous));
        self.review_all(offset)
    }

    /// Reviews every customer because of the record at this offset, in the order of their keys.
    fn review_all(&mut self, offset: u64) -> Result<(), Stopped> {
        let mut keys: Vec<CustomerKey> = self.partition.customers().map(|customer| CustomerKey::of(&customer.id)).collect();
        keys.sort_unstable();
        for key in keys {
            let progress = self.skipped.review_now(offset, key, &mut self.partition, &mut self.outputs);
            if progress.is_poisoned() {
                return Err(Stopped::Poisoned(offset, progress));
            }
        }
        Ok(())
    }
}
