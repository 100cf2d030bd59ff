//! The signals that are still open, followed through the lines of a signals file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bellwether_engine::rule::Kind;
use serde::Deserialize;

/// A signal as the table of open ones shows it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OpenSignal {
    /// CloudEvents `type`.
    r#type: String,
    /// The customer.
    #[serde(rename = "subject")]
    pub customer: String,
    /// Its details.
    pub data: Details,
}

/// The `data` of a signal.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Details {
    /// Kind of signal.
    pub kind: String,
    /// Its rule.
    pub rule: String,
    /// What it is about, if not the customer as a whole.
    pub object: String,
    /// Severity after the last transition.
    pub severity: String,
    /// When the episode was raised.
    pub raised_at: String,
    /// What the customer pays a month, in minor units.
    pub mrr_minor: i64,
    /// In this currency.
    pub currency: Option<String>,
    /// How urgent it is to act.
    pub priority: Priority,
    /// The reason in words.
    pub summary: String,
}

/// Priority of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Priority {
    /// The higher, the sooner.
    pub score: f64,
}

/// Reads a signals file as it grows, and keeps what is open.
pub struct OpenSignals {
    path: PathBuf,
    offset: u64,
    open: BTreeMap<(String, String, String), OpenSignal>,
    raised_by_kind: BTreeMap<String, u64>,
}

impl OpenSignals {
    /// Nothing is read yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), offset: 0, open: BTreeMap::new(), raised_by_kind: BTreeMap::new() }
    }

    /// Reads the lines that have come since.
    pub fn read_on(&mut self) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
            self.take(serde_json::from_slice(line)?);
            self.offset += line.len() as u64;
        }
        Ok(())
    }

    /// How many episodes of each kind were raised.
    pub fn raised_by_kind(&self) -> &BTreeMap<String, u64> {
        &self.raised_by_kind
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// The open ones that ask for something to be done, by priority, then by what the customer pays.
    pub fn most_valuable(&self) -> Vec<&OpenSignal> {
        let mut signals: Vec<&OpenSignal> = self.open.values().filter(|signal| signal.data.kind != Kind::Return.name()).collect();
        let rank = |signal: &OpenSignal| (signal.data.priority.score, signal.data.mrr_minor as f64);
        signals.sort_by(|one, other| {
            let ((one_score, one_mrr), (other_score, other_mrr)) = (rank(one), rank(other));
            other_score.total_cmp(&one_score).then(other_mrr.total_cmp(&one_mrr))
        });
        signals
    }

    fn take(&mut self, signal: OpenSignal) {
        let key = (signal.customer.clone(), signal.data.rule.clone(), signal.data.object.clone());
        match signal.r#type.as_str() {
            "bellwether.signal.cleared.v1" | "bellwether.signal.expired.v1" | "bellwether.signal.resolved.v1" => {
                self.open.remove(&key);
            }
            transition => {
                if transition == "bellwether.signal.raised.v1" {
                    *self.raised_by_kind.entry(signal.data.kind.clone()).or_default() += 1;
                }
                self.open.insert(key, signal);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn line(transition: &str, customer: &str, score: f64, mrr: i64) -> String {
        let data = serde_json::json!({
            "kind": "at_risk", "rule": "no-login-30d", "object": "", "severity": "warning", "raised_at": "2026-03-01T00:00:00Z",
            "mrr_minor": mrr, "currency": "EUR", "priority": { "score": score }, "summary": "No login", "more": [],
        });
        format!("{}\n", serde_json::json!({ "type": format!("bellwether.signal.{transition}.v1"), "subject": customer, "data": data }))
    }

    #[test]
    fn what_is_open_is_ranked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("signals.jsonl");
        let lines = [line("raised", "a", 1.0, 5), line("raised", "b", 2.0, 5), line("raised", "c", 1.0, 9), line("raised", "d", 9.0, 9)];
        fs::write(&path, lines.concat() + "{\"type\":\"half a li").unwrap();
        let mut signals = OpenSignals::new(&path);
        signals.read_on().unwrap();
        let customers = |signals: &OpenSignals| signals.most_valuable().iter().map(|signal| signal.customer.clone()).collect::<Vec<_>>();
        assert_eq!(customers(&signals), ["d", "b", "c", "a"]);
        fs::write(&path, lines.concat() + &line("resolved", "d", 9.0, 9) + &line("escalated", "a", 3.0, 5)).unwrap();
        signals.read_on().unwrap();
        assert_eq!(customers(&signals), ["a", "b", "c"]);
        assert_eq!((signals.len(), signals.raised_by_kind()["at_risk"]), (3, 4));
    }
}
