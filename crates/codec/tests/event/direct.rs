//! Most lines are read directly and only the rest by the parser, and nobody can tell: a tab at the end of a line, which means nothing, sends it
//! to the parser.

use std::sync::atomic::{AtomicU32, Ordering};

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::{Line, RawEpoch, decode_lines};
use bellwether_codec::rejection::{RejectReason, Rejection};
use bellwether_engine::event::Event;
use bellwether_engine::event_type::EventType;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::arbitrary;
use crate::properties::encoded;

/// A member of an object, its value mostly a usual one.
fn member(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let usual = select(vec![
        r#""e1""#,
        r#""nps""#,
        r#""""#,
        r#""_company""#,
        r#""2026-03-01T08:15:00Z""#,
        r#""EUR""#,
        r#""é€""#,
        r#""{[,:""#,
        r#""00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01""#,
        "7",
        "1.5",
        "true",
    ]);
    let unusual = select(vec![
        "null",
        "-0",
        "-0.0",
        "1e3",
        "1e999",
        "01",
        "+1",
        "1.",
        "-",
        "tru",
        "18446744073709551615",
        "18446744073709551616",
        "[]",
        "[1]",
        "{}",
        r#"{"a":1}"#,
        r#""\u0061""#,
        r#""\ud800""#,
        r#""\""#,
        r#""a"#,
        "\"\t\"",
        "",
    ]);
    let colon = select(vec![":", ":", ":", ":", ": ", " : ", "", "\t:"]);
    (select(names), colon, prop_oneof![12 => usual, 1 => unusual]).prop_map(|(name, colon, value)| format!("\"{name}\"{colon}{value}"))
}

/// Lines with the names of events, here and there twice, here and there in another order.
fn line() -> impl Strategy<Value = String> {
    const ATTRIBUTES: &[&str] = &["id", "source", "subject", "time", "specversion", "type", "data", "ttl", "traceparent", "data_base64"];
    const FIELDS: &[&str] =
        &["user", "ok", "feature", "count", "value", "ticket", "subscription", "kind", "score", "due", "currency", "other"];
    let usual = Just(vec![r#""id":"e1","source":"/s","subject":"_company","time":"2026-03-01T08:15:00Z""#.to_owned()]);
    let attributes = prop_oneof![3 => usual, 1 => vec(member(ATTRIBUTES), 0..6)];
    let kind = prop_oneof![9 => select(EventType::ALL.to_vec()).prop_map(|(_, name, _)| name), 1 => Just("page.viewed")];
    let comma = || select(vec![",", ",", ",", ", ", " ,", ",,", ",\n"]);
    let data = (vec(member(FIELDS), 0..4), comma()).prop_map(|(fields, comma)| format!("\"data\":{{{}}}", fields.join(comma)));
    let last = vec(member(ATTRIBUTES), 0..2);
    (attributes, kind, data, last, comma(), any::<bool>()).prop_map(|(attributes, kind, data, last, comma, data_is_first)| {
        let kind = format!("\"type\":\"{kind}\"");
        let middle = if data_is_first { vec![data, kind] } else { vec![kind, data] };
        format!("{{{}}}", [attributes, middle, last].concat().join(comma))
    })
}

/// So many lines are events, and so many are not.
#[derive(Default)]
struct Seen {
    events: AtomicU32,
    rejections: AtomicU32,
}

impl Seen {
    /// Decodes a line both ways.
    fn check(&self, line: &str, decoder: &Decoder) {
        self.compare(line, &decoder.decode_text(line), decoder);
    }

    /// Compares what a line was read as with what the parser makes of it.
    fn compare(&self, line: &str, direct: &Result<Event<'_>, Rejection>, decoder: &Decoder) {
        match (direct, &decoder.decode_text(&format!("{line}\t"))) {
            (Ok(direct), Ok(parsed)) => {
                self.events.fetch_add(1, Ordering::Relaxed);
                // The debug form tells 0 from -0.
                assert_eq!(format!("{direct:?}"), format!("{parsed:?}"), "{line}");
            }
            (Err(direct), Err(parsed)) => {
                self.rejections.fetch_add(1, Ordering::Relaxed);
                assert_eq!(direct.reason, parsed.reason, "{line}");
                // Where a line breaks off, be it within a number, the tab moves the end.
                let ends = ["EOF while parsing", "invalid number"];
                let breaks_off = direct.reason == RejectReason::InvalidJson && ends.iter().any(|end| direct.detail.contains(end));
                assert!(direct.detail == parsed.detail || breaks_off, "{line}\n{direct}\n{parsed}");
            }
            (direct, parsed) => panic!("{line}\n{direct:?}\n{parsed:?}"),
        }
    }

    fn assert_both(&self) {
        let (events, rejections) = (self.events.load(Ordering::Relaxed), self.rejections.load(Ordering::Relaxed));
        assert!(events > 100 && rejections > 100, "{events} events and {rejections} rejections are too few to show anything");
    }
}

/// Bytes put in, replaced and taken out.
type Edits = Vec<(Index, char, u8)>;

fn edits_with(characters: &str) -> impl Strategy<Value = Edits> + use<> {
    vec((any::<Index>(), select(characters.chars().collect::<Vec<_>>()), 0..3u8), 0..3)
}

fn edits() -> impl Strategy<Value = Edits> {
    edits_with("{}[]\",: \\\t0-et\u{7f}é")
}

fn edited(line: &str, edits: Edits) -> String {
    let mut characters: Vec<char> = line.chars().collect();
    for (at, character, edit) in edits {
        let at = at.index(characters.len());
        match edit {
            0 => characters[at] = character,
            1 => characters.insert(at, character),
            _ => drop(characters.remove(at)),
        }
    }
    characters.into_iter().collect()
}

/// So many that a few hundred of the made-up lines are events.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 12_000, ..ProptestConfig::default() }
}

#[test]
fn made_up_lines_are_read_the_same_both_ways() {
    let (seen, decoder) = (Seen::default(), Decoder::default());
    proptest!(config(), |(line in line(), edits in edits())| seen.check(&edited(&line, edits), &decoder));
    seen.assert_both();
}

#[test]
fn edited_events_are_read_the_same_both_ways() {
    let (seen, decoder) = (Seen::default(), Decoder::default());
    proptest!(config(), |(event in arbitrary::event(), edits in edits())| seen.check(&edited(&encoded(&event), edits), &decoder));
    seen.assert_both();
}

/// An epoch of these lines, of which the later ones are read by what is known of the ones before.
fn epoch(lines: &[String]) -> RawEpoch {
    let mut epoch =
        RawEpoch { number: 0, text: Vec::new(), lines: Vec::new(), inputs: [].into(), positions: Vec::new(), is_end: true, is_last: true };
    for (number, line) in (1..).zip(lines) {
        let start = epoch.text.len() as u32;
        epoch.text.extend_from_slice(line.as_bytes());
        epoch.lines.push(Line { start, end: start + line.len() as u32, input: 0, number, offset: u64::from(start), flaw: None });
    }
    epoch
}

#[test]
fn lines_behind_others_of_their_shape_are_read_the_same_both_ways() {
    let (seen, decoder) = (Seen::default(), Decoder::default());
    let one = (arbitrary::event(), vec(edits_with("{}[]\",: 0-eté"), 1..5));
    proptest!(ProptestConfig { cases: 3_000, ..ProptestConfig::default() }, |(events in vec(one, 1..3))| {
        let mut lines = Vec::new();
        for (event, edits) in events {
            let line = encoded(&event);
            lines.push(line.clone());
            lines.extend(edits.into_iter().map(|edits| edited(&line, edits)));
            lines.push(line);
        }
        let epoch = epoch(&lines);
        for (line, decoded) in lines.iter().zip(decode_lines(&epoch, &epoch.lines, &decoder, false)) {
            seen.compare(line, &decoded.map(|decoded| decoded.event), &decoder);
        }
    });
    seen.assert_both();
}
