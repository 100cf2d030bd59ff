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
    let mut pass = Pass { reads: 1, ..Pass::default() };
    let mut by_lane: Vec<Vec<Observed>> = options.rule_sets.iter().map(|_| Vec::new()).collect();
    for numbers in numbers.chunks(rayon::current_num_threads().max(1)) {
        let shards: Vec<_> = numbers.par_iter().map(|number| observe_partition(journal, *number, decoder, options)).collect();
        for shard in shards {
            let shard = shard?;
            pass.lines += shard.records;
            pass.refused += shard.refused;
            pass.log = pass.log.merge(shard.log);
            sink.append(&shard.rendered).map_err(ReplayError::Output)?;
            shard.observed.into_iter().zip(&mut by_lane).for_each(|(observed, all)| all.push(observed));
            sink.progress(by_lane[0].len() as u64, u64::from(journal.partitions()), pass.lines);
        }
    }
    pass.log.is_partial = options.stop.load(Ordering::Relaxed);
    pass.observed = by_lane.into_iter().map(Observed::merge).collect();
    Ok(pass)
}

/// What is seen of a partition.
struct Seen {
    log: ObservedLog,
    observed: Vec<Observed>,
    rendered: Rendered,
    records: u64,
    refused: u64,
}

/// One partition under each rule set.
struct Shard {
    lanes: Vec<Lane>,
    erasures: Erasures,
    rendered: Rendered,
    records: u64,
    refused: u64,
    until: Time,
}

fn observe_partition(journal: &impl Journal, number: u16, decoder: &Decoder, options: &PassOptions<'_>) -> Result<Seen, ReplayError> {
    // Of a part, what comes before and behind it is looked through first: who was erased there is erased here, too.
    let outside = journal.whole().map(|whole| ErasedOfPartition::of(whole, number, decoder)).transpose()?;
    let is_part = outside.is_some();
    let ErasedOfPartition { offsets, hashes } = outside.unwrap_or_default();
    let mut skipped = Skipped { erased: offsets, ..Skipped::default() };
    loop {
        let lane = |index| Lane::new(options, index, skipped.clone()).with_erasures(decoder.erasure_key(), &hashes);
        let lanes = (0..options.rule_sets.len()).map(lane).collect();
        let until = options.until.unwrap_or(Time::NEVER);
        let mut shard = Shard { lanes, erasures: Erasures::default(), rendered: Rendered::default(), records: 0, refused: 0, until };
        let mut stopped = None;
        let mut visit = |records: &[JournalRecord<'_>]| {
            if options.stop.load(Ordering::Relaxed) {
                shard.look_for_erasures(records, decoder);
            } else {
                stopped = shard.fold(records, decoder).err();
            }
            // Erasures count wherever they are, also after the end of the period.
            stopped.is_none()
        };
        journal.read(number, &mut visit).map_err(ReplayError::Journal)?;
        let Some((offset, progress)) = stopped else {
            // Whoever was erased is left out from the start, whether its bytes are gone already or not.
            let is_known = is_part || *shard.erasures.offsets() == skipped.erased;
            if !is_known && !options.stop.load(Ordering::Relaxed) {
                skipped.erased = shard.erasures.into_offsets();
                continue;
            }
            return Ok(shard.finish(!is_known));
        };
        tracing::error!(partition = number, offset, "folding panicked: starting again without the record, or without its review");
        if !skipped.add(offset, progress) || skipped.len() > MAX_POISONED {
            return Err(ReplayError::TooManyPoisoned { limit: MAX_POISONED });
        }
    }
}

impl Shard {
    fn fold(&mut self, records: &[JournalRecord<'_>], decoder: &Decoder) -> Result<(), Poisoned> {
        self.records += records.len() as u64;
        for piece in Pieces::decode(records.iter().copied(), decoder).pieces {
            match piece {
                Piece::Records(records) => {
                    if !self.lanes.iter().all(|lane| lane.is_over) {
                        let run = records.run();
                        let end = (0..run.len()).find(|index| run.watermark(*index) > self.until).map(|index| run.offset(index));
                        let in_period = |offset: u64| end.is_none_or(|end| offset < end);
                        self.refused += records.unreadable().filter(|(offset, _)| in_period(*offset)).count() as u64;
                    }
                    self.lanes.iter_mut().try_for_each(|lane| lane.fold(&records.run()))?;
                    self.erasures.note(&records);
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
