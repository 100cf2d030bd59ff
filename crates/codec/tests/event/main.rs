//! Events in and out: every type, every rejection, the journal's bytes, and properties over arbitrary events.

mod accepted;
mod arbitrary;
mod direct;
mod golden;
mod lenient;
mod properties;
mod rejected;

use bellwether_codec::event::Decoder;

/// The attributes of a CloudEvents line of this type, and of plain JSON without what only CloudEvents has.
fn lines(kind: &str, data: &str) -> [String; 2] {
    let subject = if kind == "cost.recorded" { "_company" } else { "c-1" };
    let attributes = format!(r#""id":"e1","source":"/s","type":"{kind}","subject":"{subject}","time":"2026-03-01T08:15:00Z""#);
    let data = if data.is_empty() { String::new() } else { format!(r#","data":{data}"#) };
    [format!(r#"{{"specversion":"1.0","datacontenttype":"application/json",{attributes}{data}}}"#), format!("{{{attributes}{data}}}")]
}

/// One line of this type.
fn line(kind: &str, data: &str) -> String {
    let [cloud_event, _] = lines(kind, data);
    cloud_event
}

/// What becomes of a line: the debug form of the body, or the rejection.
fn outcome(line: &str) -> String {
    match Decoder::default().decode(line.as_bytes()) {
        Ok(event) => format!("{:?}", event.body),
        Err(rejection) => rejection.to_string(),
    }
}

/// Each line, decoded, must come out as expected.
#[track_caller]
fn check(line: &str, expected: &str) {
    assert_eq!(outcome(line), expected, "\n{line}");
}
