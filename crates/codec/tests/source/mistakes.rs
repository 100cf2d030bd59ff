//! Mistakes in mappings: what is said about each, and where.

use crate::try_mapping;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let mistakes = try_mapping(text).expect_err("it has mistakes");
    assert_eq!(mistakes, expected, "\n{text}");
}

/// One login with these fields besides.
#[track_caller]
fn check_field(field: &str, expected: &[&str]) {
    check(&format!("type: {{ constant: login }}\nsubject: /c\n{field}"), expected);
}

#[test]
fn fields_of_a_mapping() {
    check("{}", &["1:1: `type` of the mapping is missing", "1:1: `subject` of the mapping is missing"]);
    check("[]", &["1:1: expected the mapping, a mapping, found a list"]);
    check_field("tiem: /t", &["3:1: unknown field of the mapping `tiem`; did you mean `time`?"]);
    check_field(
        "id: { att: /i }",
        &[
            "3:5: a value has one of `at`, `constant`, `key` and `header`, and this has 0",
            "3:7: unknown field of the value `att`; did you mean `at`?",
        ],
    );
    check_field("id: { at: /i, key: true }", &["3:5: a value has one of `at`, `constant`, `key` and `header`, and this has 2"]);
    check_field("id: { key: false }", &["3:12: `key: false` is no place for a value to come from"]);
    check_field("id: 5", &["3:5: expected a JSON Pointer such as /user/id, found the number 5; put it in quotes to make it a text"]);
}

#[test]
fn pointers() {
    check_field("id: i", &["3:5: `i` is no JSON Pointer; a pointer begins with `/`; a fixed value is written { constant: i }"]);
    check_field("id: /a~b", &["3:5: `/a~b` is no JSON Pointer; `~0` stands for `~` and `~1` for `/`"]);
}

#[test]
fn event_types_and_their_fields() {
    check("{ type: { constant: logn }, subject: /c }", &["1:21: unknown event type `logn`; did you mean `login`?"]);
    check("{ type: { at: /t, map: { a: login, b: logn } }, subject: /c }", &["1:39: unknown event type `logn`; did you mean `login`?"]);
    check("{ type: { at: /t, map: { a: 5 } }, subject: /c }", &["1:9: `5` is no event type"]);
    check_field("data: { usr: /u }", &["3:9: unknown data field of the event types here `usr`; did you mean `user`?"]);
    check_field("data: { ticket: /u }", &["3:9: unknown data field of the event types here `ticket`; known are `ok`, `user`"]);
    check(
        "{ type: /t, subject: /c, data: { tickt: /u } }",
        &["1:34: unknown data field of the event types here `tickt`; did you mean `ticket`?"],
    );
}

#[test]
fn required_fields() {
    check("{ type: { constant: ticket.opened }, subject: /c }", &["1:9: `ticket.opened` needs the data field `ticket`"]);
    let text = "type: { at: /t, map: { a: invoice.paid, b: usage, c: login } }\nsubject: /c\ndata:\n  invoice: /i";
    check(text, &["4:3: `usage` needs the data field `feature`"]);
    assert!(try_mapping("{ type: /t, subject: /c }").is_ok(), "the records tell the type");
    check(
        "{ type: { constant: ticket.opened }, subject: /c, data: { tickt: /t } }",
        &[
            "1:57: `ticket.opened` needs the data field `ticket`",
            "1:59: unknown data field of the event types here `tickt`; did you mean `ticket`?",
        ],
    );
}

#[test]
fn conversions() {
    let head = "type: { constant: invoice.paid }\nsubject: /c\ndata:\n";
    for (field, expected) in [
        ("  amount_minor: { at: /a, as: minor_unit, exponent: 2 }", "4:31: unknown conversion `minor_unit`; did you mean `minor_units`?"),
        ("  amount_minor: { at: /a, as: minor_units }", "4:31: `minor_units` needs either `currency` or `exponent`"),
        (
            "  amount_minor: { at: /a, as: minor_units, exponent: 2, currency: EUR }",
            "4:31: `minor_units` needs either `currency` or `exponent`",
        ),
        ("  amount_minor: { at: /a, as: minor_units, exponent: 9 }", "4:54: exponent is 9, and must be from 0 to 6"),
        (
            "  amount_minor: { at: /a, as: minor_units, currency: EURO }",
            "4:54: \"EURO\" is no currency of ISO 4217 with a number of decimals",
        ),
        ("  due: { at: /a, exponent: 2 }", "4:28: `currency` and `exponent` belong to `as: minor_units`"),
        ("  invoice: { at: /a, as: customer_of_user }", "4:26: only `subject` can be the customer of a user"),
        ("  invoice: { at: /a, otherwise: x }", "4:33: `otherwise` belongs to a `map`"),
        ("  invoice: { at: /a, map: [a] }", "4:27: expected the map, a mapping, found a list"),
        ("  invoice: { at: /a, map: { a: b, a: c } }", "4:35: `a` stands here twice"),
        ("  invoice: { at: /a, map: { a: [b] } }", "4:32: expected a text, a number, true or false, found a list"),
        ("  invoice: { at: /a, trim: perhaps }", "4:28: expected trim, true or false, found the text `perhaps`"),
    ] {
        let mistakes = try_mapping(&format!("{head}{field}")).expect_err("it has mistakes");
        assert!(mistakes.iter().any(|mistake| mistake == expected), "{expected}\n{mistakes:#?}");
    }
}

#[test]
fn filters() {
    check_field("skip: { at: /a }", &["3:7: expected a list of conditions, found a mapping"]);
    check_field(
        "skip: [{ at: /a }]",
        &["3:8: a condition has one of `equals`, `not_equals`, `in`, `not_in`, `exists` and `missing`, and this has 0"],
    );
    check_field("skip: [{ equals: 1 }]", &["3:8: `at` of the condition is missing"]);
    check_field("skip: [{ at: /a, in: x }]", &["3:22: expected a list of values, found the text `x`"]);
    check_field("skip: [{ at: /a, equals: [x] }]", &["3:26: expected a text, a number, true or false, found a list"]);
    check_field("skip: [{ at: /a, exists: x }]", &["3:26: expected exists, true or false, found the text `x`"]);
}
