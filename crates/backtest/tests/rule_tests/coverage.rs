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
fn every_rule_needs_a_raise_a_clear_a_near_miss_and_trouble_with_delivery() {
    let raise = "silence (line 5): no test in which it raises";
    let clear = "silence (line 5): no test in which it clears or is resolved";
    let near_miss = "silence (line 5): no near miss (a test with `expect: []`)";
    let delivery = "silence (line 5): no test in which an event arrives late or twice";
    assert_eq!(gaps("- { name: t, rule: features, until: 90d, events: [], expect: [] }"), [raise, clear, near_miss, delivery]);
    assert_eq!(gaps(&test("")), [raise, clear, delivery]);
    assert_eq!(gaps(&test("{ at: 1d, transition: raised }")), [clear, near_miss, delivery]);
    assert_eq!(gaps(&test("{ at: 1d, transition: raised, suppressed: notice-given }")), [raise, clear, near_miss, delivery]);
    assert_eq!(gaps(&test("{ at: 1d, transition: raised }, { at: 2d, transition: resolved }")), [near_miss, delivery]);
    let both = format!("{}{}", test("{ at: 1d, transition: raised }, { at: 2d, transition: cleared }"), test(""));
    assert_eq!(gaps(&both), [delivery]);
    for delivered in ["twice: true", "late: 1h"] {
        assert_eq!(gaps(&both.replacen("[]", &format!("[{{ at: 0s, {delivered}, type: login }}]"), 1)), [""; 0]);
    }
}
