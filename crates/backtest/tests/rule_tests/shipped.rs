//! The shipped rule pack has no mistakes, passes its own tests, and tests every rule.

use bellwether_backtest::rule_tests::{coverage, run};
use bellwether_codec::rules::RuleFile;

#[test]
fn the_default_pack_passes_its_tests() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rules/default.yaml")).unwrap();
    let file = RuleFile::parse("default.yaml", &text).unwrap_or_else(|errors| panic!("{errors}"));
    let failed: Vec<String> = run(&file).iter().filter(|result| !result.passed()).map(ToString::to_string).collect();
    let gaps: Vec<String> = coverage(&file).iter().map(ToString::to_string).collect();
    assert!(!file.tests.is_empty());
    assert!(failed.is_empty() && gaps.is_empty(), "{}\n{}", failed.join("\n"), gaps.join("\n"));
}
