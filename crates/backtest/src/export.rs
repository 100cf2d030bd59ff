//! Writes logs as tables: one Parquet file, or a directory with one for each month.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use bellwether_codec::table::{TABLE_EXTENSION, TableError, TableWriter};
use bellwether_engine::event::Event;
use bellwether_engine::time::Time;

use crate::error::ReplayError;
use crate::merged::{Entry, Logs, Merged};
use crate::months::{month_of, name_of};

/// What a file has behind its name until it is whole.
const UNFINISHED: &str = "unfinished";

/// Where tables go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportTo {
    /// One file.
    File(PathBuf),
    /// A directory that is new or empty: a file for each month of journal time, such as `2026-03.parquet`.
    Months(PathBuf),
}

/// Why logs could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The logs.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A table.
    #[error("{path}: {error}", path = .path.display())]
    Table {
        /// Its file.
        path: PathBuf,
        /// What happened.
        error: TableError,
    },
    /// A file or directory.
    #[error("cannot write {path}: {error}", path = .path.display())]
    Output {
        /// Which one.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Files.
    pub files: u64,
    /// What was read.
    pub merged: Merged,
}

/// Writes all events of the logs.
///
/// # Errors
///
/// When a log cannot be read, or a table cannot be written; files that are whole already stay.
pub fn export(logs: &Logs<'_>, to: &ExportTo, stop: &AtomicBool) -> Result<Exported, ExportError> {
    let mut tables = Tables { to, open: None, files: 0 };
    if let ExportTo::Months(directory) = to {
        fs::create_dir_all(directory).map_err(|error| ExportError::Output { path: directory.clone(), error })?;
    }
    let merged = logs.read(stop, |entry, time| match entry {
        Entry::Event(event, _) => tables.push(event, time),
        _ => Ok(()),
    })?;
    if tables.open.is_none() && matches!(to, ExportTo::File(_)) {
        tables.open_for(Time(0))?;
    }
    tables.close()?;
    Ok(Exported { files: tables.files, merged })
}

struct Tables<'t> {
    to: &'t ExportTo,
    open: Option<OpenTable>,
    files: u64,
}

/// A table that is being written.
struct OpenTable {
    path: PathBuf,
    /// The month that it is for, where there is a table for each.
    month: i32,
    writer: TableWriter<BufWriter<File>>,
}

impl Tables<'_> {
    fn push(&mut self, event: &Event<'_>, time: Time) -> Result<(), ExportError> {
        if self.open.as_ref().is_none_or(|open| matches!(self.to, ExportTo::Months(_)) && open.month != month_of(time)) {
            self.close()?;
            self.open_for(time)?;
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.writer.push(event, time).map_err(|error| ExportError::Table { path: open.path.clone(), error })
    }

    fn open_for(&mut self, time: Time) -> Result<(), ExportError> {
        let month = month_of(time);
        let path = match self.to {
            ExportTo::File(path) => path.clone(),
            ExportTo::Months(directory) => directory.join(name_of(month)).with_extension(TABLE_EXTENSION),
        };
        let file = File::create(unfinished(&path)).map_err(|error| ExportError::Output { path: path.clone(), error })?;
        let writer = TableWriter::new(BufWriter::new(file)).map_err(|error| ExportError::Table { path: path.clone(), error })?;
        self.open = Some(OpenTable { path, month, writer });
        Ok(())
    }

    /// Ends the table that is open. Only now does it have its name.
    fn close(&mut self) -> Result<(), ExportError> {
        let Some(OpenTable { path, writer, .. }) = self.open.take() else { return Ok(()) };
        let buffered = writer.finish().map_err(|error| ExportError::Table { path: path.clone(), error })?;
        let finish = || buffered.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all();
        finish().and_then(|()| fs::rename(unfinished(&path), &path)).map_err(|error| ExportError::Output { path, error })?;
        self.files += 1;
        Ok(())
    }
}

/// What is not whole does not stay.
impl Drop for Tables<'_> {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            // There is an error to tell already.
            drop(fs::remove_file(unfinished(&open.path)));
        }
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(UNFINISHED);
    name.into()
}
