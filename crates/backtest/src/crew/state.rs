//! What the threads of a replay share, and the choice of the work that is furthest on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bellwether_codec::intake::{DecodedPart, IntakeError, PartReader, RawPart, Sequencer};
use bellwether_codec::summary::Summary;

use crate::part::{Part, Poisoned, Shard};
use crate::told::Told;

/// Parts that are between reader and signals at once, beside one a thread: a few, so that nobody runs out of work, and memory is bounded.
const SPARE_PARTS: u64 = 2;

/// Epochs whose signals wait to be written.
const MAX_WAITING_EPOCHS: usize = 4;

/// An epoch that every shard has folded.
pub(super) struct FoldedEpoch {
    /// What each shard has put out, in their order.
    pub(super) told: Vec<Told>,
    /// Lines folded so far.
    pub(super) lines: u64,
}

/// What stopped a replay before its end.
pub(super) enum Stopped {
    /// The inputs could not be read on.
    Intake(IntakeError),
    /// The fold of a partition panicked.
    Poisoned(usize, Poisoned),
    /// A shard has no more room.
    Full,
}

/// A shard with where it is in the log.
pub(super) struct Place<S> {
    pub(super) number: usize,
    /// The part that it folds next.
    pub(super) next_part: u64,
    /// Who folded the last one.
    pub(super) last_thread: usize,
    pub(super) shard: S,
}

pub(super) struct State<S> {
    pub(super) reader: Option<PartReader>,
    pub(super) sequencer: Option<Sequencer>,
    pub(super) places: Vec<Option<Box<Place<S>>>>,
    /// Parts that wait for their turn to be sequenced, by number.
    pub(super) decoded: BTreeMap<u64, DecodedPart>,
    pub(super) read: u64,
    pub(super) sequenced: u64,
    /// Parts that not every shard has folded.
    pub(super) folding: VecDeque<Folding>,
    pub(super) folded: u64,
    /// Nothing is left to be read.
    pub(super) is_read: bool,
    pub(super) counted: Summary,
    /// Epochs whose signals nobody has taken yet.
    pub(super) waiting: VecDeque<FoldedEpoch>,
    /// Threads that found nothing to do.
    pub(super) idle: usize,
    pub(super) is_over: bool,
    pub(super) stopped: Option<Stopped>,
}

/// A part that is being folded.
pub(super) struct Folding {
    pub(super) part: Arc<Part>,
    pub(super) shards_left: usize,
    /// What each shard has put out up to here, where an epoch ends.
    pub(super) told: Vec<Told>,
}

pub(super) enum Task<S> {
    Fold(Box<Place<S>>, Arc<Part>),
    Sequence(Sequencer, DecodedPart),
    Read(PartReader, u64),
}

impl<S: Shard> State<S> {
    /// The work that is furthest on; nothing when all of it waits for others. One part a further thread is read ahead, so that nobody waits for the reader.
    pub(super) fn next_task(&mut self, thread: usize, threads: u64) -> Option<Task<S>> {
        if let Some(decoded) = self.sequencer.as_ref().and_then(|_| self.decoded.remove(&self.sequenced)) {
            return self.sequencer.take().map(|sequencer| Task::Sequence(sequencer, decoded));
        }
        let reads_first = self.read - self.sequenced < threads - 1;
        if let Some(task) = reads_first.then(|| self.read_ahead(threads)).flatten() {
            return Some(task);
        }
        let mut ready = self.places.iter().flatten().filter(|place| place.next_part < self.sequenced);
        // A shard that this thread folded last has its customers in this core's cache.
        let chosen = ready.clone().find(|place| place.last_thread == thread).or_else(|| ready.next()).map(|place| place.number);
        if let Some(place) = chosen.and_then(|number| self.places[number].take()) {
            let part = Arc::clone(&self.folding[(place.next_part - self.folded) as usize].part);
            return Some(Task::Fold(place, part));
        }
        self.read_ahead(threads)
    }

    /// The next part is read, unless somebody reads or there are parts and signals enough.
    fn read_ahead(&mut self, threads: u64) -> Option<Task<S>> {
        if self.read - self.folded >= threads + SPARE_PARTS || self.waiting.len() >= MAX_WAITING_EPOCHS {
            return None;
        }
        let reader = self.reader.take()?;
        self.read += 1;
        Some(Task::Read(reader, self.read - 1))
    }

    /// Takes in what was read; the reader is given back unless it has come to its end.
    pub(super) fn take_read(&mut self, part: Result<Option<RawPart>, IntakeError>, reader: PartReader) -> Option<RawPart> {
        match part {
            Ok(Some(part)) => {
                self.is_read |= part.is_last();
                self.reader = Some(reader).filter(|_| !self.is_read);
                return Some(part);
            }
            Ok(None) => {}
            Err(error) => self.stopped = Some(Stopped::Intake(error)),
        }
        self.is_read = true;
        self.read -= 1;
        self.is_over |= self.read == self.folded;
        None
    }

    /// Takes a shard back that has folded a part. Returns whether somebody who waits for an epoch should look.
    pub(super) fn put_back(&mut self, mut place: Box<Place<S>>, folded: Result<(), Poisoned>, told: Told) -> bool {
        if let Err(poisoned) = folded {
            self.stopped = Some(Stopped::Poisoned(place.number, poisoned));
            self.is_over = true;
            return true;
        }
        if place.shard.is_full() {
            self.stopped = Some(Stopped::Full);
            self.is_over = true;
        }
        let folding = &mut self.folding[(place.next_part - self.folded) as usize];
        folding.shards_left -= 1;
        if let Some(room) = folding.told.get_mut(place.number) {
            *room = told;
        }
        place.next_part += 1;
        let number = place.number;
        self.places[number] = Some(place);
        if self.places.iter().all(|place| place.as_ref().is_some_and(|place| place.shard.is_over())) {
            (self.is_read, self.reader) = (true, None);
        }
        self.finish_parts()
    }

    /// Lets go of the parts that every shard has folded. Returns whether that ended an epoch, or all.
    fn finish_parts(&mut self) -> bool {
        let epochs = self.waiting.len();
        while let Some(folded) = self.folding.pop_front_if(|first| first.shards_left == 0) {
            self.folded += 1;
            folded.part.count(&mut self.counted);
            if folded.part.decoded.is_end() {
                self.waiting.push_back(FoldedEpoch { told: folded.told, lines: self.counted.events });
            }
        }
        self.is_over |= self.is_read && self.read == self.folded;
        self.is_over || self.waiting.len() > epochs
    }
}
