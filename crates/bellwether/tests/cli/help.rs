//! Every command explains itself.

use super::support::run;

const COMMANDS: &[&[&str]] = &[
    &["demo"],
    &["forward"],
    &["run"],
    &["replay"],
    &["simulate"],
    &["rules"],
    &["rules", "check"],
    &["rules", "test"],
    &["rules", "list"],
    &["rules", "publish"],
    &["silence"],
    &["silence", "add"],
    &["silence", "list"],
    &["silence", "end"],
    &["config"],
    &["config", "check"],
    &["config", "print"],
    &["config", "schema"],
    &["config", "try"],
    &["snapshot"],
    &["snapshot", "take"],
    &["snapshot", "list"],
    &["snapshot", "verify"],
    &["snapshot", "restore"],
    &["topics"],
    &["journal"],
    &["journal", "import"],
    &["dlq"],
    &["dlq", "list"],
    &["dlq", "replay"],
    &["erase"],
    &["pseudonym"],
    &["topics", "create"],
    &["topics", "check"],
    &["rules", "publish"],
    &["completions"],
    &["schema"],
];

#[test]
fn every_command_has_a_help_text_with_an_example() {
    for command in COMMANDS {
        let help = run(&[*command, &["--help"]].concat()).exits(0);
        assert!(help.output.contains("Example"), "{command:?}: {}", help.output);
        assert!(help.output.contains(&format!("bellwether {}", command.join(" "))), "{command:?}: {}", help.output);
        run(&[*command, &["-h"]].concat()).exits(0);
    }
}

#[test]
fn the_help_text_lists_commands_variables_and_exit_codes() {
    let help = run(&["--help"]).exits(0).output;
    for text in ["demo", "replay", "BELLWETHER_LOG", "BELLWETHER_LOG_FORMAT", "BELLWETHER_PSEUDONYM_KEY", "NO_COLOR", "Exit codes"] {
        assert!(help.contains(text), "{text} is not in {help}");
    }
    assert!(!help.contains('\u{1b}'), "no colours where nobody watches");
}

#[test]
fn nothing_at_all_is_wrong_usage_and_shows_the_help_text() {
    run(&[]).exits(2).tells(&["Usage: bellwether"]);
}

#[test]
fn the_version_is_told() {
    assert!(run(&["--version"]).exits(0).output.starts_with("bellwether 0."));
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(run(&["completions", shell]).exits(0).output.contains("skip-unknown-types"), "{shell}");
    }
}
