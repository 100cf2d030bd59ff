//! Merges several tables by (journal time, or else time; input name; row) and cuts the result into epochs, as lines are.

use std::path::PathBuf;
use std::sync::Arc;

use bellwether_engine::time::Time;

use super::batch::Batch;
use super::file::TableFile;
use super::rows::{RawRows, Stretch};
use crate::intake::{EPOCH_LINES, InputProblem, IntakeError, Present, Progress};

/// Tables that are being read, in the order of their names.
pub(crate) struct TableMerge {
    sources: Vec<Source>,
    part_rows: usize,
    /// Rows of the present epoch that were handed over already.
    handed_over: usize,
    present: Present,
    progress: Arc<Progress>,
}

/// A table with its present rows.
struct Source {
    name: String,
    /// Gone once it is at its end.
    file: Option<TableFile>,
    /// Nothing is read yet: the key is only the least that it can be.
    is_unread: bool,
    batch: Option<Arc<Batch>>,
    row: usize,
    /// The largest time of its rows so far, the present one included.
    key: Time,
    bytes_read: u64,
}

impl TableMerge {
    /// Opens tables, given by name and path.
    ///
    /// # Errors
    ///
    /// Every table that cannot be read is listed.
    pub(crate) fn open(
        files: Vec<(String, PathBuf)>,
        part_rows: usize,
        present: Present,
        progress: Arc<Progress>,
    ) -> Result<Self, IntakeError> {
        let (mut sources, mut problems) = (Vec::new(), Vec::new());
        for (name, path) in files {
            match TableFile::open(&path) {
                Ok(file) => {
                    progress.add_total(std::fs::metadata(&path).map_or(0, |metadata| metadata.len()));
                    let key = file.earliest().unwrap_or(Time::MIN);
                    sources.push(Source { name, file: Some(file), is_unread: true, batch: None, row: 0, key, bytes_read: 0 });
                }
                Err(problem) => problems.push(InputProblem { input: name, problem }),
            }
        }
        sources.sort_by(|one, other| one.name.cmp(&other.name));
        if problems.is_empty() {
            Ok(Self { sources, part_rows, handed_over: 0, present, progress })
        } else {
            Err(IntakeError::Unreadable(problems))
        }
    }

    /// The next rows. The last ones say so; there are none after them.
    ///
    /// # Errors
    ///
    /// A table that is damaged further on.
    pub(crate) fn next_part(&mut self) -> Result<RawRows, IntakeError> {
        let mut part = RawRows::default();
        let wanted = self.part_rows.min(EPOCH_LINES - self.handed_over);
        let mut rows = 0;
        while rows < wanted
            && let Some(first) = self.first()?
        {
            let until = self.sources.iter().enumerate().filter(|(index, source)| *index != first && source.is_open());
            let until = until.map(|(index, source)| (source.key, index)).min();
            let source = &mut self.sources[first];
            let stretch = source.take(first, until, wanted - rows, &mut self.present);
            let problem = source.catch_up(&mut self.present, &self.progress);
            rows += stretch.rows.len();
            part.stretches.push(stretch);
            problem.map_err(IntakeError::Table)?;
        }
        part.is_last = self.first()?.is_none();
        self.handed_over += rows;
        part.is_end = part.is_last || self.handed_over >= EPOCH_LINES;
        if part.is_end {
            self.handed_over = 0;
        }
        Ok(part)
    }

    /// The table whose present row is next.
    fn first(&mut self) -> Result<Option<usize>, IntakeError> {
        loop {
            let open = self.sources.iter().enumerate().filter(|(_, source)| source.is_open());
            let Some((_, index)) = open.map(|(index, source)| (source.key, index)).min() else { return Ok(None) };
            let source = &mut self.sources[index];
            if !source.is_unread {
                return Ok(Some(index));
            }
            source.begin(&mut self.present, &self.progress).map_err(IntakeError::Table)?;
        }
    }
}

impl Source {
    fn is_open(&self) -> bool {
        self.is_unread || self.batch.is_some()
    }

    /// Reads the first rows, of which the key is then known.
    fn begin(&mut self, present: &mut Present, progress: &Progress) -> Result<(), InputProblem> {
        self.is_unread = false;
        self.key = Time::MIN;
        self.catch_up(present, progress)
    }

    /// Takes rows up to the first one that is not before `until`, the present one in any case.
    fn take(&mut self, index: usize, until: Option<(Time, usize)>, most: usize, present: &mut Present) -> Stretch {
        let Some(batch) = self.batch.clone() else { unreachable!("it is open") };
        let from = self.row;
        let most = most.min(batch.rows - from);
        self.row = match until {
            // Nobody to merge with.
            None => from + most,
            Some(until) => {
                let mut row = from + 1;
                while row < from + most {
                    let key = self.key.max(arrival(&batch, row, present));
                    if (key, index) >= until {
                        break;
                    }
                    self.key = key;
                    row += 1;
                }
                row
            }
        };
        Stretch { rows: from..self.row, batch }
    }

    /// Sees to it that there is a present row, unless the table is at its end, and to its key.
    fn catch_up(&mut self, present: &mut Present, progress: &Progress) -> Result<(), InputProblem> {
        while self.batch.as_ref().is_none_or(|batch| self.row >= batch.rows) {
            self.row = 0;
            self.batch = None;
            let Some(file) = &mut self.file else { return Ok(()) };
            let batch = file.next_batch().map_err(|problem| InputProblem { input: self.name.clone(), problem })?;
            progress.add(file.bytes_read() - std::mem::replace(&mut self.bytes_read, file.bytes_read()));
            match batch {
                Some(batch) => self.batch = Some(Arc::new(batch)),
                None => self.file = None,
            }
        }
        if let Some(batch) = &self.batch {
            self.key = self.key.max(arrival(batch, self.row, present));
        }
        Ok(())
    }
}

/// When a row arrived, unless it has no time, or one that will be refused: such a row follows the one before at once. What was journaled before
/// is not refused any more.
fn arrival(batch: &Batch, row: usize, present: &mut Present) -> Time {
    let admitted = batch.arrival(row).filter(|time| batch.has_journal_time() || present.admits(time.0));
    admitted.unwrap_or(Time::MIN)
}
