//! A directory that is followed: its files are read one after another, in the order of their names, each to its end.
//!
//! A file is complete once there is one with a later name; until then it may grow at its end. Names only ascend, and what was read never changes:
//! where that is broken, reading stops with an error, since going on would lose events or take them twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::input::{FileInput, Packing, packing_of};
use super::renamed::{self, RenamedInput};
use super::source::{Refusal, Source};
use super::{InputPosition, InputProblem, IntakeError, MAX_FOLLOWED_FILES, Progress};

/// The directory, and how far it is read.
pub(super) struct Followed {
    directory: PathBuf,
    /// Whether reading ends with what is there.
    once: bool,
    /// Files of it that were read, by name. Those that are moved away are forgotten, but for the last one.
    read: BTreeMap<String, InputPosition>,
    /// The file that is being read.
    present: Option<Present>,
}

struct Present {
    name: String,
    /// Set once there is a later file: then the end of this one is its end.
    is_complete: Arc<AtomicBool>,
}

impl Followed {
    /// Looks at the directory. Positions of an earlier run that belong to it are taken out of `earlier`, also those of files that had other names, as
    /// when the directory had: these are told.
    pub fn open(
        directory: &Path,
        once: bool,
        earlier: &mut BTreeMap<String, InputPosition>,
    ) -> Result<(Self, Vec<RenamedInput>), IntakeError> {
        let unreadable =
            |error: std::io::Error| IntakeError::Unreadable(vec![InputProblem::new(directory.to_string_lossy(), error.to_string())]);
        // Positions are found again however the directory is called.
        let directory = fs::canonicalize(directory).map_err(unreadable)?;
        let mut followed = Self { directory, once, read: BTreeMap::new(), present: None };
        let files = followed.files()?;
        let unknown = files.iter().filter(|(name, _)| !earlier.contains_key(*name));
        let unknown: Vec<FileInput> =
            unknown.map(|(name, (packing, _))| FileInput { name: name.clone(), path: PathBuf::from(name), packing: *packing }).collect();
        let renamed = renamed::take_over(&unknown, earlier, |name| !files.contains_key(name))?;
        let is_of_it = |name: &&String| Path::new(name).parent() == Some(&followed.directory);
        let names: Vec<String> = earlier.keys().filter(is_of_it).cloned().collect();
        followed.read = names.into_iter().filter_map(|name| earlier.remove_entry(&name)).collect();
        followed.list()?;
        Ok((followed, renamed))
    }

    /// Positions of the files that are read to their ends.
    pub fn read(&self) -> impl Iterator<Item = &InputPosition> {
        self.read.values()
    }

    /// Looks whether the present file, read to this position, is complete, as there is a later one; and whether all is still as it should be.
    pub fn look(&mut self, position: &InputPosition) -> Result<(), IntakeError> {
        let files = self.list()?;
        let Some(Present { name, is_complete }) = &self.present else { return Ok(()) };
        let file = files.get(name);
        if let Some((Packing::Plain, length)) = file
            && *length < position.offset
        {
            return Err(IntakeError::Changed(vec![shorter(name, *length, position.offset)]));
        }
        if file.is_none() || files.keys().next_back() > Some(name) {
            is_complete.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Ends the present file, if there is one, and opens the next one; nothing if there is none yet.
    pub fn next(&mut self, ended: Option<&InputPosition>, progress: &Arc<Progress>) -> Result<Option<Source>, IntakeError> {
        if let Some(present) = self.present.take()
            && let Some(position) = ended
        {
            self.read.insert(present.name, position.clone());
        }
        let mut files = self.list()?;
        let latest = files.keys().next_back().cloned();
        // The last file of an earlier run may not have been read to its end, or may have grown since.
        let unfinished = self.read.last_key_value().and_then(|(name, position)| {
            let file = files.remove(name)?;
            (!position.ended || position.file_length != file.1).then(|| (name.clone(), file.0))
        });
        let next =
            unfinished.or_else(|| files.into_iter().find(|(name, _)| !self.read.contains_key(name)).map(|(name, file)| (name, file.0)));
        let Some((name, packing)) = next else { return Ok(None) };
        let earlier = self.read.remove(&name);
        let is_complete = Arc::new(AtomicBool::new(self.once || packing != Packing::Plain || latest.is_some_and(|latest| latest > name)));
        let file = FileInput { path: PathBuf::from(&name), name: name.clone(), packing };
        let source = Source::open(&file, earlier.as_ref(), Some(&is_complete), progress).map_err(|refusal| match refusal {
            Refusal::Unreadable(problem) => IntakeError::Unreadable(vec![problem]),
            Refusal::Changed(problem) => IntakeError::Changed(vec![problem]),
        })?;
        self.present = Some(Present { name, is_complete });
        Ok(Some(source))
    }

    /// Whether reading ends with what is there.
    pub fn is_once(&self) -> bool {
        self.once
    }

    /// The files with their packings and lengths by name, after a look at whether the rules are kept.
    fn list(&mut self) -> Result<BTreeMap<String, (Packing, u64)>, IntakeError> {
        let files = self.files()?;
        let mut broken = Vec::new();
        let last_read = self.read.keys().last();
        let last = self.present.as_ref().map(|present| &present.name).into_iter().chain(last_read).max();
        for (name, (packing, length)) in &files {
            let is_present = self.present.as_ref().is_some_and(|present| present.name == *name);
            let is_before = last.is_some_and(|last| name < last);
            match self.read.get(name) {
                Some(read) if is_before && read.file_length != *length => {
                    let problem = format!("it has {length} bytes, and had {} when it was read to its end", read.file_length);
                    broken.push(InputProblem::new(name, problem));
                }
                Some(read) if *length < read.file_length || (*packing == Packing::Plain && *length < read.offset) => {
                    broken.push(shorter(name, *length, read.file_length.max(read.offset)));
                }
                None if is_before && !is_present => {
                    let last = last.map(String::as_str).unwrap_or_default();
                    let problem = format!("its name comes before that of {last}, which is read already: new files need later names");
                    broken.push(InputProblem::new(name, problem));
                }
                _ => {}
            }
        }
        if let Some((name, position)) = self.read.last_key_value().filter(|(name, position)| !position.ended && !files.contains_key(*name))
        {
            let problem = format!("it was read up to byte {} and is gone before a later file came: put it back", position.offset);
            broken.push(InputProblem::new(name, problem));
        }
        if !broken.is_empty() {
            return Err(IntakeError::Changed(broken));
        }
        let last_read = last_read.cloned();
        self.read.retain(|name, _| files.contains_key(name) || Some(name) == last_read.as_ref());
        Ok(files)
    }

    fn files(&self) -> Result<BTreeMap<String, (Packing, u64)>, IntakeError> {
        let refused = |name: String, problem: String| IntakeError::Unreadable(vec![InputProblem::new(name, problem)]);
        let of_directory = |error: std::io::Error| refused(self.directory.to_string_lossy().into_owned(), error.to_string());
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(&self.directory).map_err(of_directory)? {
            let path = entry.map_err(of_directory)?.path();
            // Hidden files are those that are still being written.
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                continue;
            }
            let shown = path.to_string_lossy().into_owned();
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if !metadata.is_file() {
                return Err(refused(shown, "only files are followed, and this is none".to_owned()));
            }
            let packing = packing_of(&path).map_err(|problem| refused(shown.clone(), problem))?;
            if packing == Packing::Table {
                return Err(refused(shown, "tables are for backtests, and are not followed".to_owned()));
            }
            if path.to_str().is_none() {
                return Err(refused(shown, "the name is not UTF-8, so its position could not be kept".to_owned()));
            }
            files.insert(shown, (packing, metadata.len()));
        }
        if files.len() > MAX_FOLLOWED_FILES {
            let problem =
                format!("{} files, more than the {MAX_FOLLOWED_FILES} that are followed: move those away that were read", files.len());
            return Err(refused(self.directory.to_string_lossy().into_owned(), problem));
        }
        Ok(files)
    }
}

fn shorter(name: &str, length: u64, before: u64) -> InputProblem {
    InputProblem::new(name, format!("it has {length} bytes, and had {before} when it was read: what is written must stay"))
}
