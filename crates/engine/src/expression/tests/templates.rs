//! Summary templates.

use super::super::{ExpressionError, Scope, template};
use super::{SYMBOLS, lookup, names, params};

fn compile(source: &str) -> Result<template::Template, Vec<ExpressionError>> {
    template::compile(source, &Scope { symbols: &SYMBOLS, params: &params() })
}

#[track_caller]
fn check(source: &str, values: &[(&str, f64)], expected: &str) {
    let template = compile(source).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
    let mut text = String::new();
    template.render(&lookup(values), &mut text);
    assert_eq!(text, expected, "{source}");
    assert_eq!(template.source(), source);
}

#[test]
fn values_in_text() {
    let values: &[(&str, f64)] = &[("days_since_login", 31.0), ("mrr", 99.96), ("nps", 7.25), ("grade", 1.0)];
    check("No login for {days_since_login} days", values, "No login for 31 days");
    check("{days_since_login} of {days}, {ratio}", values, "31 of 30, 0.5");
    check("{mrr} {nps} { grade } {stage}", values, "100 7.3 amber unknown");
    check("{onboarded} {at_risk}", &[("onboarded", 1.0), ("at_risk", 0.0)], "yes no");
    check("{onboarded} {mrr} {grade}", &[("grade", 9.0)], "unknown unknown unknown");
    check("{{mrr}} {{{nps}}} 100 %", values, "{mrr} {7.3} 100 %");
    check("", values, "");
    check("Züge für {grade}: ≥ {nps}", values, "Züge für amber: ≥ 7.3");
}

#[test]
fn numbers_are_rounded_to_a_tenth() {
    for (value, expected) in [
        (0.0, "0"),
        (-0.0, "0"),
        (-0.04, "0"),
        (0.05, "0.1"),
        (-1.25, "-1.3"),
        (2.0, "2"),
        (2.96, "3"),
        (1234567.891, "1234567.9"),
        (1e15, "1000000000000000"),
        (f64::INFINITY, "unknown"),
    ] {
        check("{mrr}", &[("mrr", value)], expected);
    }
}

#[test]
fn features_of_a_template() {
    assert_eq!(names(compile("{mrr} {days} {grade} {mrr}").unwrap().features()), ["mrr", "grade"]);
}

#[test]
fn all_errors_of_a_template() {
    let source = "{mr} days }, {} and {a + b} for {weather";
    let errors: Vec<String> = compile(source).unwrap_err().iter().map(|error| error.render(source)).collect();
    let expected = "\
{mr} days }, {} and {a + b} for {weather
 ^^ unknown name `mr`
 help: did you mean `mrr`?
{mr} days }, {} and {a + b} for {weather
          ^ `}` closes nothing
          help: write `}}` for a brace
{mr} days }, {} and {a + b} for {weather
             ^^ braces hold the name of one feature or param
             help: write `{{` and `}}` for braces in the text
{mr} days }, {} and {a + b} for {weather
                    ^^^^^^^ braces hold the name of one feature or param
                    help: write `{{` and `}}` for braces in the text
{mr} days }, {} and {a + b} for {weather
                                ^ `{` is not closed
                                help: write `{name}` for a value and `{{` for a brace";
    assert_eq!(errors.join("\n"), expected);
    assert!(compile(&"x".repeat(5000)).is_err());
}
