//! Rules for every file, whatever its language.

use crate::tree::{Offence, SourceFile};

const TOP_LEVEL: &[&str] =
    &["CHANGELOG.md", "Cargo.lock", "Cargo.toml", "LICENSE", "Makefile", "README.md", "benches", "crates", "deploy", "tests"];

const BYTES_MAX: usize = 512 * 1024;

/// Directories whose files are compared or fed in byte by byte, however untidy they are.
const VERBATIM: &[&str] = &["fixtures", "golden", "snapshots"];

/// Where developers keep their clones. Written in two parts, so that this list is not its own first offender.
const MACHINE_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

pub fn outside_the_known_places(files: &[SourceFile]) -> Vec<Offence> {
    let place = |path: &str| path.split('/').next().unwrap_or_default().to_string();
    files
        .iter()
        .filter(|file| !file.path.starts_with('.') && !TOP_LEVEL.contains(&place(&file.path).as_str()))
        .map(|file| Offence::at(&file.path, 1, format!("`{}` is not a place at the top level", place(&file.path))))
        .collect()
}

pub fn too_large(files: &[SourceFile]) -> Vec<Offence> {
    files
        .iter()
        .filter(|file| file.bytes.len() > BYTES_MAX)
        .map(|file| Offence::at(&file.path, 1, format!("{} KiB: {} is the limit", file.bytes.len() / 1024, BYTES_MAX / 1024)))
        .collect()
}

pub fn untidy_line_ends(files: &[SourceFile]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| !file.path.split('/').any(|part| VERBATIM.contains(&part))) {
        let text = file.text().unwrap_or_default();
        // Unlike `lines`, this leaves a carriage return where it is.
        for (index, line) in text.split('\n').enumerate() {
            if line.ends_with(char::is_whitespace) {
                offences.push(Offence::at(&file.path, index + 1, "white space at the end of the line"));
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            offences.push(Offence::at(&file.path, text.lines().count(), "no line feed at the end of the file"));
        }
    }
    offences
}

pub fn machine_paths(files: &[SourceFile]) -> Vec<Offence> {
    files
        .iter()
        .flat_map(|file| file.offences(|line| machine_path(line).map(|path| format!("`{path}` is a path of one machine"))))
        .collect()
}

/// A developer's directory, unless it is the middle of another path, as in `example.org/home/`.
fn machine_path(line: &str) -> Option<&'static str> {
    MACHINE_PATHS.iter().copied().find(|path| {
        line.match_indices(path).any(|(start, _)| {
            !line[..start].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '.' | '_' | '-' | '}' | ')'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::assert_finds;

    #[test]
    fn finds_files_outside_the_known_places() {
        let files = [(".ci/run", ""), (".gitignore", ""), ("crates/engine/src/lib.rs", ""), ("notes.txt", ""), ("docs/a.md", "")];
        assert_finds(outside_the_known_places, &files, &["notes.txt:1: `notes.txt`", "docs/a.md:1: `docs`"]);
    }

    #[test]
    fn finds_large_files() {
        let (fits, large) = ("x".repeat(512 * 1024), "x".repeat(512 * 1024 + 1));
        assert_finds(too_large, &[("a", &fits), ("b", &large)], &["b:1: 512 KiB"]);
    }

    #[test]
    fn finds_white_space_at_the_end_of_lines() {
        let files = [("a.rs", "one\ntwo \n\nthree\t\n"), ("b.rs", "one\r\n"), ("c.rs", "one"), ("d.rs", ""), ("e.rs", "one\n")];
        assert_finds(untidy_line_ends, &files, &["a.rs:2: ", "a.rs:4: ", "b.rs:1: white", "c.rs:1: no line feed"]);
    }

    #[test]
    fn leaves_verbatim_files_alone() {
        assert_finds(untidy_line_ends, &[("tests/fixtures/broken.jsonl", "{ \r\n")], &[]);
    }

    #[test]
    fn finds_each_path_of_a_developers_machine() {
        for path in MACHINE_PATHS {
            let text = format!("first\nopen(\"{path}clone/data\")\n");
            assert_finds(machine_paths, &[("a.rs", &text)], &["a.rs:2: "]);
            let within = format!("https://example.org{path}page, $HOME{path}, ..{path}\n");
            assert_finds(machine_paths, &[("a.md", &within)], &[]);
        }
    }
}
