//! Files that an earlier run read under other names. A file is known by how it begins, not by what it is called: spelt otherwise, or renamed by a
//! rotation, it goes on where it was. Read from its start again, its events would count twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use super::input::{FileInput, Packing};
use super::{InputPosition, InputProblem, IntakeError};

/// An input that has another name than when it was read before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenamedInput {
    /// The name under which it was read.
    pub from: String,
    /// The name under which it is given now.
    pub to: String,
}

/// Gives the positions of files that have other names now these names. Only a position that belongs to none of the given files is taken over: one that
/// belongs to a file by its name is that file's, as long as that begins as it did.
///
/// # Errors
///
/// When a file could be one of several that were read before, or when several could be one of those. Then nothing is changed.
pub(super) fn take_over(
    files: &[FileInput],
    earlier: &mut BTreeMap<String, InputPosition>,
    may_be_taken: impl Fn(&str) -> bool,
) -> Result<Vec<RenamedInput>, IntakeError> {
    if earlier.is_empty() {
        return Ok(Vec::new());
    }
    let (known, unknown): (Vec<&FileInput>, Vec<&FileInput>) = files.iter().partition(|file| is_as_it_was(file, earlier));
    let kept: BTreeSet<&str> = known.iter().map(|file| file.name.as_str()).collect();
    // Of a file of which nothing was read there is nothing to go on from.
    let was_read = |position: &&InputPosition| position.offset > 0 || position.unfinished_bytes > 0;
    let free = earlier.values().filter(was_read).filter(|position| !kept.contains(position.name.as_str()) && may_be_taken(&position.name));
    let renamed = assign(&unknown, &free.collect::<Vec<_>>())?;
    // A file that took the place of another one, which is nowhere else: that is told of where it is opened.
    let is_claimed = |name: &str| renamed.iter().any(|one| one.from == name);
    if unknown.iter().any(|file| earlier.contains_key(&file.name) && !is_claimed(&file.name)) {
        return Ok(Vec::new());
    }
    let positions: Vec<_> = renamed.iter().filter_map(|one| earlier.remove(&one.from)).collect();
    for (one, position) in renamed.iter().zip(positions) {
        earlier.insert(one.to.clone(), InputPosition { name: one.to.clone(), ..position });
    }
    Ok(renamed)
}

/// Whether a file is the one that was read under its name. Those that cannot be read are told of where they are opened.
fn is_as_it_was(file: &FileInput, earlier: &BTreeMap<String, InputPosition>) -> bool {
    earlier.get(&file.name).is_some_and(|position| begins_as(file, &[position]).len() == 1)
}

/// Which of these positions are of a file that begins as this one.
fn begins_as<'p>(file: &FileInput, positions: &[&'p InputPosition]) -> Vec<&'p InputPosition> {
    if file.packing == Packing::Table || positions.is_empty() {
        return Vec::new();
    }
    let Ok(mut opened) = File::open(&file.path) else { return Vec::new() };
    positions.iter().filter(|position| position.is_of(&mut opened).unwrap_or_default()).copied().collect()
}

/// Finds the one position of each file that has one.
fn assign(files: &[&FileInput], positions: &[&InputPosition]) -> Result<Vec<RenamedInput>, IntakeError> {
    let mut problems = Vec::new();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for file in files {
        let found = begins_as(file, positions);
        let [position] = *found else {
            if let [one, other, ..] = *found {
                let problem = format!("it begins as both {} and {} did, which were read before", one.name, other.name);
                problems.push(InputProblem::new(&file.name, problem));
            }
            continue;
        };
        if let Some(other) = owners.insert(&position.name, &file.name) {
            let problem = format!("it begins as {} did, which was read before, and so does {other}", position.name);
            problems.push(InputProblem::new(&file.name, problem));
        }
    }
    if !problems.is_empty() {
        return Err(IntakeError::Ambiguous(problems));
    }
    Ok(owners.into_iter().map(|(from, to)| RenamedInput { from: from.to_owned(), to: to.to_owned() }).collect())
}
