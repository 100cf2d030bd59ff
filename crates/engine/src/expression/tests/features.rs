//! What the engine reads off a compiled expression: its features and its comparisons.

use super::super::Expected;
use super::{SYMBOLS, compiled, lookup, names};

#[track_caller]
fn check(source: &str, features: &[&str], comparisons: &[&str]) {
    let expression = compiled(source, Expected::Boolean);
    assert_eq!(names(expression.features()), features, "{source}");
    let values = lookup(&[("mrr", 4.0), ("nps", 8.0)]);
    let found: Vec<String> = expression
        .comparisons()
        .iter()
        .map(|comparison| {
            let name = &SYMBOLS[usize::from(comparison.feature)].name;
            let clock = if comparison.clock { "clock " } else { "" };
            let threshold = comparison.threshold(&values);
            let sources = names(comparison.threshold_features()).join(" ");
            format!("{clock}{name} {} {threshold} [{sources}]", comparison.operator.symbol())
        })
        .collect();
    assert_eq!(found, comparisons, "{source}");
}

#[test]
fn comparisons_are_read_from_the_feature() {
    check("mrr > 3", &["mrr"], &["mrr > 3 []"]);
    check("3 < mrr", &["mrr"], &["mrr > 3 []"]);
    check("days + 1 >= mrr", &["mrr"], &["mrr <= 31 []"]);
    check("mrr < nps * 2", &["mrr", "nps"], &["mrr < 16 [nps]"]);
    check("nps * 2 > mrr", &["mrr", "nps"], &["mrr < 16 [nps]"]);
    check("nps > mrr", &["mrr", "nps"], &["nps > 4 [mrr]"]);
    check("nps > 1 / 0", &[], &[]);
    check("grade == 'green'", &["grade"], &["grade == 2 []"]);
    check("onboarded == true", &["onboarded"], &["onboarded == 1 []"]);
    check("mrr + 1 > 3", &["mrr"], &[]);
    check("onboarded && has(nps)", &["nps", "onboarded"], &[]);
}

#[test]
fn clock_comparisons_are_all_there() {
    check("days_since_login >= days", &["days_since_login"], &["clock days_since_login >= 30 []"]);
    check("mrr < days_since_login", &["mrr", "days_since_login"], &["clock days_since_login > 4 [mrr]"]);
    check("days_since_login > mrr", &["mrr", "days_since_login"], &["clock days_since_login > 4 [mrr]"]);
    check(
        "!(days_since_login > 7) || (has(days_to_renewal) ? days_to_renewal < mrr + nps : false)",
        &["mrr", "nps", "days_since_login", "days_to_renewal"],
        &["clock days_since_login > 7 []", "clock days_to_renewal < 12 [mrr nps]"],
    );
    check(
        "mrr > (days_since_login > 3 ? 1 : 2) && (days_to_renewal < 9) == true",
        &["mrr", "days_since_login", "days_to_renewal"],
        &["mrr > 2 [days_since_login]", "clock days_since_login > 3 []", "clock days_to_renewal < 9 []"],
    );
}

#[test]
fn constants_leave_nothing_behind() {
    check("days > 29 || mrr > 3", &[], &[]);
    check("days > 30 || mrr > 3", &["mrr"], &["mrr > 3 []"]);
    check("days > 30 && mrr > 3", &[], &[]);
    check("days > 29 && mrr > ratio * 2 + max(days, 1)", &["mrr"], &["mrr > 31 []"]);
    check("ratio > 0.4 ? mrr > 3 : nps > 3", &["mrr"], &["mrr > 3 []"]);
    check("mrr > 1 / zero", &[], &[]);
    check("!(1 > 2)", &[], &[]);
}

#[test]
fn an_absent_threshold_is_absent() {
    let expression = compiled("mrr > logins_7d", Expected::Boolean);
    assert!(expression.comparisons()[0].threshold(&lookup(&[("mrr", 1.0)])).is_nan());
}
