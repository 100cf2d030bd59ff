//! CloudEvents in both modes and plain JSON: what the record itself tells stands in where the event does not.

use bellwether_codec::event::Decoder;
use bellwether_codec::source::{SourceDecoder, SourceFormat, SourceRecord, Tombstones};

use crate::{Header, outcome, record};

const STRUCTURED: &str =
    r#"{"specversion":"1.0","id":"e1","source":"/s","type":"login","subject":"c-9","time":"2026-03-01T00:00:00Z","data":{"ok":false}}"#;
const EVENT: &str = STRUCTURED;

#[track_caller]
fn check(format: SourceFormat, record: SourceRecord<'_>, expected: &str) {
    let decoder = SourceDecoder::new(format.clone(), Decoder::default());
    assert_eq!(outcome(&decoder, &record), expected, "\n{format:?} {record:?}");
}

/// The headers of a CloudEvent in binary mode, with some left out and some put in.
fn headers<'a>(without: &str, with: &[Header<'a>]) -> Vec<Header<'a>> {
    let all: [Header<'a>; 6] = [
        ("ce_specversion", Some(b"1.0")),
        ("ce_id", Some(b"e1")),
        ("ce_source", Some(b"/s")),
        ("ce_type", Some(b"login")),
        ("ce_subject", Some(b"c-9")),
        ("ce_time", Some(b"2026-03-01T00:00:00Z")),
    ];
    all.into_iter().filter(|(name, _)| *name != without).chain(with.iter().copied()).collect()
}

#[test]
fn every_format_reads_a_structured_event_but_binary() {
    for format in [SourceFormat::Auto, SourceFormat::Structured, SourceFormat::Plain] {
        check(format, record(STRUCTURED), EVENT);
    }
    check(SourceFormat::Binary, record(STRUCTURED), "missing_field: ce_type is missing");
}

#[test]
fn plain_json_is_completed_by_its_record() {
    let plain = r#"{"type":"login","subject":"c-9"}"#;
    let expected = r#"{"specversion":"1.0","id":"logins-3-41","source":"logins","type":"login","subject":"c-9","time":"2026-03-01T08:15:00.25Z","data":{}}"#;
    check(SourceFormat::Plain, record(plain), expected);
    check(SourceFormat::Auto, record(plain), expected);
    check(SourceFormat::Auto, record(r#"{"id":null,"source":"","type":"login","subject":"c-9","time":null}"#), expected);
    check(SourceFormat::Structured, record(plain), "missing_field: id is missing");
    check(SourceFormat::Plain, record(r#"{"type":"login"}"#), "missing_field: subject is missing");
    check(SourceFormat::Plain, SourceRecord { timestamp_ms: None, ..record(plain) }, "missing_field: time is missing");
}

#[test]
fn a_structured_event_without_a_time_has_that_of_its_record() {
    let value = STRUCTURED.replace(r#""time":"2026-03-01T00:00:00Z","#, "");
    check(SourceFormat::Structured, record(&value), &EVENT.replace("T00:00:00Z", "T08:15:00.25Z"));
}

#[test]
fn binary_mode_has_attributes_in_headers() {
    let data = r#"{"ok":false}"#;
    let all = headers("", &[("content-type", Some(b"application/json; charset=utf-8")), ("traceparent", None)]);
    for format in [SourceFormat::Auto, SourceFormat::Binary] {
        check(format, SourceRecord { headers: &all, ..record(data) }, EVENT);
    }
    let keyed = headers("ce_subject", &[]);
    check(SourceFormat::Auto, SourceRecord { headers: &keyed, ..record(data) }, &EVENT.replace("c-9", "c-1"));
    let timeless = headers("ce_time", &[]);
    check(SourceFormat::Auto, SourceRecord { headers: &timeless, ..record(data) }, &EVENT.replace("T00:00:00Z", "T08:15:00.25Z"));
    let no_data = EVENT.replace(r#"{"ok":false}"#, "{}");
    check(SourceFormat::Binary, SourceRecord { headers: &all, value: None, ..record("") }, &no_data);
    check(SourceFormat::Auto, SourceRecord { headers: &all, value: None, ..record("") }, &no_data);
    check(SourceFormat::Auto, SourceRecord { headers: &all, ..record("") }, &no_data);
}

#[test]
fn what_is_wrong_in_binary_mode_names_the_header() {
    for (without, with, value, expected) in [
        ("ce_id", &[][..], "{}", "missing_field: ce_id is missing"),
        ("ce_type", &[], "{}", "missing_field: ce_type is missing"),
        (
            "ce_type",
            &[("ce_type", Some(&b"logon"[..]))],
            "{}",
            r#"unknown_type: type: "logon" is unknown, the nearest known type is "login""#,
        ),
        ("ce_id", &[("ce_id", Some(&b"\xff"[..]))], "{}", "invalid_utf8: the header `ce_id`: byte 1 (0xff) is not UTF-8"),
        ("", &[("ce_id", Some(&b"e2"[..]))], "{}", "invalid_json: duplicate header `ce_id`"),
        ("ce_time", &[("ce_time", Some(&b"soon"[..]))], "{}", r#"wrong_type: ce_time: expected an RFC 3339 time, found the text "soon""#),
        ("", &[], "{", "invalid_json: in data: EOF while parsing an object at line 1 column 1"),
        ("", &[], "[1]", "wrong_type: data: expected an object, found an array"),
        (
            "",
            &[("content-type", Some(&b"application/avro"[..]))],
            "x",
            r#"wrong_type: content-type: expected JSON, found "application/avro""#,
        ),
    ] {
        let headers = headers(without, with);
        check(SourceFormat::Binary, SourceRecord { headers: &headers, ..record(value) }, expected);
    }
    let headers = headers("ce_subject", &[]);
    let record = SourceRecord { headers: &headers, key: Some(b"\xff"), ..record("{}") };
    check(SourceFormat::Binary, record, "invalid_utf8: the key: byte 1 (0xff) is not UTF-8");
    check(SourceFormat::Binary, SourceRecord { key: None, ..record }, "missing_field: ce_subject is missing");
}

#[test]
fn structured_events_with_headers_stay_structured() {
    let headers: [Header<'_>; 2] = [("content-type", Some(b"application/cloudevents+json")), ("ce_id", Some(b"another"))];
    check(SourceFormat::Auto, SourceRecord { headers: &headers, ..record(STRUCTURED) }, EVENT);
    let headers: [Header<'_>; 1] = [("ce_traceparent", Some(b"00-1-2-00"))];
    check(SourceFormat::Auto, SourceRecord { headers: &headers, ..record(STRUCTURED) }, EVENT);
}

#[test]
fn the_trace_is_that_of_the_event_or_else_of_its_record() {
    const OF_EVENT: &str = "00-11111111111111111111111111111111-1111111111111111-01";
    const OF_ATTRIBUTE: &str = "00-22222222222222222222222222222222-2222222222222222-01";
    const OF_RECORD: &str = "00-33333333333333333333333333333333-3333333333333333-00";
    let traced = |traceparent: &str| EVENT.replace("\"data\"", &format!("\"traceparent\":{traceparent},\"data\""));
    let with = |traceparent: &str| traced(&format!("\"{traceparent}\""));
    let record_only: [Header<'_>; 1] = [("traceparent", Some(OF_RECORD.as_bytes()))];
    let both: [Header<'_>; 2] = [record_only[0], ("ce_traceparent", Some(OF_ATTRIBUTE.as_bytes()))];
    let invalid: [Header<'_>; 2] = [record_only[0], ("ce_traceparent", Some(b"00-1-2-00"))];
    for format in [SourceFormat::Auto, SourceFormat::Structured, SourceFormat::Plain] {
        check(format.clone(), SourceRecord { headers: &both, ..record(&with(OF_EVENT)) }, &with(OF_EVENT));
        check(format.clone(), SourceRecord { headers: &both, ..record(EVENT) }, &with(OF_ATTRIBUTE));
        check(format.clone(), SourceRecord { headers: &invalid, ..record(EVENT) }, &with(OF_RECORD));
        for ignored in ["null", "7", "{}", "\"\"", "\"00-1-2-00\"", "\"\\u0030\""] {
            check(format.clone(), record(&traced(ignored)), EVENT);
            check(format.clone(), SourceRecord { headers: &record_only, ..record(&traced(ignored)) }, &with(OF_RECORD));
        }
        let twice = with(OF_EVENT).replace("\"data\"", "\"traceparent\":null,\"data\"");
        let decoder = SourceDecoder::new(format, Decoder::default());
        let refused = outcome(&decoder, &record(&twice));
        assert!(refused.starts_with("invalid_json: duplicate field `traceparent`"), "{refused}");
    }
    for (all, expected) in [(headers("", &both), OF_ATTRIBUTE), (headers("", &record_only), OF_RECORD)] {
        check(SourceFormat::Binary, SourceRecord { headers: &all, ..record(r#"{"ok":false}"#) }, &with(expected));
    }
}

#[test]
fn the_prefix_of_a_schema_registry_is_read_over() {
    let value = [&b"\0\0\0\0\x2a"[..], STRUCTURED.as_bytes()].concat();
    check(SourceFormat::Auto, SourceRecord { value: Some(&value), ..record("") }, EVENT);
    let headers = headers("", &[]);
    let value = [&b"\0\0\0\0\x2a"[..], br#"{"ok":false}"#].concat();
    check(SourceFormat::Auto, SourceRecord { value: Some(&value), headers: &headers, ..record("") }, EVENT);
}

#[test]
fn tombstones_are_skipped_or_refused() {
    let tombstone = SourceRecord { value: None, ..record("") };
    for format in [SourceFormat::Auto, SourceFormat::Structured, SourceFormat::Binary, SourceFormat::Plain] {
        let decoder = SourceDecoder::new(format, Decoder::default());
        assert_eq!(outcome(&decoder, &tombstone), "skipped");
        let decoder = decoder.tombstones(Tombstones::Reject);
        assert_eq!(outcome(&decoder, &tombstone), "missing_field: the record has no value (a tombstone)");
    }
}

#[test]
fn unknown_types_are_refused_or_skipped() {
    let value = STRUCTURED.replace("login", "logon");
    check(SourceFormat::Auto, record(&value), r#"unknown_type: type: "logon" is unknown, the nearest known type is "login""#);
    let decoder = SourceDecoder::new(SourceFormat::Auto, Decoder::default().skip_unknown_types(true));
    assert_eq!(outcome(&decoder, &record(&value)), "skipped");
}

#[test]
fn bad_values_are_refused() {
    for format in [SourceFormat::Auto, SourceFormat::Structured, SourceFormat::Plain] {
        let value = SourceRecord { value: Some(b"{\"id\":\"\xff\"}"), ..record("") };
        check(format.clone(), value, "invalid_utf8: byte 8 (0xff) is not UTF-8");
        check(format.clone(), record(""), "invalid_json: EOF while parsing a value at line 1 column 0");
        check(
            format,
            record("[1]"),
            "wrong_type: the line is not an event: invalid type: sequence, expected a JSON object at line 1 column 0",
        );
    }
}
