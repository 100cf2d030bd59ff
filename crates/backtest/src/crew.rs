//! The threads of a replay: whoever is free does the work that is furthest on, so that lines are folded while a core's cache still holds them.
//!
//! A part is read, decoded, given its order, and folded by every shard. Reader, sequencer and shards are each there once: a thread takes one out of
//! the common state to work with it. One thread alone therefore takes part after part from the file to its signals, and many threads do
//! not wait for each other as long as any of them finds something to do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use bellwether_codec::intake::{DecodedEpoch, IntakeError, PartReader, RawEpoch, SequencedLines, Sequencer};
use bellwether_codec::rendered::Rendered;
use bellwether_codec::summary::Summary;
use bellwether_engine::partition::Progress;
use bellwether_engine::time::Time;

use crate::replay::ReplayOptions;
use crate::shard::Shard;

/// Parts that are between reader and signals at once, beside one a thread: a few, so that nobody runs out of work, and memory is bounded.
const SPARE_PARTS: u64 = 2;

/// Epochs whose signals wait to be written.
const MAX_WAITING_EPOCHS: usize = 4;

/// Some lines of an epoch, decoded and in order.
pub(crate) struct Part {
    pub decoded: DecodedEpoch,
    pub sequenced: SequencedLines,
    /// The ticks at the end of the epoch, with its last lines.
    pub ticks: Vec<(u16, Time)>,
}

/// An epoch that every shard has folded.
pub(crate) struct FoldedEpoch {
    /// What each shard has put out, in their order.
    pub rendered: Vec<Rendered>,
    /// Lines folded so far.
    pub lines: u64,
}

/// What stopped a replay before its end.
pub(crate) enum Stopped {
    /// The inputs could not be read on.
    Intake(IntakeError),
    /// A fold panicked.
    Poisoned { partition: u16, offset: u64, progress: Progress },
}

/// The threads with their common state.
pub(crate) struct Crew<'o> {
    options: &'o ReplayOptions,
    state: Mutex<State>,
    /// Told to threads that found nothing to do.
    work: Condvar,
    /// Told to whoever waits for epochs.
    epochs: Condvar,
}

struct State {
    reader: Option<PartReader>,
    sequencer: Option<Sequencer>,
    shards: Vec<Option<Box<Shard>>>,
    /// Parts that wait for their turn to be sequenced, by number.
    decoded: BTreeMap<u64, DecodedEpoch>,
    read: u64,
    sequenced: u64,
    /// Parts that not every shard has folded.
    folding: VecDeque<Folding>,
    folded: u64,
    /// Nothing is left to be read.
    is_read: bool,
    counted: Summary,
    /// Epochs whose signals nobody has taken yet.
    waiting: VecDeque<FoldedEpoch>,
    /// Threads that found nothing to do.
    idle: usize,
    is_over: bool,
    stopped: Option<Stopped>,
}

/// A part that is being folded.
struct Folding {
    part: Arc<Part>,
    shards_left: usize,
    /// What each shard has put out up to here, where an epoch ends.
    rendered: Vec<Rendered>,
}

enum Task {
    Fold(Box<Shard>, Arc<Part>),
    Sequence(Sequencer, DecodedEpoch),
    Read(PartReader, u64),
}

impl<'o> Crew<'o> {
    pub fn new(options: &'o ReplayOptions, reader: PartReader, shards: Vec<Shard>) -> Self {
        let state = State {
            reader: Some(reader),
            sequencer: Some(Sequencer::new(options.partitions)),
            shards: shards.into_iter().map(|shard| Some(Box::new(shard))).collect(),
            decoded: BTreeMap::new(),
            read: 0,
            sequenced: 0,
            folding: VecDeque::new(),
            folded: 0,
            is_read: false,
            counted: Summary::default(),
            waiting: VecDeque::new(),
            idle: 0,
            is_over: false,
            stopped: None,
        };
        Self { options, state: Mutex::new(state), work: Condvar::new(), epochs: Condvar::new() }
    }

    /// Does what there is to do, until all is done.
    pub fn work(&self, thread: usize) {
        let _watch = Watch(self);
        let mut state = self.lock();
        while !state.is_over {
            let Some(task) = state.next_task(thread, self.options.threads.get() as u64 + SPARE_PARTS) else {
                state.idle += 1;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
                continue;
            };
            drop(state);
            state = self.perform(task, thread);
            self.tell(&state);
        }
        self.work.notify_all();
        self.epochs.notify_all();
    }

    /// Tells those who found nothing to do that there may be something. It asks first, since telling costs as much as folding some events.
    fn tell(&self, state: &State) {
        if state.idle > 0 {
            self.work.notify_all();
        }
    }

    /// The next epoch that every shard has folded; nothing at the end.
    pub fn next_epoch(&self) -> Option<FoldedEpoch> {
        let mut state = self.lock();
        loop {
            if let Some(epoch) = state.waiting.pop_front() {
                self.tell(&state);
                return Some(epoch);
            }
            if state.is_over {
                return None;
            }
            state = self.epochs.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Sends the threads home.
    pub fn stop(&self) {
        self.lock().is_over = true;
        self.work.notify_all();
        self.epochs.notify_all();
    }

    /// The shards and counts at the end, or what came in the way.
    pub fn into_result(self) -> Result<(Vec<Shard>, Summary), Stopped> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match state.stopped {
            Some(stopped) => Err(stopped),
            None => Ok((state.shards.into_iter().flatten().map(|shard| *shard).collect(), state.counted)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn perform(&self, task: Task, thread: usize) -> MutexGuard<'_, State> {
        match task {
            Task::Fold(mut shard, part) => {
                shard.fold(&part, thread);
                let mut state = self.lock();
                drop(part);
                if state.put_back(shard) {
                    self.epochs.notify_all();
                }
                state
            }
            Task::Sequence(mut sequencer, decoded) => {
                let sequenced = sequencer.sequence_lines(decoded.lines(), self.options.ingest_clock);
                let raw = decoded.raw();
                let ticks = if raw.is_end { sequencer.end_epoch(raw.is_last) } else { Vec::new() };
                let part = Arc::new(Part { decoded, sequenced, ticks });
                let mut state = self.lock();
                state.sequencer = Some(sequencer);
                state.sequenced += 1;
                let shards_left = state.shards.len();
                let rendered = vec![Rendered::default(); if part.decoded.raw().is_end { shards_left } else { 0 }];
                state.folding.push_back(Folding { part, shards_left, rendered });
                state
            }
            Task::Read(mut reader, number) => {
                let part = reader.next_part();
                let mut state = self.lock();
                let Some(raw) = state.take_read(part, reader) else { return state };
                self.tell(&state);
                drop(state);
                let decoded = DecodedEpoch::decode(raw, &self.options.decoder, false);
                let mut state = self.lock();
                state.decoded.insert(number, decoded);
                state
            }
        }
    }
}

impl State {
    /// The work that is furthest on; nothing when all of it waits for others.
    fn next_task(&mut self, thread: usize, most_parts: u64) -> Option<Task> {
        if let Some(decoded) = self.sequencer.as_ref().and_then(|_| self.decoded.remove(&self.sequenced)) {
            return self.sequencer.take().map(|sequencer| Task::Sequence(sequencer, decoded));
        }
        let ready = |shard: &Option<Box<Shard>>| {
            shard.as_ref().filter(|shard| shard.next_part < self.sequenced).map(|shard| shard.last_thread == thread)
        };
        // A shard that this thread folded last has its customers in this core's cache.
        let own = self.shards.iter().position(|shard| ready(shard) == Some(true));
        let chosen = own.or_else(|| self.shards.iter().position(|shard| ready(shard).is_some()));
        if let Some(shard) = chosen.and_then(|index| self.shards[index].take()) {
            let part = Arc::clone(&self.folding[(shard.next_part - self.folded) as usize].part);
            return Some(Task::Fold(shard, part));
        }
        if self.read - self.folded >= most_parts || self.waiting.len() >= MAX_WAITING_EPOCHS {
            return None;
        }
        let reader = self.reader.take()?;
        self.read += 1;
        Some(Task::Read(reader, self.read - 1))
    }

    /// Takes in what was read; the reader is given back unless it has come to its end.
    fn take_read(&mut self, part: Result<Option<RawEpoch>, IntakeError>, reader: PartReader) -> Option<RawEpoch> {
        match part {
            Ok(Some(part)) => {
                self.is_read = part.is_last;
                self.reader = Some(reader).filter(|_| !part.is_last);
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
    fn put_back(&mut self, mut shard: Box<Shard>) -> bool {
        if let Some((offset, progress)) = shard.poisoned {
            self.stopped = Some(Stopped::Poisoned { partition: shard.number, offset, progress });
            self.is_over = true;
            return true;
        }
        let number = usize::from(shard.number);
        let folding = &mut self.folding[(shard.next_part - self.folded) as usize];
        folding.shards_left -= 1;
        if let Some(rendered) = folding.rendered.get_mut(number) {
            *rendered = std::mem::take(&mut shard.rendered);
        }
        shard.next_part += 1;
        self.shards[number] = Some(shard);
        self.finish_parts()
    }

    /// Lets go of the parts that every shard has folded. Returns whether that ended an epoch, or all.
    fn finish_parts(&mut self) -> bool {
        let epochs = self.waiting.len();
        while let Some(folded) = self.folding.pop_front_if(|first| first.shards_left == 0) {
            self.folded += 1;
            self.count(&folded.part);
            if folded.part.decoded.raw().is_end {
                self.waiting.push_back(FoldedEpoch { rendered: folded.rendered, lines: self.counted.events });
            }
        }
        self.is_over |= self.is_read && self.read == self.folded;
        self.is_over || self.waiting.len() > epochs
    }

    fn count(&mut self, part: &Part) {
        self.counted.events += part.decoded.raw().lines.len() as u64;
        self.counted.journaled += part.sequenced.partitions.iter().map(|records| records.len() as u64).sum::<u64>();
        for (_, rejection) in &part.sequenced.rejected {
            *self.counted.rejected.entry(rejection.reason.code().to_owned()).or_default() += 1;
        }
    }
}

/// Sends everybody home when its thread panics, so that nobody waits for ever.
struct Watch<'c, 'o>(&'c Crew<'o>);

impl Drop for Watch<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}
