//! Which tests a rule lacks.

use bellwether_backtest::rule_tests::coverage;

use crate::file;

fn gaps(tests: &str) -> Vec<String> {
    coverage(&file(tests)).iter().map(ToString::to_string).filter(|gap| gap.starts_with("silence")).collect()
}

fn test(expect: &str) -> String {
    format!("- {{ name: t, rule: silence, until: 90d, events: [], expect: [{expect}] }}\n")
}

#[test]
fn every_rule_needs_a_raise_a_clear_and_a_near_miss() {
    let raise = "silence (line 5): no test in which it raises";
    let clear = "silence (line 5): no test in which it clears or is resolved";
    let near_miss = "silence (line 5): no near miss (a test with `expect: []`)";
    assert_eq!(gaps("- { name: t, rule: features, until: 90d, events: [], expect: [] }"), [raise, clear, near_miss]);
    assert_eq!(gaps(&test("")), [raise, clear]);
    assert_eq!(gaps(&test("{ at: 1d, transition: raised }")), [clear, near_miss]);
    assert_eq!(gaps(&test("{ at: 1d, transition: raised, suppressed: notice-given }")), [raise, clear, near_miss]);
    assert_eq!(gaps(&test("{ at: 1d, transition: raised }, { at: 2d, transition: resolved }")), [near_miss]);
    assert_eq!(gaps(&format!("{}{}", test("{ at: 1d, transition: raised }, { at: 2d, transition: cleared }"), test(""))), [""; 0]);
}
