//! What all handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_codec::event::Decoder;
use bellwether_engine::time::Time;
use bellwether_live::arrivals::Inlet;
use bellwether_live::kafka::JournalTopic;
use bellwether_live::metrics::Metrics;
use bellwether_live::readers::Committed;
use tokio::sync::Semaphore;

use crate::board::Board;
use crate::problem::Problem;
use crate::reads::Reads;
use crate::settings::ConsoleSettings;

/// Sets the directives of the log, or says what is wrong with them.
pub type SetLogLevel = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// How events come in.
pub struct Taking {
    /// The way to the loop.
    pub inlet: Inlet,
    /// How a JSON text becomes an event.
    pub decoder: Decoder,
    /// The largest event, bytes.
    pub max_event_bytes: usize,
    /// Whether nothing is taken while the run is paused. Beside Kafka what is posted waits in its topic.
    pub is_held_by_pause: bool,
}

/// What a process offers to its guarded listener.
pub struct Offered {
    /// Metrics, and with them the committed states.
    pub metrics: Arc<Metrics>,
    /// The word to stop.
    pub stop: Arc<AtomicBool>,
    /// How events come in, if they do.
    pub taking: Option<Taking>,
    /// The real clock.
    pub clock: fn() -> Option<Time>,
    /// Sets what is logged.
    pub set_log_level: SetLogLevel,
    /// The name of this instance.
    pub instance: String,
    /// Whether the loop can be paused.
    pub can_pause: bool,
    /// Where the journal is, if it is not in the store.
    pub journal: Option<JournalTopic>,
}

/// Everything that handlers need.
pub(crate) struct Shared {
    pub offered: Offered,
    pub settings: ConsoleSettings,
    pub board: Board,
    /// Requests at work.
    pub requests: Arc<Semaphore>,
    /// What they read.
    pub reads: Reads,
    /// How many of them may look through the journal at once.
    pub timelines: Arc<Semaphore>,
}

impl Shared {
    /// The committed states, or that they are not to be had now.
    pub fn committed(&self) -> Result<Committed, Problem> {
        self.offered.metrics.readers.committed().ok_or_else(|| Problem::unavailable("not-ready", "the store is not open"))
    }

    /// The present; at the beginning of time where there is no clock.
    pub fn now(&self) -> Time {
        (self.offered.clock)().unwrap_or(Time::MIN)
    }

    /// Whether the process is about to end.
    pub fn is_draining(&self) -> bool {
        self.offered.stop.load(Ordering::Relaxed)
    }

    /// Reads on a thread that may block.
    pub async fn read<T: Send + 'static>(
        self: Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let shared = self.clone();
        self.reads.run(move || read(&shared)).await
    }
}
