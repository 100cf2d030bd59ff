//! The threads of a replay: whoever is free does the work that is furthest on, so that lines are folded while a core's cache still holds them.
//!
//! A part is read, decoded, given its order, and folded by every shard. Reader, sequencer and shards are each there once: a thread takes one out of
//! the common state to work with it. One thread alone therefore takes part after part from the file to its signals, and many threads do
//! not wait for each other as long as any of them finds something to do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use bellwether_codec::intake::{DecodedPart, PartReader, Sequencer};
use bellwether_codec::run::Skipped;
use bellwether_codec::summary::Summary;
use bellwether_engine::time::Time;

use crate::error::ReplayError;
use crate::part::{PART_LINES, Part, Poisoned, Shard};
use crate::replay::{MAX_POISONED, ReplayOptions, Sink};
use crate::told::{Told, Writer};

mod state;

use state::{FoldedEpoch, Folding, Place, State, Stopped, Task};

/// How often somebody who waits for an epoch looks whether to stop.
const STOP_CHECK: Duration = Duration::from_millis(50);

/// A log that is folded to its end.
pub(crate) struct Folded<S> {
    /// The shards, by partition.
    pub shards: Vec<S>,
    /// Lines read and rejected, and what was put out.
    pub counted: Summary,
    /// Whether it was left where a shard had no more room for customers.
    pub is_full: bool,
}

/// Folds the inputs from their start to their end, or until `stop` is set or a shard is full; what is behind `until` is not counted. `shards` makes the shards anew when a record has panicked the fold.
///
/// # Errors
///
/// When an input cannot be read, the sink cannot be written, or too many records cannot be folded.
pub(crate) fn fold<S: Shard>(
    options: &ReplayOptions,
    until: Time,
    shards: impl Fn(&[Skipped]) -> Vec<S>,
    sink: &mut impl Sink,
    stop: &AtomicBool,
) -> Result<Folded<S>, ReplayError> {
    let mut skipped: Vec<Skipped> = vec![Skipped::default(); usize::from(options.partitions)];
    loop {
        let (partition, (offset, progress)) = match attempt(options, until, shards(&skipped), sink, stop)? {
            Ok(folded) => return Ok(folded),
            Err(poisoned) => poisoned,
        };
        tracing::error!(partition, offset, "folding panicked: starting again without the record, or without its review");
        let is_new = skipped[partition].add(offset, progress);
        if !is_new || skipped.iter().map(Skipped::len).sum::<usize>() > MAX_POISONED {
            return Err(ReplayError::TooManyPoisoned { limit: MAX_POISONED });
        }
        sink.restart().map_err(ReplayError::Output)?;
    }
}

fn attempt<S: Shard>(
    options: &ReplayOptions,
    until: Time,
    shards: Vec<S>,
    sink: &mut impl Sink,
    stop: &AtomicBool,
) -> Result<Result<Folded<S>, (usize, Poisoned)>, ReplayError> {
    let reader = PartReader::open(&options.inputs, PART_LINES, options.ingest_clock)?;
    let progress = reader.progress();
    let crew = Crew::new(options, until, reader, shards, stop);
    let mut writer = Writer::new(sink);
    thread::scope(|scope| {
        let crew = &crew;
        (0..options.threads.get()).for_each(|thread| drop(scope.spawn(move || crew.work(thread))));
        while let Some(epoch) = crew.next_epoch(|| progress.drain()) {
            writer.write(epoch.told).inspect_err(|_| crew.stop())?;
            writer.sink.progress(progress.bytes_read(), progress.bytes_total(), epoch.lines);
        }
        Ok::<_, std::io::Error>(())
    })
    .map_err(ReplayError::Output)?;
    let state = crew.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let watermark = state.sequencer.map_or(Time::MIN, |sequencer| sequencer.watermark());
    match state.stopped {
        Some(Stopped::Intake(error)) => return Err(error.into()),
        Some(Stopped::Poisoned(partition, poisoned)) => return Ok(Err((partition, poisoned))),
        Some(Stopped::Full) | None => {}
    }
    let is_full = matches!(state.stopped, Some(Stopped::Full));
    let mut shards: Vec<S> = state.places.into_iter().flatten().map(|place| place.shard).collect();
    for (partition, shard) in shards.iter_mut().enumerate() {
        if let Err(poisoned) = shard.end(watermark) {
            return Ok(Err((partition, poisoned)));
        }
    }
    writer.write(shards.iter_mut().map(Shard::take).collect()).map_err(ReplayError::Output)?;
    Ok(Ok(Folded { shards, counted: Summary { signals: writer.signals(), ..state.counted }, is_full }))
}

/// The threads with their common state.
struct Crew<'o, S> {
    options: &'o ReplayOptions,
    /// Lines behind this are not counted: how many are read ahead is chance.
    until: Time,
    stop: &'o AtomicBool,
    state: Mutex<State<S>>,
    /// Told to threads that found nothing to do.
    work: Condvar,
    /// Told to whoever waits for epochs.
    epochs: Condvar,
}

impl<'o, S: Shard> Crew<'o, S> {
    fn new(options: &'o ReplayOptions, until: Time, reader: PartReader, shards: Vec<S>, stop: &'o AtomicBool) -> Self {
        let place = |(number, shard)| Some(Box::new(Place { number, next_part: 0, last_thread: 0, shard }));
        let state = State {
            reader: Some(reader),
            sequencer: Some(Sequencer::new(options.partitions)),
            places: shards.into_iter().enumerate().map(place).collect(),
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
        Self { options, until, stop, state: Mutex::new(state), work: Condvar::new(), epochs: Condvar::new() }
    }

    /// Does what there is to do, until all is done.
    fn work(&self, thread: usize) {
        let _watch = Watch(self);
        let mut state = self.lock();
        while !state.is_over {
            let Some(task) = state.next_task(thread, self.options.threads.get() as u64) else {
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
    fn tell(&self, state: &State<S>) {
        if state.idle > 0 {
            self.work.notify_all();
        }
    }

    /// The next epoch that every shard has folded; nothing at the end. `drain` is called once the word to stop has been given.
    fn next_epoch(&self, drain: impl Fn()) -> Option<FoldedEpoch> {
        let mut state = self.lock();
        loop {
            if let Some(epoch) = state.waiting.pop_front() {
                self.tell(&state);
                return Some(epoch);
            }
            if state.is_over {
                return None;
            }
            if self.stop.load(Ordering::Relaxed) {
                drain();
            }
            state = self.epochs.wait_timeout(state, STOP_CHECK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sends the threads home.
    fn stop(&self) {
        self.lock().is_over = true;
        self.work.notify_all();
        self.epochs.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn perform(&self, task: Task<S>, thread: usize) -> MutexGuard<'_, State<S>> {
        match task {
            Task::Fold(mut place, part) => {
                let folded = place.shard.fold(&part);
                let told = if part.decoded.is_end() { place.shard.take() } else { Told::default() };
                drop(part);
                place.last_thread = thread;
                let mut state = self.lock();
                if state.put_back(place, folded, told) {
                    self.epochs.notify_all();
                }
                state
            }
            Task::Sequence(mut sequencer, decoded) => {
                let part = Arc::new(Part::new(decoded, &mut sequencer, self.options.ingest_clock, self.until));
                let mut state = self.lock();
                state.sequencer = Some(sequencer);
                state.sequenced += 1;
                let shards_left = state.places.len();
                let told = vec![Told::default(); if part.decoded.is_end() { shards_left } else { 0 }];
                state.folding.push_back(Folding { part, shards_left, told });
                state
            }
            Task::Read(mut reader, number) => {
                let part = if self.stop.load(Ordering::Relaxed) { Ok(None) } else { reader.next_part() };
                let mut state = self.lock();
                let Some(raw) = state.take_read(part, reader) else { return state };
                self.tell(&state);
                drop(state);
                let decoded = DecodedPart::decode(raw, &self.options.decoder, false);
                let mut state = self.lock();
                state.decoded.insert(number, decoded);
                state
            }
        }
    }
}

/// Sends everybody home when its thread panics, so that nobody waits for ever.
struct Watch<'c, 'o, S: Shard>(&'c Crew<'o, S>);

impl<S: Shard> Drop for Watch<'_, '_, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}
