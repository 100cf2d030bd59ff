//! Merges several inputs by (time, input name, line number) and cuts the result into epochs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::epoch::EpochBuilder;
use super::lines::Step;
use super::source::Source;
use super::{InputPosition, IntakeError, Progress, RawEpoch};

/// All inputs of a run, in the order of their names.
pub(super) struct Merge {
    sources: Vec<Source>,
    names: Arc<[String]>,
    /// Positions of files that are not read in this run, handed on.
    other_positions: Vec<InputPosition>,
    /// The inputs whose present line waits to be taken, smallest (time, name) first.
    ready: BinaryHeap<Reverse<(i64, u32)>>,
    /// The inputs whose next line is not read yet.
    behind: Vec<u32>,
    next_epoch: u64,
    epoch_text_bytes: usize,
    progress: Arc<Progress>,
}

impl Merge {
    /// Merges sources, which are sorted by name here so that the order in which they were given does not matter.
    pub fn new(mut sources: Vec<Source>, other_positions: Vec<InputPosition>, next_epoch: u64, progress: Arc<Progress>) -> Self {
        sources.sort_by(|one, other| one.name.cmp(&other.name));
        let names = sources.iter().map(|source| source.name.clone()).collect();
        let behind = (0..sources.len() as u32).collect();
        let ready = BinaryHeap::with_capacity(sources.len());
        Self { sources, names, other_positions, ready, behind, next_epoch, epoch_text_bytes: 0, progress }
    }

    pub fn names(&self) -> Arc<[String]> {
        Arc::clone(&self.names)
    }

    /// Reads the next epoch; nothing when told to stop, or when told to drain and all that has arrived was handed over.
    pub fn next_epoch(&mut self) -> Result<Option<RawEpoch>, IntakeError> {
        let mut epoch = EpochBuilder::with_room(self.epoch_text_bytes);
        loop {
            let is_draining = self.progress.is_draining();
            if is_draining {
                self.leave_files();
            }
            let is_idle = !self.catch_up()?;
            if self.progress.is_stopped() {
                return Ok(None);
            }
            if is_idle || (is_draining && self.ready.is_empty()) {
                match (epoch.is_empty(), is_draining) {
                    (false, _) => return Ok(Some(self.finish(epoch, false))),
                    (true, true) => return Ok(None),
                    (true, false) => continue,
                }
            }
            if self.ready.is_empty() || epoch.is_full() {
                let is_last = self.ready.is_empty() && !self.progress.is_draining();
                return Ok(Some(self.finish(epoch, is_last)));
            }
            self.take_line(&mut epoch);
        }
    }

    /// Reads the next line of every input whose last one was taken; false when one has to be waited for.
    fn catch_up(&mut self) -> Result<bool, IntakeError> {
        let by_time = self.sources.len() > 1;
        while let Some(&index) = self.behind.last() {
            let source = &mut self.sources[index as usize];
            match source.advance(by_time, &self.progress)? {
                Step::Idle => return Ok(false),
                Step::Line => self.ready.push(Reverse((source.key_ms(), index))),
                Step::End => {}
            }
            self.behind.pop();
        }
        Ok(true)
    }

    /// Reads no further in files, whose positions stay before their present lines.
    fn leave_files(&mut self) {
        let sources = &self.sources;
        self.ready.retain(|Reverse((_, index))| sources[*index as usize].is_standard_input());
        self.behind.retain(|index| sources[*index as usize].is_standard_input());
    }

    fn take_line(&mut self, epoch: &mut EpochBuilder) {
        let Some(Reverse((_, index))) = self.ready.pop() else { return };
        if let Some(line) = self.sources[index as usize].take() {
            epoch.push(index, line);
        }
        self.behind.push(index);
    }

    fn finish(&mut self, epoch: EpochBuilder, is_last: bool) -> RawEpoch {
        let present = self.sources.iter().filter_map(Source::position);
        let positions = present.chain(&self.other_positions).cloned().collect();
        let epoch = epoch.finish(self.next_epoch, self.names(), positions, is_last);
        self.next_epoch += 1;
        self.epoch_text_bytes = epoch.text.len();
        epoch
    }
}
