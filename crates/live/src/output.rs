//! Output files that are appended to exactly once: at start they are cut back to their committed length.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::error::LiveError;

/// A file and how much of it counts.
pub struct OutputFile {
    path: PathBuf,
    file: File,
    length: u64,
    unsynced: bool,
}

impl OutputFile {
    /// Opens or creates a file, and drops what was written after the last commit.
    pub fn open(path: &Path, committed: u64) -> Result<Self, LiveError> {
        let error = |error| LiveError::Output { path: path.to_owned(), error };
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            std::fs::create_dir_all(parent).map_err(error)?;
        }
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(error)?;
        let found = file.metadata().map_err(error)?.len();
        if found < committed {
            return Err(LiveError::OutputTooShort { path: path.to_owned(), found, committed });
        }
        file.set_len(committed).map_err(error)?;
        if committed == 0 {
            // The file may be new: its name must be on the disk before anything counts that is in it.
            sync_directory(path).map_err(error)?;
        }
        file.seek(SeekFrom::Start(committed)).map_err(error)?;
        Ok(Self { path: path.to_owned(), file, length: committed, unsynced: false })
    }

    /// Appends bytes; they count once their length is committed.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), LiveError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.file.write_all(bytes).map_err(|error| self.error(error))?;
        self.length += bytes.len() as u64;
        self.unsynced = true;
        Ok(())
    }

    /// Waits until what was appended is on the disk.
    pub fn sync(&mut self) -> Result<(), LiveError> {
        if std::mem::take(&mut self.unsynced) {
            self.file.sync_data().map_err(|error| self.error(error))?;
        }
        Ok(())
    }

    /// The length that the next commit covers.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn error(&self, error: std::io::Error) -> LiveError {
        LiveError::Output { path: self.path.clone(), error }
    }
}

/// Waits until the names in the directory of a file are on the disk.
fn sync_directory(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

/// Where signals and decisions go.
pub enum SignalOutput {
    /// Two files.
    Files {
        /// Signals.
        signals: OutputFile,
        /// Decisions.
        decisions: OutputFile,
    },
    /// Standard output, at least once; decisions are dropped.
    StandardOutput,
}

impl SignalOutput {
    /// Appends lines of both kinds.
    pub fn append(&mut self, signal_lines: &[u8], decision_lines: &[u8]) -> Result<(), LiveError> {
        match self {
            SignalOutput::Files { signals, decisions } => {
                signals.append(signal_lines)?;
                decisions.append(decision_lines)
            }
            SignalOutput::StandardOutput => std::io::stdout()
                .write_all(signal_lines)
                .map_err(|error| LiveError::Output { path: PathBuf::from("standard output"), error }),
        }
    }

    /// Waits until it is on the disk.
    pub fn sync(&mut self) -> Result<(), LiveError> {
        match self {
            SignalOutput::Files { signals, decisions } => {
                signals.sync()?;
                decisions.sync()
            }
            SignalOutput::StandardOutput => {
                std::io::stdout().flush().map_err(|error| LiveError::Output { path: PathBuf::from("standard output"), error })
            }
        }
    }

    /// Lengths of both files for the commit. Standard output has none: those of files of other runs stay as they are.
    pub fn lengths(&self) -> Option<(u64, u64)> {
        match self {
            SignalOutput::Files { signals, decisions } => Some((signals.length(), decisions.length())),
            SignalOutput::StandardOutput => None,
        }
    }
}
