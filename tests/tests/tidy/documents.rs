//! Rules for the documents: they name the commands and the environment variables, and their links lead somewhere.

use std::collections::BTreeSet;

use crate::tree::{Offence, SourceFile};

const COMMANDS: &[&str] = &["make demo", "make test"];

const VARIABLE_PREFIX: &str = "BELLWETHER_";

/// Variables with this in their name go from a test to the process that it starts, and concern nobody else.
const FOR_A_TEST_CHILD: &str = "_TEST_CHILD_";

fn readme(files: &[SourceFile]) -> &str {
    files.iter().find(|file| file.path == "README.md").and_then(SourceFile::text).unwrap_or_default()
}

pub fn without_the_commands(files: &[SourceFile]) -> Vec<Offence> {
    let missing = COMMANDS.iter().filter(|command| !readme(files).contains(**command));
    missing.map(|command| Offence::at("README.md", 1, format!("does not name `{command}`"))).collect()
}

pub fn unlisted_variables(files: &[SourceFile]) -> Vec<Offence> {
    let listed: BTreeSet<&str> = words(readme(files)).collect();
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (line, text) in file.lines() {
            // The odd parts of a line cut at its quotation marks are string literals, near enough.
            let variables = text.split('"').skip(1).step_by(2).filter(|literal| is_variable(literal) && !listed.contains(literal));
            offences.extend(variables.map(|name| Offence::at(&file.path, line, format!("`{name}` is not in the README"))));
        }
    }
    offences
}

fn is_variable(literal: &str) -> bool {
    let is_name = literal.len() > VARIABLE_PREFIX.len() && words(literal).eq([literal]);
    is_name && literal.starts_with(VARIABLE_PREFIX) && !literal.contains(FOR_A_TEST_CHILD)
}

/// The parts of a text that may be names of environment variables.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')).filter(|word| !word.is_empty())
}

pub fn dead_links(files: &[SourceFile]) -> Vec<Offence> {
    let mut offences = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        let mut in_code_block = false;
        for (line, text) in file.lines() {
            if text.trim_start().starts_with("```") {
                in_code_block = !in_code_block;
            }
            let targets = if in_code_block { Vec::new() } else { link_targets(text) };
            let dead = targets.into_iter().filter(|target| !leads_somewhere(files, &file.path, target));
            offences.extend(dead.map(|target| Offence::at(&file.path, line, format!("`{target}` leads nowhere"))));
        }
    }
    offences
}

/// The targets of `[text](target)`, `[text](<target> "title")` and `[name]: target` in one line, code spans left out.
fn link_targets(line: &str) -> Vec<String> {
    let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("code");
    let mut targets: Vec<String> = prose.split("](").skip(1).filter_map(|rest| first_word(rest.split(')').next()?)).collect();
    if let Some((name, rest)) = prose.trim_start().split_once("]: ")
        && name.starts_with('[')
    {
        targets.extend(first_word(rest));
    }
    targets
}

fn first_word(text: &str) -> Option<String> {
    text.split_whitespace().next().map(|word| word.trim_matches(['<', '>']).to_string())
}

fn leads_somewhere(files: &[SourceFile], from: &str, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    if path.contains("://") || path.starts_with("mailto:") {
        return true;
    }
    if path.is_empty() {
        return has_heading(files, from, anchor);
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." if parts.pop().is_none() => return false,
            ".." => {}
            name => parts.push(name),
        }
    }
    let target = parts.join("/");
    let directory = format!("{target}/");
    let is_there = target.is_empty() || files.iter().any(|file| file.path == target || file.path.starts_with(&directory));
    !path.starts_with('/') && is_there && has_heading(files, &target, anchor)
}

/// Whether a document has the heading that an anchor names, which only those in Markdown have; no anchor is always there.
fn has_heading(files: &[SourceFile], document: &str, anchor: &str) -> bool {
    let text = files.iter().find(|file| file.path == document).and_then(SourceFile::text).unwrap_or_default();
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
    anchor.is_empty() || !document.ends_with(".md") || headings.map(anchor_of).any(|heading| heading == anchor)
}

/// The anchor that is made of a heading: small letters, digits, and hyphens for blanks.
fn anchor_of(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::assert_finds;

    #[test]
    fn finds_the_commands_that_the_readme_does_not_name() {
        assert_finds(without_the_commands, &[("README.md", "Run `make demo`, then `make test`.\n")], &[]);
        assert_finds(without_the_commands, &[("README.md", "Run `make demo`.\n")], &["README.md:1: does not name `make test`"]);
        assert_finds(without_the_commands, &[], &["README.md:1: ", "README.md:1: "]);
    }

    #[test]
    fn finds_variables_that_the_readme_does_not_list() {
        let (listed, unlisted) = (format!("{VARIABLE_PREFIX}TOKEN"), format!("{VARIABLE_PREFIX}TOKEN_FILE"));
        let readme = format!("| `{listed}` | the token |\n");
        let code =
            format!("var(\"{listed}\");\nvar(\"{unlisted}\"); // not \"{VARIABLE_PREFIX}\" alone\nvar(\"{listed}_TEST_CHILD_X\");\n");
        assert_finds(unlisted_variables, &[("README.md", &readme), ("a.rs", &code)], &["a.rs:2: `BELLWETHER_TOKEN_FILE`"]);
    }

    #[test]
    fn finds_dead_links() {
        let page = "[good](../README.md#top) and [bad](gone.md)\n\n```\n[code](gone.md)\n```\n`[span](gone.md)` [out](../../other.md)\n\
            [site](https://example.org/x#y) [up](..) [here](#there) [directory](../crates/engine)\n[name]: lost.md\n[absolute](/README.md)\n\
            ## There\n[left](#here) [lost](../README.md#bottom) [code](../crates/engine/src/lib.rs#x)\n";
        let files = [("README.md", "# The `Top` of it\n### Top\n"), ("crates/engine/src/lib.rs", ""), ("deploy/page.md", page)];
        let expected = [
            "deploy/page.md:1: `gone.md`",
            "deploy/page.md:6: `../../other.md`",
            "deploy/page.md:8: `lost.md`",
            "deploy/page.md:9: ",
            "deploy/page.md:11: `#here`",
            "deploy/page.md:11: `../README.md#bottom`",
        ];
        assert_finds(dead_links, &files, &expected);
    }

    #[test]
    fn anchors_are_small_letters_and_hyphens() {
        assert_eq!(anchor_of(" The `Top` of it: 10 % more"), "the-top-of-it-10--more");
    }

    #[test]
    fn reads_links_with_titles_and_brackets() {
        assert_eq!(link_targets("![a](<b.png> \"A title\") [c](d.md 'e')"), ["b.png", "d.md"]);
    }
}
