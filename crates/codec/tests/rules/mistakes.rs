//! A file with many mistakes: all are told in one run, as people see them.

use bellwether_codec::rules::RuleFile;

use crate::assert_golden;

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let text = include_str!("mistakes.yaml");
    let errors = RuleFile::parse("mistakes.yaml", text).expect_err("it is full of mistakes");
    assert_golden(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rules/mistakes.txt"), &format!("{errors}\n"));
}

#[test]
fn every_signal_with_a_mistake_is_told() {
    let signal = "  - { name: a, kind: wrong, when: nothing_known, summary: x, colour: red }\n";
    let text = format!("signals:\n{}", signal.repeat(30));
    let errors = RuleFile::parse("rules.yaml", &text).expect_err("each signal has mistakes").0;
    for line in 2..32 {
        assert!(errors.iter().filter(|error| error.line == line).count() >= 3, "line {line}");
    }
}
