//! What expressions evaluate to.

use super::super::Expected;
use super::{compiled, lookup};

type Values<'a> = &'a [(&'a str, f64)];

fn check(source: &str, values: Values, expected: bool) {
    let expression = compiled(source, Expected::Boolean);
    assert_eq!(expression.is_true(&lookup(values)), expected, "{source} with {values:?}");
    assert_eq!(expression.evaluate(&lookup(values)), f64::from(u8::from(expected)), "{source} with {values:?}");
}

fn check_number(source: &str, values: Values, expected: f64) {
    let value = compiled(source, Expected::Number).evaluate(&lookup(values));
    assert!(value == expected || (value.is_nan() && expected.is_nan()), "{source} with {values:?} is {value}, not {expected}");
}

const ABSENT: f64 = f64::NAN;

#[test]
fn the_example_of_the_design() {
    let source = "days_since_login >= days && mrr > 0";
    check(source, &[("days_since_login", 30.0), ("mrr", 1.0)], true);
    check(source, &[("days_since_login", 29.9), ("mrr", 1.0)], false);
    check(source, &[("days_since_login", 30.0), ("mrr", 0.0)], false);
    check(source, &[("days_since_login", 30.0)], false);
    assert_eq!(compiled(source, Expected::Boolean).source(), source);
}

#[test]
fn precedence_is_that_of_cel() {
    for (source, expected) in [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("10 - 2 - 3", 5.0),
        ("100 / 10 / 5", 2.0),
        ("100 / (10 / 5)", 50.0),
        ("2 * -3", -6.0),
        ("--3", 3.0),
        ("- - -3", -3.0),
        ("-2 + 3", 1.0),
        ("7 / 2", 3.5),
        (".5 + 0.25", 0.75),
        ("007", 7.0),
        ("true ? 1 : 2", 1.0),
        ("false ? 1 : true ? 2 : 3", 2.0),
        ("false || 1 > 2 ? 1 : 2", 2.0),
        ("1 > 2 ? 1 : 2 + 3", 5.0),
        ("true ? (false ? 1 : 2) : 3", 2.0),
        ("1 + 2 > 2 && 2 * 2 == 4 ? 1 : 0", 1.0),
    ] {
        check_number(source, &[], expected);
    }
    for (source, expected) in [
        ("true || false && false", true),
        ("(true || false) && false", false),
        ("!true || true", true),
        ("!(true || true)", false),
        ("!true == false", true),
        ("!!true", true),
        ("!!!true", false),
    ] {
        check(source, &[], expected);
    }
}

#[test]
fn comparisons() {
    for (source, low, equal, high) in [
        ("mrr == 5", false, true, false),
        ("mrr != 5", true, false, true),
        ("mrr < 5", true, false, false),
        ("mrr <= 5", true, true, false),
        ("mrr > 5", false, false, true),
        ("mrr >= 5", false, true, true),
        ("5 == mrr", false, true, false),
        ("5 != mrr", true, false, true),
        ("5 > mrr", true, false, false),
        ("5 >= mrr", true, true, false),
        ("5 < mrr", false, false, true),
        ("5 <= mrr", false, true, true),
        ("mrr < nps", true, false, false),
        ("nps <= mrr", false, true, true),
        ("mrr + 0 > nps", false, false, true),
        ("nps < mrr + 0", false, false, true),
        ("mrr + 1 <= nps + 1", true, true, false),
    ] {
        for (value, expected) in [(4.0, low), (5.0, equal), (6.0, high)] {
            check(source, &[("mrr", value), ("nps", 5.0)], expected);
        }
        check(source, &[("nps", 5.0)], false);
        for infinite in [f64::INFINITY, f64::NEG_INFINITY] {
            check(source, &[("mrr", infinite), ("nps", 5.0)], false);
        }
    }
}

#[test]
fn absent_numbers() {
    for (source, expected) in [
        ("mrr", ABSENT),
        ("mrr + 1", ABSENT),
        ("0 * mrr", ABSENT),
        ("-mrr", ABSENT),
        ("abs(mrr)", ABSENT),
        ("1 / 0", ABSENT),
        ("-1 / 0", ABSENT),
        ("0 / 0", ABSENT),
        ("1 / zero", ABSENT),
        ("1 / (1 / zero)", ABSENT),
        ("nps / (nps - 5)", ABSENT),
        ("max(mrr, 3)", 3.0),
        ("max(mrr, nps, 1)", 5.0),
        ("min(mrr, nps, 9)", 5.0),
        ("min(3, 1 / 0)", 3.0),
        ("max(mrr, logins_7d)", ABSENT),
        ("mrr > 1 ? 1 : 2", 2.0),
        ("onboarded ? 1 : 2", 2.0),
        ("has(mrr) ? mrr : 7", 7.0),
        ("has(nps) ? nps : 7", 5.0),
    ] {
        check_number(source, &[("nps", 5.0)], expected);
    }
    let huge = "9".repeat(300);
    check_number(&format!("{huge} * {huge}"), &[], ABSENT);
    check_number("mrr * mrr", &[("mrr", 1e300)], ABSENT);
    check_number("mrr", &[("mrr", f64::INFINITY)], ABSENT);
}

#[test]
fn absent_conditions() {
    // Each with `onboarded` absent, false and true.
    for (source, absent, no, yes) in [
        ("onboarded", false, false, true),
        ("!onboarded", false, true, false),
        ("!(onboarded)", false, true, false),
        ("!!onboarded", false, false, true),
        ("!!!onboarded", false, true, false),
        ("onboarded == true", false, false, true),
        ("onboarded != true", false, true, false),
        ("onboarded == false", false, true, false),
        ("true != (onboarded)", false, true, false),
        ("onboarded == at_risk", false, true, false),
        ("onboarded == (mrr > 1)", false, true, false),
        ("!(onboarded == true)", true, true, false),
        ("!(onboarded && true)", true, true, false),
        ("!(onboarded || false)", true, true, false),
        ("!(true ? onboarded : true)", true, true, false),
        ("(onboarded && true) == false", true, true, false),
        ("has(onboarded)", false, true, true),
        ("!has(onboarded)", true, false, false),
        ("onboarded ? true : at_risk", false, false, true),
        ("true ? onboarded : at_risk", false, false, true),
        ("onboarded || !onboarded", false, true, true),
        ("mrr != 3", false, false, false),
        ("!(mrr != 3)", true, true, true),
        ("mrr == mrr", false, false, false),
        ("mrr > 1 || onboarded", false, false, true),
    ] {
        check(source, &[("at_risk", 0.0)], absent);
        check(source, &[("at_risk", 0.0), ("onboarded", 0.0)], no);
        check(source, &[("at_risk", 0.0), ("onboarded", 1.0)], yes);
    }
}

#[test]
fn labels() {
    let values: Values = &[("grade", 1.0), ("stage", 1.0)];
    check("grade == \"amber\"", values, true);
    check("grade == 'amber'", values, true);
    check("grade != 'amber'", values, false);
    check("'red' == grade", values, false);
    check("'red' != grade", values, true);
    check("stage == 'adoption' && grade != 'green'", values, true);
    check("grade == grade", values, true);
    check("grade != 'red'", &[], false);
    check("has(grade)", values, true);
    check("grade == 'red'", &[("grade", 0.0)], true);
}

#[test]
fn functions() {
    for (source, expected) in [
        ("max(1, 2, 3)", 3.0),
        ("min(2, 1, 3)", 1.0),
        ("max(mrr, 10)", 10.0),
        ("min(mrr, 10)", 4.0),
        ("abs(-3)", 3.0),
        ("abs(mrr - 9)", 5.0),
        ("max(min(mrr, 3), abs(-2), 1)", 3.0),
        ("max(\n  mrr,\n  2 + 3\n)", 5.0),
    ] {
        check_number(source, &[("mrr", 4.0)], expected);
    }
}

#[test]
fn a_number_is_true_unless_absent_or_zero() {
    for (value, expected) in [(0.0, false), (-0.0, false), (2.0, true), (-1.0, true), (ABSENT, false)] {
        assert_eq!(compiled("mrr", Expected::Number).is_true(&lookup(&[("mrr", value)])), expected, "{value}");
    }
}

#[test]
fn long_but_flat_is_fine() {
    let source = vec!["mrr > 1"; 370].join(" && ");
    check(&source, &[("mrr", 2.0)], true);
    let source = format!("max({})", vec!["mrr"; 800].join(", "));
    check_number(&source, &[("mrr", 2.0)], 2.0);
}
