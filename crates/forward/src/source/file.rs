//! A signals file that grows. Its position is a number of bytes, kept in a small file of our own.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Body, Item, Lag, Turn};
use crate::config::Start;
use crate::error::ForwardError;
use crate::lanes::Stop;
use crate::notice::{Place, is_erased};
use crate::storage;
use crate::tracker::Tracker;

/// A longer line is no signal.
pub(crate) const MAX_LINE_BYTES: usize = 4 << 20;

/// After a crash the product cuts its file back to what is committed, and writes the same lines again: so long a shorter file is waited for.
const SHORTER_FOR: Duration = Duration::from_secs(60);

/// The only partition of a file.
const ONLY: i32 = 0;

/// A file at work.
pub(crate) struct FileSource {
    path: PathBuf,
    route: String,
    state: PathBuf,
    stop: Stop,
    offset: u64,
    /// Whether what lies before the offset is still to be looked at.
    is_unproven: bool,
    shorter_since: Option<Instant>,
}

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    path: PathBuf,
    offset: u64,
}

impl FileSource {
    /// Goes on where an earlier run was, or begins.
    pub fn open(path: &Path, route: &str, state: PathBuf, start: Start, stop: Stop, tracker: &mut Tracker) -> Result<Self, ForwardError> {
        let kept = storage::load::<Kept>(&state)?;
        if let Some(Kept { path: known, offset }) = kept.as_ref().filter(|kept| is_another(&kept.path, path)) {
            let problem = format!("that one was {}", known.display());
            return Err(ForwardError::Changed { path: path.to_owned(), route: route.to_owned(), offset: *offset, problem, state });
        }
        let is_kept = kept.is_some();
        let offset = match (kept, start) {
            (Some(kept), _) => kept.offset,
            (None, Start::Beginning) => 0,
            (None, Start::End) => last_line_end(path).map_err(|error| ForwardError::Signals { path: path.to_owned(), error })?,
        };
        tracker.begin(ONLY, offset, 0, is_kept);
        Ok(Self { path: path.to_owned(), route: route.to_owned(), state, stop, offset, is_unproven: true, shorter_since: None })
    }

    pub fn read(&mut self, room: usize, wait: Duration, tracker: &mut Tracker) -> Result<Turn, ForwardError> {
        let bytes = if room == 0 { Vec::new() } else { self.next_bytes()? };
        let mut turn = Turn { items: Vec::new(), is_at_end: room > 0 && !bytes.contains(&b'\n') };
        if !bytes.contains(&b'\n') && bytes.len() >= MAX_LINE_BYTES {
            return Err(self.changed("it has a line that is far too long for a signal"));
        }
        for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")).take(room) {
            let next = self.offset + line.len() as u64;
            let text = &line[..line.len() - 1];
            let body = if is_erased(text) { Body::Nothing } else { Body::Signal(text.to_vec()) };
            turn.items.push(Item { place: Place { partition: ONLY, offset: self.offset, next, generation: 0, appended_ms: None }, body });
            self.offset = next;
        }
        if turn.items.is_empty() {
            self.stop.sleep(wait);
        }
        let _ = tracker;
        Ok(turn)
    }

    pub fn lag(&self, tracker: &Tracker) -> Option<Lag> {
        let length = match std::fs::metadata(&self.path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(_) => return None,
        };
        let (settled, _) = tracker.settled_to(ONLY)?;
        Some(Lag { bytes: Some(length.saturating_sub(settled)), ..Lag::default() })
    }

    pub fn keep(&mut self, positions: &[(i32, u64)]) -> Result<bool, ForwardError> {
        for (_, offset) in positions {
            // Told from a name by whatever directory the next start is in.
            let path = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
            storage::replace(&self.state, &Kept { path, offset: *offset })?;
        }
        Ok(true)
    }

    /// What stands behind the offset, if anything.
    fn next_bytes(&mut self) -> Result<Vec<u8>, ForwardError> {
        let failed = |error| ForwardError::Signals { path: self.path.clone(), error };
        let mut file = match File::open(&self.path) {
            // Nobody has written a signal yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.offset == 0 => return Ok(Vec::new()),
            file => file.map_err(failed)?,
        };
        if file.metadata().map_err(failed)?.len() < self.offset {
            let since = *self.shorter_since.get_or_insert_with(|| {
                tracing::warn!(path = %self.path.display(), offset = self.offset, "the signals file is shorter than what was read of it");
                Instant::now()
            });
            self.is_unproven = true;
            return if since.elapsed() < SHORTER_FOR { Ok(Vec::new()) } else { Err(self.changed("it is shorter")) };
        }
        self.shorter_since = None;
        if std::mem::take(&mut self.is_unproven) && self.offset > 0 {
            let mut before = [0];
            file.seek(SeekFrom::Start(self.offset - 1)).and_then(|_| file.read_exact(&mut before)).map_err(failed)?;
            if before != *b"\n" {
                return Err(self.changed("no line ends there"));
            }
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.offset)).map_err(failed)?;
        file.take(MAX_LINE_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }

    fn changed(&self, problem: &str) -> ForwardError {
        let Self { path, route, state, offset, .. } = self;
        ForwardError::Changed {
            path: path.clone(),
            route: route.clone(),
            offset: *offset,
            problem: problem.to_owned(),
            state: state.clone(),
        }
    }
}

/// Whether a file is not the one that was read, however both paths are spelt. One that is not there any more was moved: what is read of the other one is
/// held against the offset then.
fn is_another(known: &Path, path: &Path) -> bool {
    let found = [known, path].map(std::fs::canonicalize);
    match found {
        [Ok(known), Ok(path)] => known != path,
        [Err(error), _] if error.kind() == io::ErrorKind::NotFound => false,
        _ => known != path,
    }
}

/// Where the last whole line ends; 0 where there is no file.
fn last_line_end(path: &Path) -> io::Result<u64> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file?,
    };
    let from = file.metadata()?.len().saturating_sub(MAX_LINE_BYTES as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| from + at as u64 + 1))
}
