//! What holds for arbitrary events, and for arbitrary bytes.

use bellwether_codec::event::{Decoder, encode_event};
use bellwether_codec::rejection::RejectReason;
use bellwether_engine::event::Event;
use proptest::prelude::*;

use crate::arbitrary::event;

pub fn encoded(event: &Event<'_>) -> String {
    let mut line = Vec::new();
    encode_event(event, &mut line);
    String::from_utf8(line).expect("the journal is UTF-8")
}

/// The line with its attributes and data in alphabetical order, so that `data` stands before `type`.
fn sorted(line: &str) -> String {
    let tree: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_str(line).expect("JSON");
    serde_json::to_string(&tree).expect("JSON")
}

proptest! {
    #[test]
    fn the_journal_form_round_trips(event in event()) {
        let line = encoded(&event);
        prop_assert!(!line.contains('\n'));
        let decoder = Decoder::default();
        let data_first = sorted(&line);
        prop_assert_eq!(&decoder.decode_journal(&line).unwrap(), &event, "{}", line);
        prop_assert_eq!(&decoder.decode_journal(&data_first).unwrap(), &event, "{}", data_first);
    }

    #[test]
    fn a_raw_line_and_its_journal_form_are_the_same_event(event in event()) {
        // As raw input the tokens are user ids like any others: the tokens of the tokens.
        let decoder = Decoder::default();
        let line = encoded(&event);
        let raw = decoder.decode_text(&line).unwrap();
        let (journal, data_first) = (encoded(&raw), sorted(&line));
        prop_assert_eq!(&decoder.decode_journal(&journal).unwrap(), &raw);
        prop_assert_eq!(&decoder.decode_text(&data_first).unwrap(), &raw);
        prop_assert_eq!(&decoder.decode(line.as_bytes()).unwrap(), &raw);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = Decoder::default().decode(&bytes);
    }

    #[test]
    fn a_mutated_line_is_an_event_or_a_rejection_with_a_short_detail(
        event in event(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 1..4),
    ) {
        let mut line = encoded(&event).into_bytes();
        for (at, byte, edit) in edits {
            if line.is_empty() {
                break;
            }
            let at = at.index(line.len());
            match edit {
                0 => line[at] = byte,
                1 => line.insert(at, b"{}[]\",:0-e\\"[usize::from(byte) % 11]),
                _ => {
                    line.remove(at);
                }
            }
        }
        if let Err(rejection) = Decoder::default().decode(&line) {
            prop_assert!(rejection.detail.len() < 1_000);
        }
    }

    #[test]
    fn a_truncated_line_is_no_event(event in event(), at: prop::sample::Index) {
        let line = encoded(&event);
        let cut = &line.as_bytes()[..at.index(line.len())];
        let reason = Decoder::default().decode(cut).unwrap_err().reason;
        prop_assert!(matches!(reason, RejectReason::InvalidJson | RejectReason::InvalidUtf8));
    }

    #[test]
    fn arbitrary_json_values_in_any_field_never_panic(
        kind in prop::sample::select(bellwether_engine::event_type::EventType::ALL.to_vec()),
        name in prop::sample::select(vec!["user", "ticket", "mrr_minor", "due", "score", "kind", "reason", "count", "currency", "used", "until"]),
        value in prop::sample::select(vec!["null", "true", "-0", "1e308", "1e999", "-1", "18446744073709551615", "99999999999999999999", "\"\"", "\"\\ud800\"", "[]", "{\"a\":[]}"]),
    ) {
        let line = format!(r#"{{"id":"e","source":"s","type":"{}","subject":"_company","time":"2026-03-01T00:00:00Z","data":{{"{name}":{value}}}}}"#, kind.1);
        let _ = Decoder::default().decode_text(&line);
    }
}
