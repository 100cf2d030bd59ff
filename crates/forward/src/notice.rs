//! A signal as it is forwarded: where it stands, its bytes as the product writes them, and the few facts that routing asks for.

use bellwether_codec::erased_line::ERASED_LINE;
use bellwether_kafka::Received;
use serde::Deserialize;

use crate::config::Filter;

/// Where a signal stands in what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The partition of the topic; 0 in a file.
    pub partition: i32,
    /// Its offset: of the record, or of the first byte of the line.
    pub offset: u64,
    /// Where reading goes on behind it.
    pub next: u64,
    /// Which assignment of the partition it was read under.
    pub generation: u64,
    /// When it was appended to the topic, milliseconds since the epoch.
    pub appended_ms: Option<i64>,
}

/// What routing and metrics ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Facts {
    /// The id, which also is the message's, so that receivers can drop repeats.
    pub id: String,
    /// `bellwether.signal.NAME.v1`.
    pub r#type: String,
    /// The customer.
    pub subject: String,
    /// When it was evaluated.
    pub time: String,
    /// The trace that it belongs to.
    #[serde(default)]
    pub traceparent: Option<String>,
    pub data: Details,
}

/// The same of its data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Details {
    pub kind: String,
    pub rule: String,
    pub severity: String,
    pub owner: Option<String>,
}

impl Facts {
    /// Reads them from a signal.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let mut facts: Self = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        if facts.id.is_empty() || !facts.id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("its id cannot stand in a header".to_owned());
        }
        facts.traceparent.take_if(|text| !text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'));
        Ok(facts)
    }

    /// `raised`, `cleared` and so on.
    pub fn transition(&self) -> &str {
        self.r#type.strip_prefix("bellwether.signal.").and_then(|rest| rest.strip_suffix(".v1")).unwrap_or(&self.r#type)
    }

    /// Whether a route takes it.
    pub fn matches(&self, filter: &Filter) -> bool {
        let takes =
            |wanted: &[String], found: Option<&str>| wanted.is_empty() || found.is_some_and(|found| wanted.iter().any(|one| one == found));
        takes(&filter.owners, self.data.owner.as_deref())
            && takes(&filter.kinds, Some(&self.data.kind))
            && takes(&filter.severities, Some(&self.data.severity))
            && takes(&filter.rules, Some(&self.data.rule))
            && takes(&filter.transitions, Some(self.transition()))
    }
}

/// What stands in place of a signal of an erased customer.
pub(crate) fn is_erased(line: &[u8]) -> bool {
    line.trim_ascii_end() == ERASED_LINE || line.trim_ascii().is_empty()
}

/// A record of the signals topic as structured JSON, byte for byte as it would stand in a signals file; nothing where it is no signal.
pub(crate) fn structured(record: &Received<'_>) -> Option<Vec<u8>> {
    let value = record.value?;
    let text = |name: &str| record.header(name).and_then(|value| std::str::from_utf8(value).ok());
    let attributes = [
        ("specversion", text("ce_specversion")?),
        ("id", text("ce_id")?),
        ("source", text("ce_source")?),
        ("type", text("ce_type")?),
        ("subject", text("ce_subject")?),
        ("time", text("ce_time")?),
        ("datacontenttype", text("content-type")?),
    ];
    let known = ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "content-type"];
    let extensions = record.headers().filter(|(name, _)| name.starts_with("ce_") && !known.contains(name));
    let extensions = extensions.filter_map(|(name, value)| Some((&name[3..], std::str::from_utf8(value?).ok()?)));
    let mut body = vec![b'{'];
    for (name, value) in attributes.into_iter().chain(extensions) {
        body.extend_from_slice(format!("{}:{},", json(name), json(value)).as_bytes());
    }
    body.extend_from_slice(br#""data":"#);
    body.extend_from_slice(value);
    body.push(b'}');
    Some(body)
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use bellwether_kafka::Batch;

    use super::*;

    const LINE: &str = r#"{"specversion":"1.0","id":"a1","source":"/bellwether","type":"bellwether.signal.raised.v1","subject":"c-\"1","time":"2026-03-01T00:00:00Z","datacontenttype":"application/json","data":{"kind":"at_risk","rule":"r","severity":"warning","owner":"anna"}}"#;

    #[test]
    fn a_record_is_written_as_the_line_of_a_file() {
        let headers = [
            ("ce_specversion", "1.0"),
            ("ce_id", "a1"),
            ("ce_source", "/bellwether"),
            ("ce_type", "bellwether.signal.raised.v1"),
            ("ce_subject", "c-\"1"),
            ("ce_time", "2026-03-01T00:00:00Z"),
            ("content-type", "application/json"),
        ];
        let data = br#"{"kind":"at_risk","rule":"r","severity":"warning","owner":"anna"}"#;
        let mut batch = Batch::default();
        batch.push(("signals", 0), 1, None, None, Some(data));
        headers.iter().for_each(|(name, value)| batch.push_header(name, Some(value.as_bytes())));
        batch.push(("signals", 0), 2, None, None, Some(b"{}"));
        let found: Vec<_> = batch.records().map(|record| structured(&record).map(|body| String::from_utf8(body).unwrap())).collect();
        assert_eq!(found, [Some(LINE.to_owned()), None]);
    }

    #[test]
    fn routes_ask_for_owner_kind_severity_rule_and_transition() {
        let facts = Facts::read(LINE.as_bytes()).unwrap();
        let some = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(facts.matches(&Filter::default()));
        assert!(facts.matches(&Filter { owners: some(&["ben", "anna"]), transitions: some(&["raised"]), ..Filter::default() }));
        assert!(!facts.matches(&Filter { kinds: some(&["upsell"]), ..Filter::default() }));
        assert!(!facts.matches(&Filter { severities: some(&["critical"]), ..Filter::default() }));
        let nobodys = Facts { data: Details { owner: None, ..facts.data.clone() }, ..facts };
        assert!(!nobodys.matches(&Filter { owners: some(&["anna"]), ..Filter::default() }));
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_no_id() {
        assert!(Facts::read(LINE.replace("\"a1\"", "\"a\\n1\"").as_bytes()).is_err());
        let traced = |text: &str| LINE.replace("\"data\":", &format!("\"traceparent\":\"{text}\",\"data\":"));
        let traceparent = |text: &str| Facts::read(traced(text).as_bytes()).unwrap().traceparent;
        assert_eq!((traceparent("00-4b-f0-01").as_deref(), traceparent("00\\r\\nx: y")), (Some("00-4b-f0-01"), None));
        assert!(is_erased(b"{\"erased\":true}      ") && !is_erased(LINE.as_bytes()));
    }
}
