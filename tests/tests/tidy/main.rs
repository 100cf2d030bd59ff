//! The house rules that no compiler checks: sizes, headers, arrows between crates, leftovers, links. Each failure lists every offender.

mod arrows;
mod documents;
mod source;
mod text;
mod tree;

use tree::{Offence, SourceFile};

#[track_caller]
fn assert_clean(rule: &str, check: fn(&[SourceFile]) -> Vec<Offence>) {
    let offences = check(&tree::source_files());
    let list: String = offences.iter().map(|offence| format!("\n  {offence}")).collect();
    assert!(offences.is_empty(), "{rule}; {} do not:{list}", offences.len());
}

#[test]
fn rust_files_open_with_a_sentence() {
    assert_clean("every .rs file opens with a `//!` sentence", source::without_opening_sentence);
}

#[test]
fn rust_files_are_short() {
    assert_clean("every .rs file keeps within its number of lines", source::too_long);
}

#[test]
fn nothing_is_left_unfinished() {
    assert_clean("every .rs file is finished", source::unfinished);
}

#[test]
fn crates_depend_only_along_the_arrows() {
    assert_clean("every crate depends only on what the design allows", arrows::against_the_design);
}

#[test]
fn crates_take_the_lints_of_the_workspace() {
    assert_clean("every crate takes the workspace's lints, which forbid unsafe code", arrows::without_workspace_lints);
}

#[test]
fn the_engine_repeats_the_settings_of_clippy() {
    assert_clean("the engine's clippy.toml says what the common one says, and more", arrows::engine_clippy_settings);
}

#[test]
fn the_top_level_is_small() {
    assert_clean("every file lies in one of the known places", text::outside_the_known_places);
}

#[test]
fn files_are_small() {
    assert_clean("every file is of a size to read", text::too_large);
}

#[test]
fn lines_end_cleanly() {
    assert_clean("every line ends in one line feed", text::untidy_line_ends);
}

#[test]
fn no_path_of_a_developers_machine() {
    assert_clean("every path means something on any machine", text::machine_paths);
}

#[test]
fn the_readme_names_both_commands() {
    assert_clean("the README names the two commands that everything starts with", documents::without_the_commands);
}

#[test]
fn links_lead_somewhere() {
    assert_clean("every relative link leads to a file of the project", documents::dead_links);
}

#[test]
fn environment_variables_are_documented() {
    assert_clean("every environment variable stands in the README", documents::unlisted_variables);
}
