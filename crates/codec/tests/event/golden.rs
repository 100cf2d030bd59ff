//! The journal's bytes: one event of every type, pinned.

use bellwether_codec::event::{Decoder, encode_event};
use bellwether_engine::event_type::EventType;

use crate::line;

/// Every type with all its fields. `UPDATE_GOLDEN=1` rewrites the file; a change other than a new line breaks every journal in the field.
const DATA: [&str; 49] = [
    r#"{"user":"u7","ok":false}"#,
    r#"{"ticket":"t1","channel":"mail","priority":"urgent","topic":"billing \"x\"\u0007"}"#,
    r#"{"ticket":"t1","channel":"chat"}"#,
    r#"{"ticket":"t1","priority":"low"}"#,
    r#"{"ticket":"t1"}"#,
    r#"{"subscription":"s1","plan":"pro","mrr_minor":160000,"currency":"usd","seats":100,"period_end":"2026-04-01","trial":true}"#,
    r#"{"subscription":"s1","plan":"pro","mrr_minor":250000,"currency":"USD","seats":120}"#,
    r#"{"subscription":"s1","period_end":"2026-05-01T12:30:00.5Z"}"#,
    r#"{"subscription":"s1","reason":"voluntary"}"#,
    r#"{"invoice":"i1","amount_minor":9900,"currency":"EUR","due":"2026-03-15"}"#,
    r#"{"invoice":"i1"}"#,
    r#"{"invoice":"i1","attempt":2}"#,
    r#"{"invoice":"i1"}"#,
    r#"{"user":"u7"}"#,
    r#"{"user":"u7","reason":"too_expensive"}"#,
    r#"{"effective":"2026-04-01"}"#,
    "{}",
    "{}",
    r#"{"feature":"export","user":"u7","count":3,"value":12.5}"#,
    r#"{"name":"storage","used":7,"limit":10}"#,
    r#"{"kind":"ces","score":2,"scale_max":7,"direction":"down","user":"u7","role":"admin","ticket":"t1"}"#,
    r#"{"segment":"smb","industry":"retail","country":"DE","owner":"kim"}"#,
    r#"{"segment":"enterprise"}"#,
    r#"{"user":"u7","expires":"2026-03-08T08:15:00Z"}"#,
    r#"{"user":"u7"}"#,
    r#"{"user":"u7"}"#,
    r#"{"name":"live","final":true}"#,
    r#"{"role":"champion","user":"u8","previous_user":"u7"}"#,
    r#"{"marketing":false,"user":"u7"}"#,
    r#"{"note":"n1","kind":"feature_request"}"#,
    r#"{"note":"n1"}"#,
    r#"{"channel":"phone"}"#,
    r#"{"incident":"x1","severity":"sev1"}"#,
    r#"{"incident":"x1"}"#,
    r#"{"metric":"hours saved","target":40,"due":"2026-06-30"}"#,
    r#"{"metric":"hours saved","value":0.1}"#,
    r#"{"kind":"seats"}"#,
    r#"{"campaign":"k1","user":"u7"}"#,
    r#"{"campaign":"k1"}"#,
    r#"{"campaign":"k1"}"#,
    r#"{"campaign":"k1"}"#,
    r#"{"campaign":"k1","amount_minor":5000,"currency":"GBP"}"#,
    r#"{"campaign":"k1"}"#,
    r#"{"signal":"g1","by":"kim"}"#,
    r#"{"signal":"g1","by":"kim"}"#,
    r#"{"signal":"g1","until":"2026-04-01"}"#,
    r#"{"signal":"g1","useful":true}"#,
    r#"{"kind":"acquisition","amount_minor":100,"currency":"EUR","period":"2026-02"}"#,
    "",
];

#[test]
fn the_journal_form_of_every_type_stays_what_it_is() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/events.jsonl");
    let mut encoded = Vec::new();
    for ((_, kind, _), data) in EventType::ALL.iter().zip(DATA) {
        let line = line(kind, data);
        encode_event(&Decoder::default().decode_text(&line).expect(&line), &mut encoded);
        encoded.push(b'\n');
    }
    let encoded = String::from_utf8(encoded).unwrap();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &encoded).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    for (line, expected) in encoded.lines().zip(golden.lines()) {
        assert_eq!(line, expected);
        let mut again = Vec::new();
        encode_event(&Decoder::default().decode_journal(expected).unwrap(), &mut again);
        assert_eq!(String::from_utf8(again).unwrap(), expected);
    }
    assert_eq!(encoded.lines().count(), golden.lines().count());
}
