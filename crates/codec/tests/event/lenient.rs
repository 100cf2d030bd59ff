//! What producers write differently, and what is read all the same.

use bellwether_codec::event::Decoder;
use bellwether_codec::rejection::RejectReason;

use crate::{check, line, outcome};

#[test]
fn data_before_type_reads_the_same() {
    let last =
        r#"{"type":"usage","id":"e","source":"s","subject":"c","time":"2026-03-01T00:00:00Z","data":{"feature":"f","count":2,"x":[{}]}}"#;
    let first =
        r#"{"data":{"feature":"f","count":2,"x":[{}]},"type":"usage","id":"e","source":"s","subject":"c","time":"2026-03-01T00:00:00Z"}"#;
    let decoder = Decoder::default();
    assert_eq!(decoder.decode_text(first).unwrap(), decoder.decode_text(last).unwrap());
}

#[test]
fn unknown_fields_of_any_shape_are_ignored() {
    let body = outcome(&line("login", "{}"));
    for data in [
        r#"{"ticket":1,"kind":[],"seats":"many","mrr_minor":-1,"due":"never"}"#,
        r#"{"device":{"os":["linux",{"version":6}]},"huge":1e999,"surrogate":"\ud800"}"#,
        r#"{"x":1,"x":2}"#,
    ] {
        check(&line("login", data), &body);
    }
    check(&line("login", "{}").replace("\"1.0\"", "7"), &body);
}

#[test]
fn null_and_empty_text_are_absent() {
    check(&line("login", r#"{"user":null,"ok":null}"#), "Login { user: None, ok: true }");
    check(&line("login", r#"{"user":""}"#), "Login { user: None, ok: true }");
    check(
        &line("invoice.paid", r#"{"invoice":"i","amount_minor":null,"currency":"","due":"","attempt":null}"#),
        r#"Invoice { step: Paid, invoice: "i", amount_minor: None, currency: None, due: None, attempt: None }"#,
    );
}

#[test]
fn ids_may_be_integers() {
    let decoder = Decoder::default();
    let numbers = r#"{"type":"survey.answered","id":18446744073709551615,"source":"s","subject":-42,"time":"2026-03-01T00:00:00Z","data":{"kind":"nps","score":0,"user":7,"ticket":8}}"#;
    let texts = r#"{"type":"survey.answered","id":"18446744073709551615","source":"s","subject":"-42","time":"2026-03-01T00:00:00Z","data":{"kind":"nps","score":0,"user":"7","ticket":"8"}}"#;
    assert_eq!(decoder.decode_text(numbers).unwrap(), decoder.decode_text(texts).unwrap());
    for (kind, data) in [
        ("ticket.opened", r#"{"ticket":12}"#),
        ("invoice.paid", r#"{"invoice":12}"#),
        ("subscription.renewed", r#"{"subscription":12}"#),
        ("note.recorded", r#"{"note":12}"#),
        ("campaign.sent", r#"{"campaign":12}"#),
        ("incident.started", r#"{"incident":12}"#),
    ] {
        let (number, text) = (line(kind, data), line(kind, &data.replace("12", "\"12\"")));
        assert_eq!(decoder.decode_text(&number).unwrap(), decoder.decode_text(&text).unwrap());
    }
}

#[test]
fn escapes_white_space_and_a_byte_order_mark() {
    let plain = outcome(&line("usage", r#"{"feature":"a/b"}"#));
    check(&line("usage", r#"{"fe\u0061ture":"a\/b"}"#), &plain);
    check(&format!("\u{feff}{}", line("usage", r#"{"feature":"a/b"}"#)), &plain);
    check(&format!(" \t{}\r\n", line("usage", r#"{ "feature" : "a/b" }"#)), &plain);
    check(&line("usage", r#"{"feature":"caf\u00e9 \ud83d\ude00"}"#), &line_feature("café 😀"));
}

fn line_feature(feature: &str) -> String {
    format!("Usage {{ feature: {feature:?}, count: 1, value: None, user: None }}")
}

#[test]
fn choices_in_any_case_and_codes_instead_of_free_text() {
    check(
        &line("ticket.opened", r#"{"ticket":"t","priority":"HIGH"}"#),
        r#"Ticket { step: Opened, ticket: "t", channel: None, priority: Some(High), topic: None }"#,
    );
    let ended = outcome(&line("subscription.ended", r#"{"subscription":"s","reason":"other"}"#));
    check(&line("subscription.ended", r#"{"subscription":"s","reason":"moved to Mars"}"#), &ended);
    let other = outcome(&line("cancellation.reasoned", r#"{"reason":"other"}"#));
    let words = "We would love to stay, but our new head of finance, Ms Example, said no";
    check(&line("cancellation.reasoned", &format!(r#"{{"reason":"{words}"}}"#)), &other);
}

#[test]
fn a_huge_count_is_the_largest_count() {
    check(&line("usage", r#"{"feature":"f","count":5000000000}"#), r#"Usage { feature: "f", count: 4294967295, value: None, user: None }"#);
}

#[test]
fn no_end_is_a_date_far_away() {
    let far = outcome(&line("cancellation.requested", r#"{"effective":"2200-01-01"}"#));
    check(&line("cancellation.requested", r#"{"effective":"9999-12-31"}"#), &far);
    check(&line("cancellation.requested", r#"{"effective":"9999-12-31T23:59:59Z"}"#), &far);
}

#[test]
fn unknown_types_may_be_skipped() {
    let decoder = Decoder::default().skip_unknown_types(true);
    let rejection = decoder.decode_text(r#"{"type":"page.viewed"}"#).unwrap_err();
    assert_eq!(rejection.reason, RejectReason::SkippedType);
    assert!(decoder.decode_text(&line("login", "{}")).is_ok());
}

#[test]
fn a_long_line_with_many_brackets_is_not_deep() {
    let data = format!(r#"{{"rows":[{}0],"text":"{}"}}"#, "[1],{},".repeat(300), "[".repeat(300));
    check(&line("login", &data), "Login { user: None, ok: true }");
}
