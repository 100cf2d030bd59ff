//! Rules for one Rust file.

use crate::tree::{Offence, SourceFile};

const LINES_MAX: usize = 400;

/// Files over the limit that are there for now, with the length they may not exceed. The list only gets shorter.
const LONG_FOR_NOW: &[(&str, usize)] = &[];

/// Signs of work left undone, and tests that do not run. Written in two parts, so that this list is not its own first offender.
const MARKS: &[&str] =
    &[concat!("todo", "!("), concat!("unimplemented", "!("), concat!("FIX", "ME"), concat!("TO", "DO"), concat!("#[ig", "nore")];

fn rust(files: &[SourceFile]) -> impl Iterator<Item = &SourceFile> {
    files.iter().filter(|file| file.is_rust())
}

pub fn without_opening_sentence(files: &[SourceFile]) -> Vec<Offence> {
    rust(files)
        .filter(|file| !file.lines().next().is_some_and(|(_, line)| line.starts_with("//! ")))
        .map(|file| Offence::at(&file.path, 1, "does not open with a `//!` sentence that says what it is for"))
        .collect()
}

pub fn too_long(files: &[SourceFile]) -> Vec<Offence> {
    long_files(files, LONG_FOR_NOW)
}

fn long_files(files: &[SourceFile], for_now: &[(&str, usize)]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for file in rust(files) {
        let lines = file.lines().count();
        match for_now.iter().find(|(path, _)| *path == file.path) {
            Some((_, limit)) if lines > *limit => {
                offences.push(Offence::at(&file.path, lines, format!("{lines} lines: it may not grow beyond {limit}")));
            }
            Some(_) if lines <= LINES_MAX => {
                offences.push(Offence::at(&file.path, lines, "is short enough now: take it off the list in tests/tests/tidy/source.rs"));
            }
            None if lines > LINES_MAX => {
                offences.push(Offence::at(&file.path, lines, format!("{lines} lines: split it, {LINES_MAX} is the limit")));
            }
            Some(_) | None => {}
        }
    }
    let gone = for_now.iter().filter(|(path, _)| !files.iter().any(|file| file.path == *path));
    offences.extend(gone.map(|(path, _)| Offence::at(path, 1, "is gone: take it off the list in tests/tests/tidy/source.rs")));
    offences
}

pub fn unfinished(files: &[SourceFile]) -> Vec<Offence> {
    rust(files)
        .flat_map(|file| file.offences(|line| MARKS.iter().find(|mark| line.contains(**mark)).map(|mark| format!("`{mark}`"))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{assert_finds, tree};

    #[test]
    fn finds_files_that_do_not_open_with_a_sentence() {
        let files = [
            ("crates/engine/src/lib.rs", "//! The engine.\n"),
            ("crates/engine/src/state.rs", "use std::fmt;\n//! Too late.\n"),
            ("crates/engine/src/empty.rs", ""),
            ("README.md", "# Bellwether\n"),
        ];
        assert_finds(without_opening_sentence, &files, &["crates/engine/src/state.rs:1: ", "crates/engine/src/empty.rs:1: "]);
    }

    #[test]
    fn finds_long_files() {
        let (fits, long) = ("\n".repeat(400), "\n".repeat(401));
        assert_finds(too_long, &[("a.rs", &fits), ("b.rs", &long), ("c.md", &long)], &["b.rs:401: 401 lines"]);
    }

    #[test]
    fn the_list_of_long_files_only_gets_shorter() {
        let (fits, long) = ("\n".repeat(400), "\n".repeat(402));
        let files = tree(&[("grown.rs", &long), ("same.rs", &long), ("mended.rs", &fits)]);
        let list = [("grown.rs", 401), ("same.rs", 402), ("mended.rs", 500), ("gone.rs", 500)];
        let found: Vec<String> = long_files(&files, &list).iter().map(Offence::to_string).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("grown.rs:402: 402 lines: it may not grow"));
        assert!(found[1].starts_with("mended.rs:400: is short enough"));
        assert!(found[2].starts_with("gone.rs:1: is gone"));
    }

    #[test]
    fn finds_each_mark_of_unfinished_work() {
        for mark in MARKS {
            let text = format!("//! A file.\nfn later() {{ {mark} }}\n");
            assert_finds(unfinished, &[("a.rs", &text), ("a.md", &text)], &["a.rs:2: "]);
        }
        assert_finds(unfinished, &[("a.rs", "//! Ignores what it is told to do.\n")], &[]);
    }
}
