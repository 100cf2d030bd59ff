//! Every way in which a value gets into an event, and every way in which it does not.

use bellwether_codec::event::Decoder;
use bellwether_codec::source::{SourceDecoder, SourceFormat, SourceRecord, Tombstones};

use crate::{Header, check, mapped, outcome, record, try_mapping};

/// A login whose field `user` is mapped like this.
fn user(mapping: &str) -> SourceDecoder {
    mapped(&format!("{{ type: {{ constant: usage }}, subject: {{ constant: c }}, data: {{ feature: {mapping} }} }}"))
}

#[track_caller]
fn check_feature(mapping: &str, value: &str, expected: &str) {
    let expected = match expected.strip_prefix('=') {
        Some(feature) => format!(
            r#"{{"specversion":"1.0","id":"logins-3-41","source":"logins","type":"usage","subject":"c","time":"2026-03-01T08:15:00.25Z","data":{{"feature":"{feature}"}}}}"#
        ),
        None => expected.to_owned(),
    };
    check(&user(mapping), value, &expected);
}

#[test]
fn pointers_lead_anywhere() {
    for (pointer, value) in [
        ("/a", r#"{"a":"x"}"#),
        ("/a/b/1/c", r#"{"a":{"b":[0,{"c":"x"}]}}"#),
        ("/a~1b/m~0n", r#"{"a/b":{"m~n":"x"}}"#),
        ("\"/\"", r#"{"":"x"}"#),
        ("/0", r#"["x"]"#),
    ] {
        check_feature(pointer, value, "=x");
    }
    for value in [r#"{"b":"x"}"#, r#"{"a":null}"#, "[]", "null", "7"] {
        check_feature("/a", value, "missing_field: data.feature is missing (from /a)");
    }
    check_feature("/a", r#"{"a":{}}"#, "wrong_type: data.feature: expected a text, found an object (from /a)");
    check_feature("/a", r#"{"a":7}"#, "wrong_type: data.feature: expected a text, found the number 7 (from /a)");
}

#[test]
fn steps_are_taken_in_their_order() {
    for (mapping, value, expected) in [
        ("{ at: /a, trim: true, lowercase: true }", r#"{"a":" X Y "}"#, "=x y"),
        ("{ at: /a, lowercase: true, map: { x: y } }", r#"{"a":"X"}"#, "=y"),
        ("{ at: /a, map: { 1: one, true: yes } }", r#"{"a":1}"#, "=one"),
        ("{ at: /a, map: { 1: one, true: yes } }", r#"{"a":true}"#, "=yes"),
        ("{ at: /a, map: { x: 5 }, as: text }", r#"{"a":"x"}"#, "=5"),
        ("{ at: /a, map: { x: y }, otherwise: z }", r#"{"a":"w"}"#, "=z"),
        ("{ at: /a, map: { x: y }, otherwise: ~, default: d }", r#"{"a":"w"}"#, "=d"),
        ("{ at: /a, map: { x: y }, default: d }", "{}", "=d"),
        ("{ at: /a, default: d }", r#"{"a":""}"#, "=d"),
        ("{ at: /a, default: d }", r#"{"a":null}"#, "=d"),
        ("{ at: /a, trim: true, default: d }", r#"{"a":"  "}"#, "=d"),
        ("{ at: /a, as: text }", r#"{"a":7.10}"#, "=7.10"),
        ("{ at: /a, map: { x: y } }", r#"{"a":"w"}"#, r#"out_of_range: data.feature: the text "w" is not in the map (from /a)"#),
        (
            "{ at: /a, map: { x: y } }",
            r#"{"a":[]}"#,
            "wrong_type: data.feature: expected a text, a number, true or false, found an array (from /a)",
        ),
        ("{ at: /a, map: { x: ~ } }", r#"{"a":"x"}"#, "missing_field: data.feature is missing (from /a)"),
        ("{ constant: 7 }", "{}", "wrong_type: data.feature: expected a text, found the number 7 (from a constant)"),
        ("{ key: true }", "{}", "=c-1"),
        ("{ header: h }", "{}", "missing_field: data.feature is missing (from the header `h`)"),
    ] {
        check_feature(mapping, value, expected);
    }
}

#[test]
fn headers_and_keys_are_text() {
    let headers: [Header<'_>; 2] = [("h", Some(b"x")), ("bad", Some(b"\xff"))];
    let record = SourceRecord { headers: &headers, key: Some(b"\xfe"), ..record("{}") };
    assert!(outcome(&user("{ header: h }"), &record).contains(r#""feature":"x""#));
    let expected = "invalid_utf8: data.feature: byte 1 (0xff) is not UTF-8 (from the header `bad`)";
    assert_eq!(outcome(&user("{ header: bad }"), &record), expected);
    assert_eq!(outcome(&user("{ key: true }"), &record), "invalid_utf8: data.feature: byte 1 (0xfe) is not UTF-8 (from the key)");
}

#[test]
fn attributes_fall_back_on_the_record() {
    let decoder = mapped("{ type: { constant: login }, subject: /c, id: /id, time: /t }");
    let login = |id: &str, time: &str| {
        format!(r#"{{"specversion":"1.0","id":"{id}","source":"logins","type":"login","subject":"x","time":"{time}","data":{{}}}}"#)
    };
    check(&decoder, r#"{"c":"x","id":7,"t":"2026-03-01T00:00:00Z"}"#, &login("7", "2026-03-01T00:00:00Z"));
    check(&decoder, r#"{"c":"x","t":"2026-03-01T00:00:00Z"}"#, &login("logins-3-41", "2026-03-01T00:00:00Z"));
    check(&decoder, r#"{"c":"x"}"#, "missing_field: time is missing (from /t)");
    check(&decoder, r#"{"t":"2026-03-01T00:00:00Z"}"#, "missing_field: subject is missing (from /c)");
    check(
        &decoder,
        r#"{"c":"x","t":"1900-01-01T00:00:00Z"}"#,
        "time_out_of_range: time: \"1900-01-01T00:00:00Z\" is not between 1970-01-01 and 2200-01-01 (from /t)",
    );
    let untimed = mapped("{ type: { constant: login }, subject: /c }");
    check(&untimed, r#"{"c":"x"}"#, &login("logins-3-41", "2026-03-01T08:15:00.25Z"));
    let record = SourceRecord { timestamp_ms: None, ..record(r#"{"c":"x"}"#) };
    assert_eq!(outcome(&untimed, &record), "missing_field: time is missing");
}

#[test]
fn counts_since_1970_in_the_wrong_unit_are_refused() {
    let decoder = mapped("{ type: { constant: login }, subject: /c, time: { at: /t, as: epoch_milliseconds } }");
    check(
        &decoder,
        r#"{"c":"x","t":1772352900123456}"#,
        "time_out_of_range: time: 1772352900123456 milliseconds since 1970 are no time between 1970 and 9999 (from /t)",
    );
    check(
        &decoder,
        r#"{"c":"x","t":"today"}"#,
        r#"wrong_type: time: expected a number of milliseconds since 1970, found the text "today" (from /t)"#,
    );
}

#[test]
fn types_come_from_the_record_too() {
    let text = "{ type: /kind, subject: /c }";
    let decoder = mapped(text);
    check(
        &decoder,
        r#"{"kind":"logon","c":"x"}"#,
        r#"unknown_type: type: "logon" is unknown, the nearest known type is "login" (from /kind)"#,
    );
    check(&decoder, r#"{"c":"x"}"#, "missing_field: type is missing (from /kind)");
    check(&decoder, r#"{"c":"x","kind":[]}"#, "wrong_type: type: expected the name of an event type, found an array (from /kind)");
    let format = || SourceFormat::Mapped(Box::new(try_mapping(text).unwrap()));
    let decoder = SourceDecoder::new(format(), Decoder::default().skip_unknown_types(true));
    check(&decoder, r#"{"kind":"logon","c":"x"}"#, "skipped");
    let mapped = try_mapping("{ type: { at: /kind, map: { a: login } }, subject: /c }").unwrap();
    let decoder = SourceDecoder::new(SourceFormat::Mapped(Box::new(mapped)), Decoder::default().skip_unknown_types(true));
    check(&decoder, r#"{"kind":"b","c":"x"}"#, "skipped");
    let tombstone = SourceRecord { value: None, ..record("") };
    assert_eq!(outcome(&decoder, &tombstone), "skipped");
    let decoder = decoder.tombstones(Tombstones::Reject);
    assert_eq!(outcome(&decoder, &tombstone), "missing_field: the record has no value (a tombstone)");
}

#[test]
fn what_is_no_json_is_refused() {
    let decoder = mapped("{ type: { constant: login }, subject: /c }");
    check(&decoder, "", "invalid_json: EOF while parsing a value at line 1 column 0");
    check(&decoder, r#"{"c":}"#, "invalid_json: expected value at line 1 column 6");
    check(&decoder, &"[".repeat(300), "too_deep: objects and arrays are nested more than 128 levels deep at column 129");
    let record = SourceRecord { value: Some(b"\xff"), ..record("") };
    assert_eq!(outcome(&decoder, &record), "invalid_utf8: byte 1 (0xff) is not UTF-8");
}
