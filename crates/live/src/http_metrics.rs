//! Metrics of what comes over HTTP.

use prometheus::{IntCounterVec, Opts};

use crate::registry::Registry;

/// What became of events that somebody posted, as the label `result` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostResult {
    /// They are taken in.
    Accepted,
    /// None is, because at least one of their request is no valid event; whoever sends has to mend it.
    Refused,
    /// None is, for now: the same request may be sent again.
    Postponed,
    /// Nobody could say when the request ended: they may be taken in.
    Unknown,
}

impl PostResult {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Refused, Self::Postponed, Self::Unknown];

    fn name(self) -> &'static str {
        match self {
            PostResult::Accepted => "accepted",
            PostResult::Refused => "refused",
            PostResult::Postponed => "postponed",
            PostResult::Unknown => "unknown",
        }
    }
}

/// The one label is bounded by [`PostResult::ALL`].
pub struct HttpMetrics {
    events: IntCounterVec,
}

impl HttpMetrics {
    /// Registers every metric.
    ///
    /// # Panics
    ///
    /// If two metrics have one name, which is a defect of this file.
    pub(crate) fn register(registry: &Registry) -> Self {
        let help = "Events of requests to `POST /v1/events`, by what became of them: accepted, refused (a request has a wrong event, none of it is \
            taken), postponed (to be sent again), unknown (nobody could say).";
        let events = IntCounterVec::new(Opts::new("bellwether_http_events_total", help), &["result"]).expect("a valid name");
        registry.register(Box::new(events.clone())).expect("a name of its own");
        // A rate needs a beginning.
        for result in PostResult::ALL {
            events.with_label_values(&[result.name()]);
        }
        Self { events }
    }

    /// So many events of a request came to this.
    pub fn posted(&self, result: PostResult, events: usize) {
        self.events.with_label_values(&[result.name()]).inc_by(events as u64);
    }
}
