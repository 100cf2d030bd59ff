//! The messages of the protocol as numbered steps, and what goes wrong at which of them.

use std::collections::BTreeMap;
use std::fmt;

use super::Cluster;

/// A message of the protocol. Each that is sent on behalf of a client is one step of that client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Message {
    /// Asks for a new epoch, which ends what earlier epochs left open.
    InitProducerId,
    /// Tells the coordinator which partitions the transaction writes to.
    AddPartitionsToTxn,
    /// Some records for one partition.
    Produce,
    /// The acknowledgement of a [`Message::Produce`].
    ProduceResponse,
    /// Tells the coordinator which group's offsets belong to the transaction.
    AddOffsetsToTxn,
    /// The offsets, for the group's coordinator.
    TxnOffsetCommit,
    /// Asks the coordinator to commit or to abort.
    EndTxn,
    /// The coordinator has accepted it; the markers follow in their own time.
    EndTxnResponse,
    /// The coordinator writes the outcome into one partition, or into the group's offsets.
    WriteTxnMarker,
    /// Asks what a group has committed.
    OffsetFetch,
}

/// What goes wrong at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The client dies before it sends the message, or before it receives the response. At a marker, which brokers write, the client
    /// dies beside it, and the marker waits.
    Crash,
    /// The message never arrives, and the client waits in vain. A marker is sent again later.
    LoseRequest,
    /// The message takes effect, and the client waits in vain. A marker is written once more later. A lost response is a lost one either way.
    LoseResponse,
    /// The client stalls before it sends the message, while [`Plan::pause`]'s hook runs. Without a hook nothing happens meanwhile.
    Pause,
}

/// What others do while a client stalls. No lock is held.
pub type Hook = Box<dyn FnOnce(&Cluster) + Send>;

/// A fault that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// The client whose step it was.
    pub client_id: String,
    /// The number of the step, from 1 in the first life of that client.
    pub step: usize,
    /// The message.
    pub message: Message,
    /// What went wrong.
    pub fault: Fault,
}

/// Which steps go wrong. Each planned fault happens once.
#[derive(Default)]
pub struct Plan {
    explicit: BTreeMap<(String, usize), (Fault, Option<Hook>)>,
    seeded: Option<Seeded>,
}

struct Seeded {
    random: fastrand::Rng,
    one_in: usize,
    faults: Vec<Fault>,
}

impl Plan {
    /// One step in `one_in` goes wrong, in one of these ways. Nothing does if either is zero or empty.
    #[must_use]
    pub fn seeded(seed: u64, one_in: usize, faults: &[Fault]) -> Self {
        let possible = one_in > 0 && !faults.is_empty();
        let seeded = possible.then(|| Seeded { random: fastrand::Rng::with_seed(seed), one_in, faults: faults.to_vec() });
        Self { explicit: BTreeMap::new(), seeded }
    }

    /// This fault, when this client is at this step; steps count from 1. It replaces what was planned there.
    #[must_use]
    pub fn at(mut self, client_id: &str, step: usize, fault: Fault) -> Self {
        self.explicit.insert((client_id.to_owned(), step), (fault, None));
        self
    }

    /// This client stalls at this step until the hook is done.
    #[must_use]
    pub fn pause(mut self, client_id: &str, step: usize, hook: impl FnOnce(&Cluster) + Send + 'static) -> Self {
        self.explicit.insert((client_id.to_owned(), step), (Fault::Pause, Some(Box::new(hook))));
        self
    }

    /// What goes wrong at this step.
    pub(super) fn take(&mut self, client_id: &str, step: usize) -> Option<(Fault, Option<Hook>)> {
        if let Some(planned) = self.explicit.remove(&(client_id.to_owned(), step)) {
            return Some(planned);
        }
        let seeded = self.seeded.as_mut()?;
        let hit = seeded.random.usize(..seeded.one_in) == 0;
        hit.then(|| (seeded.faults[seeded.random.usize(..seeded.faults.len())], None))
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let explicit = self.explicit.iter().map(|(at, (fault, _))| (at, fault));
        formatter.debug_struct("Plan").field("explicit", &explicit.collect::<Vec<_>>()).field("seeded", &self.seeded.is_some()).finish()
    }
}
