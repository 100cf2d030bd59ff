//! Hostile nesting and lengths are refused with a message, long before the stack or time runs out.

use super::super::{Expected, MAX_NESTING, MAX_SOURCE_BYTES};
use super::{compiled, errors_of};

#[test]
fn nesting_has_a_limit() {
    let message = format!("nested deeper than {MAX_NESTING} levels");
    let nested = |levels: usize| format!("{}1{}", "(".repeat(levels), ")".repeat(levels));
    compiled(&nested(MAX_NESTING - 1), Expected::Number);
    compiled(&vec!["mrr"; MAX_NESTING].join("+"), Expected::Number);
    for source in [
        nested(MAX_NESTING),
        nested(2000),
        "(".repeat(4000),
        "-".repeat(4000),
        "!".repeat(4000) + "onboarded",
        "max(".repeat(1000),
        "onboarded ? 1 : ".repeat(200) + "2",
        vec!["mrr"; MAX_NESTING + 1].join("+"),
        vec!["1"; 2000].join("/"),
    ] {
        assert!(errors_of(&source, Expected::Number).contains(&message), "{source}");
    }
}

#[test]
fn length_has_a_limit() {
    let spaces = |length| " ".repeat(length) + "1";
    compiled(&spaces(MAX_SOURCE_BYTES - 1), Expected::Number);
    assert!(errors_of(&spaces(MAX_SOURCE_BYTES), Expected::Number).contains("4097 bytes are too many; the limit is 4096"));
    assert!(errors_of(&"é".repeat(3000), Expected::Number).contains("6000 bytes are too many"));
    assert!(errors_of(&format!("mrr > {}", "9".repeat(400)), Expected::Boolean).contains("the number is too large"));
}
