//! Records of Kafka in every format, mappings of foreign JSON, and whose users there are.

mod directory;
mod families;
mod formats;
mod mapped;
mod mistakes;

use bellwether_codec::event::{Decoder, encode_event};
use bellwether_codec::source::{Mapping, SourceDecoder, SourceEvent, SourceFormat, SourceRecord, read_mapping};
use bellwether_codec::yaml::{Reader, parse, render};

/// A header of a record.
type Header<'a> = (&'a str, Option<&'a [u8]>);

/// A record with this value, of 2026-03-01T08:15:00.250Z.
fn record(value: &str) -> SourceRecord<'_> {
    SourceRecord {
        topic: "logins",
        partition: 3,
        offset: 41,
        timestamp_ms: Some(1_772_352_900_250),
        key: Some(b"c-1"),
        value: Some(value.as_bytes()),
        headers: &[],
    }
}

/// What becomes of a record: the normalised event, `skipped`, or the rejection.
fn outcome(decoder: &SourceDecoder, record: &SourceRecord<'_>) -> String {
    match decoder.decode(record) {
        Ok(SourceEvent::Event(event)) => {
            let mut line = Vec::new();
            encode_event(&event, &mut line);
            String::from_utf8(line).unwrap()
        }
        Ok(SourceEvent::Skipped) => "skipped".to_owned(),
        Err(rejection) => rejection.to_string(),
    }
}

/// The mapping of a text, or the mistakes in it as `line:column: message; help`.
fn try_mapping(text: &str) -> Result<Mapping, Vec<String>> {
    let root = parse(text, "mapping").map_err(|mistake| vec![mistake.message])?;
    let mut reader = Reader::new(text);
    let mapping = read_mapping(&mut reader, &root);
    if reader.mistakes.is_empty() {
        return Ok(mapping.expect("without mistakes there is a mapping"));
    }
    let told = |error: bellwether_codec::yaml::FileError| {
        let help = error.help.map(|help| format!("; {help}")).unwrap_or_default();
        format!("{}:{}: {}{help}", error.line, error.column, error.message)
    };
    Err(render("mapping.yaml", text, reader.mistakes).0.into_iter().map(told).collect())
}

/// A decoder for a mapping without mistakes.
#[track_caller]
fn mapped(text: &str) -> SourceDecoder {
    let mapping = try_mapping(text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    SourceDecoder::new(SourceFormat::Mapped(Box::new(mapping)), Decoder::default())
}

/// Each value, decoded, must come out as expected.
#[track_caller]
fn check(decoder: &SourceDecoder, value: &str, expected: &str) {
    assert_eq!(outcome(decoder, &record(value)), expected, "\n{value}");
}
