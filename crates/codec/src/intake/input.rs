//! Which inputs there are: paths and directories turned into a sorted list of files of a known kind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{InputProblem, IntakeError, MAX_INPUTS};
use crate::table::TABLE_EXTENSION;

/// The file extensions that intake reads.
pub const SUPPORTED_EXTENSIONS: [&str; 5] = [".jsonl", ".json", ".zst", ".gz", ".parquet"];

/// The name of standard input on the command line and in messages.
pub(super) const STANDARD_INPUT_NAME: &str = "-";

/// One input as the user gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputSpec {
    /// A file; or a directory, whose files and whose subdirectories' files are inputs.
    Path(PathBuf),
    /// Standard input, uncompressed.
    StandardInput,
    /// A directory whose files are read one after another, in the order of their names; the only input then.
    Followed {
        /// The directory.
        directory: PathBuf,
        /// Whether reading ends with what is there.
        once: bool,
    },
}

impl From<&str> for InputSpec {
    /// `-` is standard input, everything else a path.
    fn from(given: &str) -> Self {
        if given == STANDARD_INPUT_NAME { Self::StandardInput } else { Self::Path(PathBuf::from(given)) }
    }
}

impl From<&Path> for InputSpec {
    fn from(path: &Path) -> Self {
        if path == Path::new(STANDARD_INPUT_NAME) { Self::StandardInput } else { Self::Path(path.to_owned()) }
    }
}

/// How the bytes of a file are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Zstd,
    Gzip,
    /// No lines at all: a table of events.
    Table,
}

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileInput {
    pub name: String,
    pub path: PathBuf,
    pub packing: Packing,
}

/// All inputs of a run, files sorted by name.
#[derive(Debug, Default)]
pub(super) struct InputList {
    pub files: Vec<FileInput>,
    pub standard_input: bool,
    /// A directory to follow, and whether only once.
    pub followed: Option<(PathBuf, bool)>,
}

impl InputList {
    /// Expands directories and checks every name; all problems are reported at once.
    pub fn expand(specs: &[InputSpec]) -> Result<Self, IntakeError> {
        let mut expansion = Expansion::default();
        let mut standard_input = false;
        let mut followed = None;
        for spec in specs {
            match spec {
                InputSpec::StandardInput => standard_input = true,
                InputSpec::Path(path) => expansion.add_given(path),
                InputSpec::Followed { directory, .. } if specs.len() > 1 => {
                    expansion.refuse(directory, "a directory that is followed is the only input");
                }
                InputSpec::Followed { directory, once } => followed = Some((directory.clone(), *once)),
            }
        }
        expansion.refuse_aliases();
        if expansion.files.len() > MAX_INPUTS {
            let problem = format!("{} files, more than the {MAX_INPUTS} that can be merged at once", expansion.files.len());
            expansion.problems.push(InputProblem::new("all inputs together", problem));
        }
        if !expansion.problems.is_empty() {
            return Err(IntakeError::Unreadable(expansion.problems));
        }
        Ok(Self { files: expansion.files.into_values().collect(), standard_input, followed })
    }
}

/// How a file is packed, by its extension.
pub(super) fn packing_of(path: &Path) -> Result<Packing, String> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("jsonl" | "json") => Ok(Packing::Plain),
        Some("zst") => Ok(Packing::Zstd),
        Some("gz") => Ok(Packing::Gzip),
        Some(TABLE_EXTENSION) => Ok(Packing::Table),
        _ => Err(format!("unknown extension ({})", supported())),
    }
}

/// Files by name, so that they are sorted and a name given twice counts once; and what is wrong.
#[derive(Default)]
struct Expansion {
    files: BTreeMap<String, FileInput>,
    problems: Vec<InputProblem>,
}

impl Expansion {
    fn add_given(&mut self, path: &Path) {
        match fs::metadata(path) {
            Err(error) => self.refuse(path, error.to_string()),
            Ok(metadata) if metadata.is_dir() => {
                let files_before = self.files.len() + self.problems.len();
                self.add_directory(path, 1);
                if self.files.len() + self.problems.len() == files_before && !self.holds_file_of(path) {
                    self.refuse(path, format!("this directory holds no files ({})", supported()));
                }
            }
            Ok(_) => self.add_file(path),
        }
    }

    /// Adds the files of a directory; hidden entries are skipped, directories below `levels` are refused.
    fn add_directory(&mut self, directory: &Path, levels: u32) {
        let entries = match fs::read_dir(directory).and_then(|entries| entries.collect::<Result<Vec<_>, _>>()) {
            Ok(entries) => entries,
            Err(error) => return self.refuse(directory, error.to_string()),
        };
        let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
        paths.sort();
        for path in paths {
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
                continue;
            }
            match fs::metadata(&path) {
                Err(error) => self.refuse(&path, error.to_string()),
                Ok(metadata) if metadata.is_dir() && levels == 0 => {
                    self.refuse(&path, "directories are read one level deep: give this one by itself");
                }
                Ok(metadata) if metadata.is_dir() => self.add_directory(&path, levels - 1),
                Ok(_) => self.add_file(&path),
            }
        }
    }

    fn add_file(&mut self, path: &Path) {
        let Some(name) = path.to_str() else {
            return self.refuse(path, "the name is not UTF-8, so its position could not be kept");
        };
        let packing = match packing_of(path) {
            Ok(packing) => packing,
            Err(problem) => return self.refuse(path, problem),
        };
        if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
            return self.refuse(path, "not a regular file; pipe it into standard input and give `-`");
        }
        self.files.insert(name.to_owned(), FileInput { name: name.to_owned(), path: path.to_owned(), packing });
    }

    /// One file under two names would be read twice, and its events counted twice.
    fn refuse_aliases(&mut self) {
        let mut names: BTreeMap<PathBuf, &str> = BTreeMap::new();
        for file in self.files.values() {
            let Ok(canonical) = fs::canonicalize(&file.path) else { continue };
            if let Some(first) = names.insert(canonical, &file.name) {
                self.problems.push(InputProblem::new(&file.name, format!("the same file as {first}")));
            }
        }
    }

    fn holds_file_of(&self, directory: &Path) -> bool {
        self.files.values().any(|file| file.path.starts_with(directory))
    }

    fn refuse(&mut self, path: &Path, problem: impl Into<String>) {
        self.problems.push(InputProblem::new(path.to_string_lossy(), problem));
    }
}

fn supported() -> String {
    format!("supported are {}", SUPPORTED_EXTENSIONS.join(", "))
}
