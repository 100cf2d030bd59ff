//! The signals that are open, as the log of signals tells it.

use std::collections::BTreeMap;

use bellwether_codec::contract::{CURRENCY_PATTERN, ID_PATTERN, kinds, severities};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Filter;
use crate::notice::Facts;

/// Open signals that are kept at most; of a company with more there is nobody who reads them all.
const MAX_OPEN: usize = 2_000_000;

/// An open signal, as a digest lists it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct OpenSignal {
    /// The id of its last transition.
    #[schemars(extend("pattern" = ID_PATTERN))]
    pub id: String,
    /// The customer id.
    pub customer: String,
    #[serde(flatten)]
    pub data: Details,
}

/// What the digest takes over from the data of a signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Details {
    /// Kind of the rule.
    #[schemars(extend("enum" = kinds()))]
    pub kind: String,
    /// Name of the rule.
    pub rule: String,
    /// The thing within the customer that it is about, such as a ticket; or empty.
    #[serde(default)]
    pub object: String,
    /// How urgent it is.
    #[schemars(extend("enum" = severities()))]
    pub severity: String,
    /// Who looks after the customer, where that is known.
    pub owner: Option<String>,
    /// When the episode was raised.
    #[serde(default)]
    #[schemars(extend("format" = "date-time"))]
    pub raised_at: String,
    /// In words.
    #[serde(default)]
    pub summary: String,
    /// What to do about it, as the rule names it; or empty.
    #[serde(default)]
    pub playbook: String,
    /// Monthly recurring revenue in minor units of `currency`.
    #[serde(default)]
    pub mrr_minor: i64,
    /// The customer's main currency, ISO 4217; null where no subscription names one.
    #[schemars(extend("pattern" = CURRENCY_PATTERN))]
    pub currency: Option<String>,
    /// Days to the next renewal, where that is known; negative where it is over.
    pub days_to_renewal: Option<i32>,
    /// The health score at the last transition, 0 to 100; null where nothing was known that it could be made from.
    #[schemars(range(min = 0, max = 100))]
    pub health: Option<f64>,
    /// What to look at first.
    pub priority: Priority,
    #[serde(default, skip_serializing)]
    feedback: Option<String>,
}

/// How urgent it is to act.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DigestPriority")]
pub(crate) struct Priority {
    /// The higher, the sooner.
    pub score: f64,
}

#[derive(Deserialize)]
struct Signal {
    data: Details,
}

/// Open signals by customer, rule and object.
#[derive(Debug, Default)]
pub(crate) struct OpenSignals {
    open: BTreeMap<(String, String, String), OpenSignal>,
    /// Signals that could not be read.
    pub unreadable: u64,
    /// Signals for which there was no room.
    pub crowded_out: u64,
}

impl OpenSignals {
    /// Takes the next signal of the log.
    pub fn take(&mut self, body: &[u8]) {
        let (Ok(facts), Ok(Signal { data })) = (Facts::read(body), serde_json::from_slice(body)) else {
            self.unreadable += 1;
            return;
        };
        let key = (facts.subject.clone(), data.rule.clone(), data.object.clone());
        match facts.transition() {
            "cleared" | "expired" | "resolved" => {
                self.open.remove(&key);
            }
            _ if self.open.len() >= MAX_OPEN && !self.open.contains_key(&key) => self.crowded_out += 1,
            _ => {
                self.open.insert(key, OpenSignal { id: facts.id, customer: facts.subject, data });
            }
        }
    }

    /// What each owner has to do, most urgent first. Customers without an owner are under an empty name. What somebody has dismissed or
    /// snoozed is left out, and so are those who came back, since nothing is to be done.
    pub fn by_owner(self, filter: &Filter) -> BTreeMap<String, Vec<OpenSignal>> {
        let mut owners: BTreeMap<String, Vec<OpenSignal>> = BTreeMap::new();
        for signal in self.open.into_values().filter(|signal| signal.is_to_do() && signal.matches(filter)) {
            owners.entry(signal.data.owner.clone().unwrap_or_default()).or_default().push(signal);
        }
        owners.values_mut().for_each(|signals| signals.sort_by(OpenSignal::by_rank));
        owners
    }
}

impl OpenSignal {
    fn is_to_do(&self) -> bool {
        self.data.kind != "return" && !matches!(self.data.feedback.as_deref(), Some("dismissed" | "snoozed"))
    }

    fn matches(&self, filter: &Filter) -> bool {
        let data = crate::notice::Details {
            kind: self.data.kind.clone(),
            rule: self.data.rule.clone(),
            severity: self.data.severity.clone(),
            owner: self.data.owner.clone(),
        };
        Facts { data, ..Facts::default() }.matches(&Filter { transitions: Vec::new(), ..filter.clone() })
    }

    fn by_rank(one: &Self, other: &Self) -> std::cmp::Ordering {
        let scores = other.data.priority.score.total_cmp(&one.data.priority.score);
        let amounts = other.data.mrr_minor.cmp(&one.data.mrr_minor);
        scores.then(amounts).then_with(|| one.data.raised_at.cmp(&other.data.raised_at)).then_with(|| one.customer.cmp(&other.customer))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn signal(transition: &str, customer: &str, owner: Option<&str>, score: f64, feedback: Option<&str>) -> Vec<u8> {
        let data = serde_json::json!({
            "kind": "at_risk", "rule": "no-login", "object": "", "severity": "warning", "owner": owner, "raised_at": "2026-03-01T00:00:00Z",
            "summary": "No login <for> 31 days", "playbook": "win-back", "mrr_minor": 120_000, "currency": "EUR", "days_to_renewal": 12, "health": 31.0,
            "priority": { "score": score }, "feedback": feedback,
        });
        let r#type = format!("bellwether.signal.{transition}.v1");
        serde_json::to_vec(
            &serde_json::json!({ "id": format!("{transition}-{customer}"), "type": r#type, "subject": customer, "time": "", "data": data }),
        )
        .unwrap()
    }

    #[test]
    fn what_is_open_is_ranked_by_owner() {
        let mut open = OpenSignals::default();
        for (transition, customer, owner, score, feedback) in [
            ("raised", "a", Some("anna"), 1.0, None),
            ("raised", "b", Some("anna"), 3.0, None),
            ("raised", "c", Some("ben"), 2.0, None),
            ("raised", "d", None, 2.0, None),
            ("raised", "e", Some("anna"), 9.0, None),
            ("escalated", "a", Some("anna"), 4.0, None),
            ("cleared", "c", Some("ben"), 2.0, None),
            ("escalated", "e", Some("anna"), 9.0, Some("snoozed")),
        ] {
            open.take(&signal(transition, customer, owner, score, feedback));
        }
        open.take(b"{\"erased\":1}");
        assert_eq!(open.unreadable, 1);
        let owners = open.by_owner(&Filter::default());
        let found: Vec<(&str, Vec<&str>)> =
            owners.iter().map(|(owner, signals)| (owner.as_str(), signals.iter().map(|one| one.id.as_str()).collect())).collect();
        assert_eq!(found, [("", vec!["raised-d"]), ("anna", vec!["escalated-a", "raised-b"])]);
    }
}
