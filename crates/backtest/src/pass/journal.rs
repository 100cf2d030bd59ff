//! A pass over a journal, of an embedded run or of a topic. The rule sets that it brought are not looked at.

use std::sync::atomic::Ordering;

use bellwether_codec::erasures::Erasures;
use bellwether_codec::event::Decoder;
use bellwether_codec::journal::{JournalRecord, Piece, Pieces};
use bellwether_codec::rendered::Rendered;
use bellwether_codec::run::Skipped;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::Time;
use memchr::memmem::Finder;
use rayon::prelude::*;

use super::lane::Lane;
use super::{Pass, PassOptions};
use crate::erased::{ERASURE, ErasedOfPartition, may_erase};
use crate::error::ReplayError;
use crate::journal::Journal;
use crate::observe::{Observed, ObservedLog};
use crate::part::Poisoned;
use crate::replay::{MAX_POISONED, Sink};
use crate::share::{Share, Shares};

/// Folds a journal under each rule set of `options`. When it is stopped, each partition is known until where it was left; who was erased after that is
/// not told of.
///
/// # Errors
///
/// When the journal cannot be read, the sink cannot be written, or too many records cannot be folded.
pub fn observe_journal(
    journal: &impl Journal,
    decoder: &Decoder,
    options: &PassOptions<'_>,
    sink: &mut impl Sink,
) -> Result<Pass, ReplayError> {
    let numbers: Vec<u16> = (0..journal.partitions()).collect();
    let at_once = rayon::current_num_threads().clamp(1, numbers.len().max(1));
    // As many partitions at once as there are threads: what each puts out stays in memory until its turn.
    let room = options.max_customers / at_once;
    let mut pass = Pass::default();
    let mut by_lane: Vec<Vec<Observed>> = options.rule_sets.iter().map(|_| Vec::new()).collect();
    let mut partitions_read = 0;
    for numbers in numbers.chunks(at_once) {
        let read: Vec<_> = numbers.par_iter().map(|number| observe_partition(journal, *number, decoder, options, room)).collect();
        for partition in read {
            let SeenOfPartition { shares, reads } = partition?;
            pass.reads = pass.reads.max(reads);
            // Every share has the same records.
            pass.lines += shares.first().map_or(0, |share| share.records);
            pass.refused += shares.first().map_or(0, |share| share.refused);
            for share in shares {
                pass.log = pass.log.merge(share.log);
                sink.append(&share.rendered).map_err(ReplayError::Output)?;
                share.observed.into_iter().zip(&mut by_lane).for_each(|(observed, all)| all.push(observed));
            }
            partitions_read += 1;
            sink.progress(partitions_read, u64::from(journal.partitions()), pass.lines);
        }
    }
    pass.log.is_partial = options.stop.load(Ordering::Relaxed);
    pass.observed = by_lane.into_iter().map(Observed::merge).collect();
    Ok(pass)
}

/// What is seen of a partition.
struct SeenOfPartition {
    /// Of each share of its customers.
    shares: Vec<Seen>,
    /// How many times it was begun because of their number.
    reads: u32,
}

/// What is seen of a share of the customers of a partition.
struct Seen {
    log: ObservedLog,
    observed: Vec<Observed>,
    rendered: Rendered,
    records: u64,
    refused: u64,
}

/// Observes a partition; where it has more customers than there is room for, a share of them after the other.
fn observe_partition(
    journal: &impl Journal,
    number: u16,
    decoder: &Decoder,
    options: &PassOptions<'_>,
    room: usize,
) -> Result<SeenOfPartition, ReplayError> {
    // Of a part, what comes before and behind it is looked through first: who was erased there is erased here, too.
    let outside = journal.whole().map(|whole| ErasedOfPartition::of(whole, number, decoder)).transpose()?;
    let is_part = outside.is_some();
    let ErasedOfPartition { offsets, hashes } = outside.unwrap_or_default();
    let skipped = Skipped { erased: offsets, ..Skipped::default() };
    let mut reading = Reading { journal, number, decoder, options, is_part, hashes, skipped };
    let mut seen = SeenOfPartition { shares: Vec::new(), reads: 0 };
    let mut shares = Shares::new();
    while let Some(share) = shares.next() {
        seen.reads += 1;
        let can_be_halved = !options.renders && share.halves().is_some();
        match reading.observe(share, if can_be_halved { room } else { usize::MAX })? {
            None => drop(shares.halve(share)),
            // All that is told of a customer is whole, unless there is nothing else.
            Some(_) if options.stop.load(Ordering::Relaxed) && !seen.shares.is_empty() => break,
            Some(of_share) => seen.shares.push(of_share),
        }
    }
    Ok(seen)
}

/// A partition that is read, and what is known of it already.
struct Reading<'r, J> {
    journal: &'r J,
    number: u16,
    decoder: &'r Decoder,
    options: &'r PassOptions<'r>,
    /// Whether it is a part of a journal: then all erasures are known.
    is_part: bool,
    hashes: Vec<(u128, Time)>,
    skipped: Skipped,
}

impl<J: Journal> Reading<'_, J> {
    /// Observes a share of the customers; nothing comes of it when there are more than there is room for.
    fn observe(&mut self, share: Share, room: usize) -> Result<Option<Seen>, ReplayError> {
        let (options, decoder) = (self.options, self.decoder);
        let is_stopped = || options.stop.load(Ordering::Relaxed);
        loop {
            let mut shard = self.shard(share);
            let (mut stopped, mut is_full) = (None, false);
            let mut visit = |records: &[JournalRecord<'_>]| {
                if is_stopped() {
                    shard.look_for_erasures(records, decoder);
                } else {
                    stopped = shard.fold(records, decoder).err();
                    // What was folded so far is all that there is when somebody stops it.
                    is_full = shard.customers() > room && !is_stopped();
                }
                // Erasures count wherever they are, also after the end of the period.
                stopped.is_none() && !is_full && (self.journal.blanks_erased() || !is_stopped())
            };
            self.journal.read(self.number, &mut visit).map_err(ReplayError::Journal)?;
            if let Some((offset, progress)) = stopped {
                tracing::error!(
                    partition = self.number,
                    offset,
                    "folding panicked: starting again without the record, or without its review"
                );
                if !self.skipped.add(offset, progress) || self.skipped.len() > MAX_POISONED {
                    return Err(ReplayError::TooManyPoisoned { limit: MAX_POISONED });
                }
                continue;
            }
            if is_full {
                return Ok(None);
            }
            // Whoever was erased is left out from the start, whether its bytes are gone already or not.
            let is_known = self.is_part || !self.journal.blanks_erased() || *shard.erasures.offsets() == self.skipped.erased;
            if is_known || is_stopped() {
                return Ok(Some(shard.finish(!is_known)));
            }
            self.skipped.erased = shard.erasures.into_offsets();
        }
    }

    fn shard(&self, share: Share) -> Shard {
        let lane = |index| Lane::new(self.options, index, self.skipped.clone()).with_erasures(self.decoder.erasure_key(), &self.hashes);
        Shard {
            lanes: (0..self.options.rule_sets.len()).map(lane).collect(),
            share,
            erasures: Erasures::default(),
            rendered: Rendered::default(),
            records: 0,
            refused: 0,
            until: self.options.until.unwrap_or(Time::NEVER),
        }
    }
}

/// One partition under each rule set.
struct Shard {
    lanes: Vec<Lane>,
    share: Share,
    erasures: Erasures,
    rendered: Rendered,
    records: u64,
    refused: u64,
    until: Time,
}

impl Shard {
    fn fold(&mut self, records: &[JournalRecord<'_>], decoder: &Decoder) -> Result<(), Poisoned> {
        self.records += records.len() as u64;
        for piece in Pieces::decode(records.iter().copied(), decoder).pieces {
            match piece {
                Piece::Records(mut records) => {
                    self.erasures.note(&records);
                    if self.share != Share::WHOLE {
                        records.keep(|key| self.share.holds(key));
                    }
                    if !self.lanes.iter().all(|lane| lane.is_over) {
                        let run = records.run();
                        let end = (0..run.len()).find(|index| run.watermark(*index) > self.until).map(|index| run.offset(index));
                        let in_period = |offset: u64| end.is_none_or(|end| offset < end);
                        self.refused += records.unreadable().filter(|(offset, _)| in_period(*offset)).count() as u64;
                    }
                    self.lanes.iter_mut().try_for_each(|lane| lane.fold(&records.run()))?;
                }
                Piece::SourceSilent(_, source) => {
                    self.lanes.iter_mut().for_each(|lane| lane.partition().source_silent(&source.source, source.families()));
                }
                Piece::SourceResumed(offset, source) => {
                    for lane in self.lanes.iter_mut().filter(|lane| !lane.is_over) {
                        if lane.partition().source_resumed(&source.source) {
                            lane.review_all(offset)?;
                        }
                    }
                }
                Piece::Erased(_, erasure) => {
                    self.lanes.iter_mut().for_each(|lane| lane.partition().remember_erasure(erasure.hash, erasure.time));
                }
                Piece::Created(..) | Piece::Rules(..) => {}
            }
        }
        if let Some(rendered) = self.lanes.first_mut().and_then(|lane| lane.rendered.as_mut()) {
            self.rendered.append(std::mem::take(rendered));
        }
        Ok(())
    }

    /// Customers whose states it holds, under all rule sets together.
    fn customers(&self) -> usize {
        self.lanes.iter().map(Lane::customers).sum()
    }

    /// Of what is not folded any more, erasures are all that counts.
    fn look_for_erasures(&mut self, records: &[JournalRecord<'_>], decoder: &Decoder) {
        let erasure = Finder::new(ERASURE);
        for piece in Pieces::decode(records.iter().filter(|record| may_erase(record, &erasure)).copied(), decoder).pieces {
            if let Piece::Records(records) = piece {
                self.erasures.note(&records);
            }
        }
    }

    /// What was seen, without those that were erased in the meantime if this is all that will be.
    fn finish(self, forgets_erased: bool) -> Seen {
        let Self { lanes, rendered, records, refused, erasures, .. } = self;
        let log = lanes.first().map_or(ObservedLog::default(), |lane| lane.log);
        let mut observed: Vec<Observed> = lanes.into_iter().map(Lane::finish).collect();
        if forgets_erased {
            let is_known = |id: &str| !erasures.offsets().contains_key(&CustomerKey::of(id));
            observed.iter_mut().for_each(|observed| observed.customers.retain(|customer| is_known(&customer.id)));
        }
        Seen { log, observed, rendered, records, refused }
    }
}
