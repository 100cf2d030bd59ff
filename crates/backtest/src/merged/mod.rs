//! Several logs as one, in the order of their time: the partitions of journals, and files. What is exported or written anew is read by it.
//!
//! Where two records have the same watermark, the one that moved it there comes first: so a journal that was filled from files has its
//! records in the order of the files again. A thread reads each log ahead and decodes it.

mod chunk;
mod lane;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::{InputPosition, InputSpec, PartReader, Sequencer};
use bellwether_codec::journal::{PublishedRules, PurgedErasure, SourceState};
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::time::Time;

use crate::erased::Erased;
use crate::error::ReplayError;
use crate::journal::Journal;
use chunk::{Chunk, JournalChunk};
use lane::{Common, Controls, Lane};

/// Chunks of a log that wait between its thread and the merge.
const QUEUED_CHUNKS: usize = 1;

/// Records of a chunk.
const CHUNK_RECORDS: usize = 1_024;

/// What to merge.
pub struct Logs<'l> {
    /// Journals. What they hold of customers that were erased, dated before, is left out.
    pub journals: Vec<&'l dyn Journal>,
    /// Files, merged by time.
    pub files: Vec<InputSpec>,
    /// How lines and records become events.
    pub decoder: Decoder,
    /// Whether records that control the fold are wanted too; rule sets are those of the first journal.
    pub with_controls: bool,
    /// The real clock, against which events of files that come from the future are rejected.
    pub ingest_clock: Option<Time>,
}

/// What stands in merged logs, at its watermark.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'e> {
    /// An event.
    Event(&'e Event<'e>, CustomerKey),
    /// A rule set takes effect in all partitions of a journal.
    Rules(&'e PublishedRules),
    /// A source has fallen silent, in all partitions of a journal.
    SourceSilent(&'e SourceState),
    /// A source has resumed, in all partitions of a journal.
    SourceResumed(&'e SourceState),
    /// A customer of whom only this is left was erased.
    Erased(&'e PurgedErasure),
}

/// How much was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Events handed over.
    pub events: u64,
    /// Events left out because their customer was erased later.
    pub erased: u64,
    /// Lines and records that are no events.
    pub refused: u64,
    /// Whether an input ended in the middle of a line.
    pub broke_off: bool,
    /// Where the files stand at the end.
    pub positions: Vec<InputPosition>,
}

impl Logs<'_> {
    /// Hands over everything in the order of time, each with the watermark there, until the end, or until `stop` is set.
    ///
    /// # Errors
    ///
    /// When a log cannot be read, or `visit` fails.
    pub fn read<E: From<ReplayError>>(
        &self,
        stop: &AtomicBool,
        mut visit: impl FnMut(Entry<'_>, Time) -> Result<(), E>,
    ) -> Result<Merged, E> {
        let erased = self.journals.iter().map(|journal| Erased::of(*journal, &self.decoder)).collect::<Result<Vec<_>, _>>()?;
        thread::scope(|scope| {
            let mut lanes = Vec::new();
            for (group, (journal, erased)) in self.journals.iter().zip(&erased).enumerate() {
                for partition in 0..journal.partitions() {
                    let (sender, receiver) = sync_channel(QUEUED_CHUNKS);
                    let decoder = self.decoder.clone();
                    scope.spawn(move || JournalChunk::send_all(*journal, partition, &decoder, &sender));
                    lanes.push(Lane::new(group, receiver, Some(erased.of_partition(partition)), self.controls(group)));
                }
            }
            if !self.files.is_empty() {
                let (sender, receiver) = sync_channel(QUEUED_CHUNKS);
                let reader = PartReader::open(&self.files, CHUNK_RECORDS, self.ingest_clock).map_err(ReplayError::from)?;
                let decoder = self.decoder.clone();
                scope.spawn(move || Chunk::send_files(reader, Sequencer::new(1), &decoder, self.ingest_clock, &sender));
                lanes.push(Lane::new(self.journals.len(), receiver, None, Controls::None));
            }
            merge(lanes, stop, &mut visit)
        })
    }
}

impl Logs<'_> {
    fn controls(&self, group: usize) -> Controls {
        match (self.with_controls, group) {
            (false, _) => Controls::None,
            (true, 0) => Controls::All,
            (true, _) => Controls::AllButRules,
        }
    }
}

fn merge<E: From<ReplayError>>(
    mut lanes: Vec<Lane<'_>>,
    stop: &AtomicBool,
    visit: &mut impl FnMut(Entry<'_>, Time) -> Result<(), E>,
) -> Result<Merged, E> {
    let mut merged = Merged::default();
    lanes.iter_mut().try_for_each(|lane| lane.catch_up(&mut merged))?;
    let mut time = Time::MIN;
    while !stop.load(Ordering::Relaxed)
        && let Some(next) = next(&lanes)
    {
        let lane = &lanes[next];
        time = time.max(lane.time());
        lane.hand_over(|entry| {
            merged.events += u64::from(matches!(entry, Entry::Event(..)));
            visit(entry, time)
        })?;
        let (group, common) = (lane.group, lane.common());
        lanes[next].pass(&mut merged)?;
        if common.is_some() {
            // It stands in the other partitions too, and is handed over once.
            for lane in lanes.iter_mut().filter(|lane| lane.group == group && lane.common() == common) {
                lane.pass(&mut merged)?;
            }
        }
    }
    Ok(merged)
}

/// The log whose present record is next; none at the end of all.
fn next(lanes: &[Lane<'_>]) -> Option<usize> {
    let waits = |lane: &Lane<'_>| {
        let others = || lanes.iter().filter(|other| other.group == lane.group && other.common().is_none() && !other.is_over());
        match lane.common() {
            None => false,
            // The partitions know different watermarks then, but what stands before it in any of them came before it.
            Some(Common::Rules(_)) => others().next().is_some(),
            Some(_) => others().any(|other| other.time() <= lane.time()),
        }
    };
    let ready = lanes.iter().enumerate().filter(|(_, lane)| !waits(lane));
    ready.filter_map(|(index, lane)| Some((lane.order()?, index))).min().map(|(_, index)| index)
}
