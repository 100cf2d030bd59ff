//! Events on their way from a listener into a run: a bounded queue, with an answer when they are committed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use bellwether_codec::intake::{EPOCH_LINES, MAX_EPOCH_BYTES};
use tokio::sync::oneshot;

/// Deliveries that may wait for the loop.
pub const MAX_WAITING_DELIVERIES: usize = 256;

/// How often the loop looks whether to stop.
const STOP_CHECK: Duration = Duration::from_millis(50);

/// The events of one request.
pub struct Delivery {
    /// Each as JSON.
    pub events: Vec<Vec<u8>>,
    /// Where it is told that they are committed, or that they never will be; dropped if nobody knows.
    done: oneshot::Sender<Answer>,
}

/// What became of the events of one request.
pub type Answer = Result<Taken, NotTaken>;

/// Where events are that were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// In the journal.
    Journaled,
    /// In an input topic, for good. The journal will have them later.
    InTopic,
}

/// The end of the queue that listeners have.
#[derive(Clone)]
pub struct Inlet {
    deliveries: SyncSender<Delivery>,
    is_open: Arc<AtomicBool>,
    while_closed: NotTaken,
}

/// Why events were not taken. None of them will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The run reads its files first, or it ends.
    Closed,
    /// Too many wait already.
    Full,
    /// Kafka cannot be reached at present.
    Unreachable,
    /// Kafka refuses them; the log says why.
    Refused,
}

/// The end of the queue that the loop has.
pub struct Arrivals {
    deliveries: Receiver<Delivery>,
    is_open: Arc<AtomicBool>,
    while_closed: NotTaken,
}

/// A queue, which is closed until the loop comes to it; why nothing is taken while it is.
#[must_use]
pub fn queue(while_closed: NotTaken) -> (Inlet, Arrivals) {
    let (sender, receiver) = sync_channel(MAX_WAITING_DELIVERIES);
    let is_open = Arc::new(AtomicBool::new(false));
    (Inlet { deliveries: sender, is_open: is_open.clone(), while_closed }, Arrivals { deliveries: receiver, is_open, while_closed })
}

impl Inlet {
    /// Hands events over. The answer comes when the batch that contains them is committed, or when it is certain that they will not be; if it
    /// fails to come, nobody knows.
    ///
    /// # Errors
    ///
    /// When they cannot be taken now.
    pub fn hand_over(&self, events: Vec<Vec<u8>>) -> Result<oneshot::Receiver<Answer>, NotTaken> {
        if !self.is_open.load(Ordering::Relaxed) {
            return Err(self.while_closed);
        }
        let (done, committed) = oneshot::channel();
        match self.deliveries.try_send(Delivery { events, done }) {
            Ok(()) => Ok(committed),
            Err(TrySendError::Full(_)) => Err(NotTaken::Full),
            Err(TrySendError::Disconnected(_)) => Err(self.while_closed),
        }
    }
}

impl Delivery {
    /// Tells where all of it is. Nobody may be there any more to hear it.
    pub fn taken(self, taken: Taken) {
        _ = self.done.send(Ok(taken));
    }

    /// Tells that nothing of it is committed, nor will be.
    pub fn not_taken(self, reason: NotTaken) {
        _ = self.done.send(Err(reason));
    }

    /// Whether somebody still waits for the answer.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        !self.done.is_closed()
    }
}

impl Arrivals {
    /// From now on events are taken.
    pub fn open(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }

    /// From now on no events are taken, and those that wait are not either.
    pub fn close(&self) {
        self.is_open.store(false, Ordering::Relaxed);
        self.deliveries.try_iter().for_each(|delivery| delivery.not_taken(self.while_closed));
    }

    /// What has arrived, as much as goes into one epoch; nothing by the deadline, or when the run is to stop.
    pub fn take(&self, deadline: Instant, stop: &AtomicBool) -> Vec<Delivery> {
        let mut taken = Vec::new();
        while taken.is_empty() && Instant::now() < deadline && !stop.load(Ordering::Relaxed) {
            match self.deliveries.recv_timeout(STOP_CHECK.min(deadline.saturating_duration_since(Instant::now()))) {
                Ok(delivery) => taken.push(delivery),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(STOP_CHECK),
            }
        }
        let lines = |taken: &[Delivery]| taken.iter().map(|delivery| delivery.events.len()).sum::<usize>();
        let bytes = |taken: &[Delivery]| taken.iter().flat_map(|delivery| &delivery.events).map(Vec::len).sum::<usize>();
        while !taken.is_empty() && lines(&taken) < EPOCH_LINES && bytes(&taken) < MAX_EPOCH_BYTES / 2 {
            let Ok(delivery) = self.deliveries.try_recv() else { break };
            taken.push(delivery);
        }
        taken
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.close();
    }
}
