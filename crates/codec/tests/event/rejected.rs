//! Every rejection: its reason, and a detail that names the field, what was found and what was expected.

use bellwether_codec::event::Decoder;

use crate::{check, line};

const GOOD: &str = r#"{"id":"e","source":"s","type":"login","subject":"c","time":"2026-03-01T00:00:00Z","data":{}}"#;

#[test]
fn bytes_that_are_not_utf8() {
    let rejection = Decoder::default().decode(b"{\"id\":\"\xff\"}").unwrap_err();
    assert_eq!(rejection.to_string(), "invalid_utf8: byte 8 (0xff) is not UTF-8");
}

#[test]
fn text_that_is_not_json() {
    for (line, expected) in [
        ("", "invalid_json: EOF while parsing a value at line 1 column 0"),
        ("{", "invalid_json: EOF while parsing an object at line 1 column 1"),
        ("hello", "invalid_json: expected value at line 1 column 1"),
        ("{'id':1}", "invalid_json: key must be a string at line 1 column 2"),
        (r#"{"id":NaN}"#, "invalid_json: expected value at line 1 column 7"),
        (r#"{"id":Infinity}"#, "invalid_json: expected value at line 1 column 7"),
        (r#"{"id":"a}"#, "invalid_json: EOF while parsing a string at line 1 column 9"),
        (r#"{"id":"a","id":"b"}"#, "invalid_json: duplicate field `id` at line 1 column 14"),
        (r#"{"type":"login","type":"login"}"#, "invalid_json: duplicate field `type` at line 1 column 22"),
        (r#"{"data":{},"data":{}}"#, "invalid_json: duplicate field `data` at line 1 column 17"),
        (r#"{"id":"\ud800"}"#, "invalid_json: unexpected end of hex escape at line 1 column 14"),
    ] {
        check(line, expected);
    }
    check(&format!("{GOOD}{{}}"), "invalid_json: trailing characters at line 1 column 93");
    check(&GOOD[..GOOD.len() - 1], "invalid_json: EOF while parsing an object at line 1 column 91");
    check(
        &line("login", r#"{"user":"a","user":"b"}"#),
        &format!("invalid_json: duplicate field `user` at line 1 column {}", line("login", "").len() + 25),
    );
    check(
        r#"{"data":{"user":1,"user":1},"type":"login","id":"e","source":"s","subject":"c","time":"2026-03-01T00:00:00Z"}"#,
        "invalid_json: in data: duplicate field `user` at line 1 column 16",
    );
}

#[test]
fn json_that_is_not_an_event() {
    check("[1]", "wrong_type: the line is not an event: invalid type: sequence, expected a JSON object at line 1 column 0");
    check("42", "wrong_type: the line is not an event: invalid type: integer `42`, expected a JSON object at line 1 column 2");
    check("null", "wrong_type: the line is not an event: invalid type: null, expected a JSON object at line 1 column 4");
    check(&GOOD.replace("{}", "[\"u7\"]"), "wrong_type: data: expected an object, found an array");
    check(&GOOD.replace("{}", "\"{}\""), "wrong_type: data: expected an object, found the text \"{}\"");
    check(&GOOD.replace("{}", "7"), "wrong_type: data: expected an object, found the number 7");
    let binary = "wrong_type: data_base64: binary data are not read: expected an object in data";
    check(&GOOD.replace(r#""data":{}"#, r#""data_base64":"eyJ1c2VyIjoidTcifQ==""#), binary);
    check(&GOOD.replace(r#""data":{}"#, r#""data":{},"data_base64":7"#), binary);
    check(&GOOD.replace(r#"{"id""#, r#"{"data_base64":{"a":[1]},"id""#), binary);
    check(
        &GOOD.replace(r#""data":{}"#, r#""data_base64":"","data_base64":null"#),
        "invalid_json: duplicate field `data_base64` at line 1 column 118",
    );
}

#[test]
fn nesting_without_end() {
    for line in
        ["[".repeat(100_000), "{\"a\":".repeat(100_000), GOOD.replace("{}", &format!("{{\"x\":{}{}}}", "[".repeat(200), "]".repeat(200)))]
    {
        let rejection = Decoder::default().decode_text(&line).unwrap_err();
        assert_eq!(rejection.reason.code(), "too_deep");
    }
    check(&"[".repeat(300), "too_deep: objects and arrays are nested more than 128 levels deep at column 129");
}

#[test]
fn attributes() {
    let long = "x".repeat(257);
    for (from, to, expected) in [
        (r#""id":"e","#, "", "missing_field: id is missing"),
        (r#""source":"s","#, "", "missing_field: source is missing"),
        (r#""type":"login","#, "", "missing_field: type is missing"),
        (r#""subject":"c","#, "", "missing_field: subject is missing"),
        (r#","time":"2026-03-01T00:00:00Z""#, "", "missing_field: time is missing"),
        (r#""subject":"c""#, r#""subject":null"#, "missing_field: subject is missing"),
        (r#""subject":"c""#, r#""subject":"""#, "out_of_range: subject: must not be empty"),
        (r#""subject":"c""#, r#""subject":"c\n1""#, "out_of_range: subject: contains a control character"),
        (r#""subject":"c""#, r#""subject":1.5"#, "wrong_type: subject: expected a text or an integer, found the number 1.5"),
        (r#""id":"e""#, r#""id":true"#, "wrong_type: id: expected a text or an integer, found true"),
        (r#""source":"s""#, r#""source":7"#, "wrong_type: source: expected a text, found the number 7"),
        (r#""login""#, "7", "wrong_type: type: expected the name of an event type, found the number 7"),
        (r#""id":"e""#, &format!(r#""id":"{long}""#), "out_of_range: id: 257 bytes are more than 256"),
        (r#""c""#, &format!(r#""{long}""#), "out_of_range: subject: 257 bytes are more than 256"),
        (
            "2026-03-01T00:00:00Z",
            "1900-01-01T00:00:00Z",
            "time_out_of_range: time: \"1900-01-01T00:00:00Z\" is not between 1970-01-01 and 2200-01-01",
        ),
        (
            "2026-03-01T00:00:00Z",
            "2999-01-01T00:00:00Z",
            "time_out_of_range: time: \"2999-01-01T00:00:00Z\" is not between 1970-01-01 and 2200-01-01",
        ),
        ("2026-03-01T00:00:00Z", "2026-03-01", "wrong_type: time: expected an RFC 3339 time, found the text \"2026-03-01\""),
        (r#""2026-03-01T00:00:00Z""#, "1772323200", "wrong_type: time: expected an RFC 3339 time, found the number 1772323200"),
    ] {
        let line = GOOD.replacen(from, to, 1);
        assert_ne!(line, GOOD, "{from}");
        check(&line, expected);
    }
}

#[test]
fn types() {
    check(&line("logon", "{}"), r#"unknown_type: type: "logon" is unknown, the nearest known type is "login""#);
    check(&line("ticket.open", "[1]"), r#"unknown_type: type: "ticket.open" is unknown, the nearest known type is "ticket.opened""#);
    check(&line("Login", "{}"), r#"unknown_type: type: "Login" is unknown, the nearest known type is "login""#);
    check(&line("x", "{}"), r#"unknown_type: type: "x" is unknown"#);
    check(r#"{"type":"x"}"#, r#"unknown_type: type: "x" is unknown"#);
    let long = format!(r#"unknown_type: type: "{}"... is unknown"#, "y".repeat(60));
    check(&line(&"y".repeat(100_000), "{}"), &long);
}

#[test]
fn missing_data() {
    for (kind, data, field) in [
        ("ticket.opened", "{}", "ticket"),
        ("ticket.opened", "null", "ticket"),
        ("ticket.opened", "", "ticket"),
        ("subscription.started", r#"{"subscription":null}"#, "subscription"),
        ("invoice.paid", "{}", "invoice"),
        ("usage", r#"{"count":1}"#, "feature"),
        ("quota", r#"{"used":1,"limit":1}"#, "name"),
        ("quota", r#"{"name":"n","limit":1}"#, "used"),
        ("quota", r#"{"name":"n","used":1}"#, "limit"),
        ("survey.answered", r#"{"score":1}"#, "kind"),
        ("survey.answered", r#"{"kind":"nps"}"#, "score"),
        ("user.invited", r#"{"user":""}"#, "user"),
        ("milestone.reached", "{}", "name"),
        ("contact.changed", "{}", "role"),
        ("consent.changed", "{}", "marketing"),
        ("note.recorded", r#"{"kind":"risk"}"#, "note"),
        ("incident.started", "{}", "incident"),
        ("goal.set", "{}", "metric"),
        ("campaign.sent", "{}", "campaign"),
        ("signal.rated", "{}", "signal"),
        ("cost.recorded", "{}", "kind"),
        ("cost.recorded", r#"{"kind":"retention"}"#, "amount_minor"),
        ("cost.recorded", r#"{"kind":"retention","amount_minor":1}"#, "currency"),
        ("cost.recorded", r#"{"kind":"retention","amount_minor":1,"currency":"EUR"}"#, "period"),
    ] {
        check(&line(kind, data), &format!("missing_field: data.{field} is missing"));
    }
}

#[test]
fn data_of_the_wrong_type() {
    for (kind, data, expected) in [
        ("login", r#"{"user":{"id":7}}"#, "data.user: expected a text or an integer, found an object"),
        ("login", r#"{"ok":"yes"}"#, "data.ok: expected true or false, found the text \"yes\""),
        ("ticket.opened", r#"{"ticket":true}"#, "data.ticket: expected a text or an integer, found true"),
        ("ticket.opened", r#"{"ticket":"t","channel":3}"#, "data.channel: expected a text, found the number 3"),
        (
            "subscription.changed",
            r#"{"subscription":"s","mrr_minor":1000.0}"#,
            "data.mrr_minor: expected an integer in minor units, found the number 1000.0",
        ),
        (
            "subscription.changed",
            r#"{"subscription":"s","mrr_minor":"1000"}"#,
            "data.mrr_minor: expected an integer in minor units, found the text \"1000\"",
        ),
        ("subscription.changed", r#"{"subscription":"s","seats":"5"}"#, "data.seats: expected an integer, found the text \"5\""),
        (
            "subscription.changed",
            r#"{"subscription":"s","period_end":"soon"}"#,
            "data.period_end: expected a date or an RFC 3339 time, found the text \"soon\"",
        ),
        ("subscription.ended", r#"{"subscription":"s","reason":3}"#, "data.reason: expected a text, found the number 3"),
        ("subscription.started", r#"{"subscription":"s","trial":1}"#, "data.trial: expected true or false, found the number 1"),
        ("invoice.issued", r#"{"invoice":"i","due":20260301}"#, "data.due: expected a text, found the number 20260301"),
        ("cancellation.reasoned", r#"{"reason":["a"]}"#, "data.reason: expected a text, found an array"),
        ("usage", r#"{"feature":"f","count":2.5}"#, "data.count: expected an integer, found the number 2.5"),
        ("usage", r#"{"feature":"f","value":"2.5"}"#, "data.value: expected a number, found the text \"2.5\""),
        ("usage", r#"{"feature":7}"#, "data.feature: expected a text, found the number 7"),
    ] {
        check(&line(kind, data), &format!("wrong_type: {expected}"));
    }
}

#[test]
fn data_out_of_range() {
    let long = format!(r#"{{"feature":"{}"}}"#, "é".repeat(129));
    for (kind, data, expected) in [
        ("usage", &*long, "data.feature: 258 bytes are more than 256"),
        ("usage", r#"{"feature":""}"#, "data.feature: must not be empty"),
        ("usage", r#"{"feature":"f","count":0}"#, "data.count: 0 is less than 1"),
        ("usage", r#"{"feature":"f","count":18446744073709551615}"#, "data.count: 18446744073709551615 is more than 9223372036854775807"),
        ("ticket.opened", r#"{"ticket":"t","priority":"p1"}"#, "data.priority: \"p1\" is none of low, normal, high, urgent"),
        ("subscription.started", r#"{"subscription":"s","mrr_minor":-5}"#, "data.mrr_minor: -5 is negative"),
        (
            "subscription.started",
            r#"{"subscription":"s","currency":"EURO"}"#,
            "data.currency: \"EURO\" is not a currency code of three letters",
        ),
        ("subscription.started", r#"{"subscription":"s","currency":"€"}"#, "data.currency: \"€\" is not a currency code of three letters"),
        ("subscription.started", r#"{"subscription":"s","seats":-1}"#, "data.seats: -1 is less than 0"),
        ("subscription.started", r#"{"subscription":"s","seats":5000000000}"#, "data.seats: 5000000000 is more than 4294967295"),
        ("invoice.issued", r#"{"invoice":"i","amount_minor":-1}"#, "data.amount_minor: -1 is negative"),
        ("payment.failed", r#"{"invoice":"i","attempt":0}"#, "data.attempt: 0 is less than 1"),
        ("quota", r#"{"name":"n","used":-0.5,"limit":1}"#, "data.used: -0.5 is negative"),
        ("quota", r#"{"name":"n","used":1,"limit":0}"#, "data.limit: 0 is not more than 0"),
        ("survey.answered", r#"{"kind":"mood","score":1}"#, "data.kind: \"mood\" is none of nps, csat, ces, goal"),
        ("survey.answered", r#"{"kind":"nps","score":11}"#, "data.score: 11 is outside of the scale from 0 to 10"),
        ("survey.answered", r#"{"kind":"csat","score":0}"#, "data.score: 0 is outside of the scale from 1 to 5"),
        ("survey.answered", r#"{"kind":"csat","score":3,"scale_min":5}"#, "data.scale_max: 5 is not more than scale_min 5"),
        ("survey.answered", r#"{"kind":"csat","score":3,"direction":"left"}"#, "data.direction: \"left\" is none of up, down"),
        ("note.recorded", r#"{"note":"n","kind":"idea"}"#, "data.kind: \"idea\" is none of feature_request, observation, risk, praise"),
        ("campaign.converted", r#"{"campaign":"k","amount_minor":-1}"#, "data.amount_minor: -1 is negative"),
        ("cost.recorded", r#"{"kind":"acquisition","amount_minor":-1}"#, "data.amount_minor: -1 is negative"),
    ] {
        check(&line(kind, data), &format!("out_of_range: {expected}"));
    }
    check(&line("cost.recorded", "{}").replace("_company", "c-1"), "out_of_range: subject: must be `_company` for cost.recorded");
    check(
        &line("invoice.issued", r#"{"invoice":"i","due":"1969-12-31"}"#),
        "time_out_of_range: data.due: \"1969-12-31\" is not between 1970-01-01 and 2200-01-01",
    );
}

#[test]
fn a_journal_line_with_a_user_that_is_no_token() {
    let rejection = Decoder::default().decode_journal(&line("login", r#"{"user":"u7"}"#)).unwrap_err();
    assert_eq!(rejection.to_string(), "out_of_range: data.user: \"u7\" is not `u-` and 16 hexadecimal digits");
}
