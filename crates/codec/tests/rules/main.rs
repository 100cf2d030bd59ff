//! Rule files: every field, every kind of mistake with its place, the events of tests, and the generated reference page.

mod fields;
mod life;
mod mistakes;
mod page;
mod rejected;
mod robust;
mod sections;
mod targets;
mod tests_section;

use bellwether_codec::rules::RuleFile;

/// A rule file that must have no mistakes.
#[track_caller]
fn parse(text: &str) -> RuleFile {
    RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The mistakes of a rule file as `line:column: message; help`.
#[track_caller]
fn mistakes(text: &str) -> Vec<String> {
    let Err(errors) = RuleFile::parse("rules.yaml", text) else { panic!("no mistakes in\n{text}") };
    let told = |error: bellwether_codec::rules::RuleFileError| {
        let help = error.help.map(|help| format!("; {help}")).unwrap_or_default();
        format!("{}:{}: {}{help}", error.line, error.column, error.message)
    };
    errors.0.into_iter().map(told).collect()
}

/// Compares with a file beside the tests, or writes it if `UPDATE_GOLDEN` is set.
#[track_caller]
fn assert_golden(path: &str, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, text).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(text, golden, "UPDATE_GOLDEN=1 rewrites {path}");
}
