//! What a command writes must not be what it reads: a file under two names, or in a directory that is read, would be lost.

use std::fs;
use std::path::{Path, PathBuf};

use bellwether_codec::intake::InputSpec;

use crate::failure::Failure;

/// An argument, or what else tells of a file, and the file.
pub type Named = (&'static str, PathBuf);

/// The arguments that are given.
pub fn given<const N: usize>(arguments: [(&'static str, &Option<PathBuf>); N]) -> impl Iterator<Item = Named> {
    arguments.into_iter().filter_map(|(name, path)| path.clone().map(|path| (name, path)))
}

/// The file of signals, and that of decisions beside it.
pub fn signals(path: &Path) -> [Named; 2] {
    let mut decisions = path.to_owned().into_os_string();
    decisions.push(".decisions");
    [("--signals", path.to_owned()), ("the decisions of --signals", decisions.into())]
}

/// Refuses a file to write that is read too, by itself or with a directory of events, and two that are one. `read` are files that are to stay
/// as they are.
///
/// # Errors
///
/// All such files, before anything is written.
pub fn check(events: &[InputSpec], read: &[Named], written: &[Named]) -> Result<(), Failure> {
    let mut problems = Vec::new();
    for (index, (name, path)) in written.iter().enumerate() {
        // A device or a pipe may be given twice.
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            continue;
        }
        let place = place_of(path);
        let events = events.iter().filter(|input| is_within(&place, input)).map(|_| "--events or --follow");
        let read = read.iter().filter(|(_, other)| place_of(other) == place).map(|(other, _)| *other);
        let mut before = written[..index].iter().filter(|(_, other)| place_of(other) == place).map(|(other, _)| *other);
        if let Some(other) = events.chain(read).next() {
            problems.push(format!("{} would be written to as {name}, but belongs to {other}", path.display()));
        } else if let Some(other) = before.next() {
            problems.push(format!("{} would be written to as {name} and as {other}", path.display()));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!("{}: give each a file of its own", problems.join("\n"))))
}

/// Whether a file is an input, or would be one at the next start: directories are read one level deep.
fn is_within(place: &Path, input: &InputSpec) -> bool {
    let above = |levels: usize| place.ancestors().skip(1).take(levels);
    match input {
        InputSpec::StandardInput => false,
        InputSpec::Path(path) => {
            let input = place_of(path);
            place == input || above(2).any(|directory| directory == input)
        }
        InputSpec::Followed { directory, .. } => above(1).any(|above| above == place_of(directory)),
    }
}

/// Where a file is, under whatever name; where there is none, where it would be made.
fn place_of(path: &Path) -> PathBuf {
    let made = || {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(fs::canonicalize(parent).ok()?.join(path.file_name()?))
    };
    fs::canonicalize(path).ok().or_else(made).or_else(|| std::path::absolute(path).ok()).unwrap_or_else(|| path.to_owned())
}
