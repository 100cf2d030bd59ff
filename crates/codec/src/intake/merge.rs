//! Merges several inputs by (time, input name, line number) and cuts the result into epochs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem;
use std::sync::Arc;
use std::thread;

use super::epoch::EpochBuilder;
use super::followed::Followed;
use super::lines::Step;
use super::renamed::RenamedInput;
use super::source::Source;
use super::{EPOCH_LINES, IDLE, InputPosition, IntakeError, MAX_EPOCH_BYTES, Present, Progress, RawEpoch};

/// All inputs of a run, in the order of their names.
pub(super) struct Merge {
    sources: Vec<Source>,
    names: Arc<[String]>,
    /// Positions of files that are not read in this run, handed on.
    other_positions: Vec<InputPosition>,
    /// Inputs that have other names than when they were read before.
    renamed: Vec<RenamedInput>,
    /// A directory whose present file is the only source.
    followed: Option<Box<Followed>>,
    /// The inputs whose present line waits to be taken, smallest (time, name) first.
    ready: BinaryHeap<Reverse<(i64, u32)>>,
    /// The inputs whose next line is not read yet.
    behind: Vec<u32>,
    next_epoch: u64,
    /// The most lines handed over at once.
    part_lines: usize,
    /// Lines and bytes of the present epoch that were handed over already.
    handed_over: (usize, usize),
    last_text_bytes: usize,
    present: Present,
    progress: Arc<Progress>,
}

impl Merge {
    /// Merges sources, which are sorted by name here so that the order in which they were given does not matter.
    pub fn new(
        mut sources: Vec<Source>,
        other_positions: Vec<InputPosition>,
        next_epoch: u64,
        present: Present,
        progress: Arc<Progress>,
    ) -> Self {
        sources.sort_by(|one, other| one.name.cmp(&other.name));
        let names = sources.iter().map(|source| source.name.clone()).collect();
        let behind = (0..sources.len() as u32).collect();
        let ready = BinaryHeap::with_capacity(sources.len());
        Self {
            sources,
            names,
            other_positions,
            renamed: Vec::new(),
            followed: None,
            ready,
            behind,
            next_epoch,
            part_lines: EPOCH_LINES,
            handed_over: (0, 0),
            last_text_bytes: 0,
            present,
            progress,
        }
    }

    /// Reads the files of a directory one after another.
    pub fn following(self, followed: Followed) -> Self {
        Self { followed: Some(Box::new(followed)), ..self }
    }

    /// Knows which inputs have other names than when they were read before.
    pub fn with_renamed(self, renamed: Vec<RenamedInput>) -> Self {
        Self { renamed, ..self }
    }

    /// Hands epochs over in parts of at most so many lines.
    pub fn in_parts_of(self, part_lines: usize) -> Self {
        Self { part_lines, ..self }
    }

    pub fn names(&self) -> Arc<[String]> {
        Arc::clone(&self.names)
    }

    /// Hands over which inputs have other names than when they were read before.
    pub fn take_renamed(&mut self) -> Vec<RenamedInput> {
        mem::take(&mut self.renamed)
    }

    /// Reads the next epoch, or its next part; nothing when told to stop, or when told to drain and all that has arrived was handed over.
    pub fn next_epoch(&mut self) -> Result<Option<RawEpoch>, IntakeError> {
        let mut epoch = EpochBuilder::with_room(self.part_lines, self.last_text_bytes);
        loop {
            let is_draining = self.progress.is_draining();
            if is_draining {
                self.leave_files();
            }
            let is_idle = !self.catch_up()?;
            if self.progress.is_stopped() {
                return Ok(None);
            }
            if !is_draining && self.ready.is_empty() && self.follow(is_idle, epoch.is_empty())? {
                continue;
            }
            if is_idle || (is_draining && self.ready.is_empty()) {
                match (epoch.is_empty() && self.handed_over.0 == 0, is_draining) {
                    (false, _) => return Ok(Some(self.finish(epoch, true, false))),
                    (true, true) => return Ok(None),
                    (true, false) => continue,
                }
            }
            let is_end = self.ready.is_empty() || self.is_full(&epoch);
            if is_end || epoch.lines() >= self.part_lines {
                let is_last = self.ready.is_empty() && !self.progress.is_draining() && self.is_at_end(&epoch);
                return Ok(Some(self.finish(epoch, is_end, is_last)));
            }
            self.take_line(&mut epoch);
        }
    }

    /// Looks further in a directory that is followed, when there is no line to take; true if there may be one now, or if it is worth waiting for.
    fn follow(&mut self, is_idle: bool, is_empty: bool) -> Result<bool, IntakeError> {
        let Some(followed) = &mut self.followed else { return Ok(false) };
        let position = self.sources.first().and_then(Source::position);
        if is_idle {
            position.map(|position| followed.look(position)).transpose()?;
            return Ok(false);
        }
        // Lines of two files are never in one epoch: its lines and its position tell of the file by its one name.
        if !is_empty || self.handed_over.0 > 0 {
            return Ok(false);
        }
        match followed.next(position, &self.progress)? {
            Some(source) => {
                self.names = [source.name.clone()].into();
                self.sources = vec![source];
                self.behind = vec![0];
                Ok(true)
            }
            None => {
                // Its last file is among those that are read.
                self.sources.clear();
                let waits = !followed.is_once();
                if waits {
                    thread::sleep(IDLE);
                }
                Ok(waits)
            }
        }
    }

    /// Reads the next line of every input whose last one was taken; false when one has to be waited for.
    fn catch_up(&mut self) -> Result<bool, IntakeError> {
        let by_time = self.sources.len() > 1;
        while let Some(&index) = self.behind.last() {
            let source = &mut self.sources[index as usize];
            match source.advance(by_time, &mut self.present, &self.progress)? {
                Step::Idle => return Ok(false),
                Step::Line => self.ready.push(Reverse((source.key_ms(), index))),
                Step::End => {}
            }
            self.behind.pop();
        }
        Ok(true)
    }

    /// Reads no further in files, whose positions stay before their present lines, and behind those that were taken.
    fn leave_files(&mut self) {
        self.behind.iter().for_each(|index| self.sources[*index as usize].leave());
        let sources = &self.sources;
        self.ready.retain(|Reverse((_, index))| sources[*index as usize].is_standard_input());
        self.behind.retain(|index| sources[*index as usize].is_standard_input());
    }

    /// Whether nothing follows an epoch behind which no line waits.
    fn is_at_end(&self, epoch: &EpochBuilder) -> bool {
        self.followed.is_none() || (epoch.is_empty() && self.handed_over.0 == 0)
    }

    fn take_line(&mut self, epoch: &mut EpochBuilder) {
        let Some(Reverse((_, index))) = self.ready.pop() else { return };
        let (lines, bytes) = self.room();
        let is_alone = self.sources.len() == 1;
        let source = &mut self.sources[index as usize];
        if let Some(line) = source.take() {
            epoch.push(index, line);
        }
        // There is nothing to merge with.
        while is_alone && epoch.lines() < lines && epoch.bytes() < bytes {
            let Some(line) = source.take_buffered() else { break };
            epoch.push(index, line);
        }
        self.behind.push(index);
    }

    /// The lines at which the present part ends, and the bytes at which the epoch does.
    fn room(&self) -> (usize, usize) {
        let (lines, bytes) = self.handed_over;
        (self.part_lines.min(EPOCH_LINES - lines), MAX_EPOCH_BYTES.saturating_sub(bytes))
    }

    /// Whether the present epoch ends with these lines.
    fn is_full(&self, part: &EpochBuilder) -> bool {
        let (lines, bytes) = self.handed_over;
        lines + part.lines() >= EPOCH_LINES || bytes + part.bytes() >= MAX_EPOCH_BYTES
    }

    fn finish(&mut self, epoch: EpochBuilder, is_end: bool, is_last: bool) -> RawEpoch {
        let present = self.sources.iter().filter_map(Source::position);
        let read = self.followed.iter().flat_map(|followed| followed.read());
        let positions = present.chain(&self.other_positions).chain(read).cloned().collect();
        let epoch = epoch.finish(self.next_epoch, self.names(), positions, is_end, is_last);
        let (lines, bytes) = self.handed_over;
        self.handed_over = (lines + epoch.lines.len(), bytes + epoch.text.len());
        if is_end {
            self.next_epoch += 1;
            self.handed_over = (0, 0);
        }
        self.last_text_bytes = epoch.text.len();
        epoch
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;

    use super::super::InputSpec;
    use super::super::reader::merge;
    use super::*;

    /// A stop may come when a line of a file is taken and the next one is not looked at: the line is part of the epoch, so it is behind the position.
    #[test]
    fn files_that_are_left_stand_behind_the_lines_that_were_taken() {
        let directory = tempfile::tempdir().unwrap();
        let paths = ["a.jsonl", "b.jsonl"].map(|name| directory.path().join(name));
        paths.iter().for_each(|path| fs::write(path, "{}\n{}\n").unwrap());
        let inputs = paths.each_ref().map(|path| InputSpec::from(path.as_path()));
        let mut merge = merge(&inputs, None, Present::new(|| None), Box::new(io::empty()), &Arc::default()).unwrap();
        assert!(merge.catch_up().unwrap());
        let mut epoch = EpochBuilder::default();
        merge.take_line(&mut epoch);
        merge.leave_files();
        let epoch = merge.finish(epoch, true, false);
        assert_eq!(epoch.lines.len(), 1);
        assert_eq!(epoch.positions.iter().map(|position| (position.offset, position.line)).collect::<Vec<_>>(), [(3, 1), (0, 0)]);
    }
}
