//! Delivery with patience: threads that each take the signals of some customers, one after another, until a message is taken or dead.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_64;

use crate::backoff::Backoff;
use crate::config::RouteSettings;
use crate::error::ForwardError;
use crate::letters::{Death, Letters};
use crate::metrics::{DeadReason, ForwardMetrics};
use crate::notice::Place;
use crate::webhook::{Answer, Message, Webhook};

/// How long what is queued may still be sent after the word to stop: each once.
const GRACE: Duration = Duration::from_secs(10);

/// How often somebody who waits looks whether to stop.
const BREATH: Duration = Duration::from_millis(20);

/// The word to stop, and since when it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    flag: Arc<AtomicBool>,
    since: Arc<OnceLock<Instant>>,
}

impl Stop {
    pub fn new(flag: &Arc<AtomicBool>) -> Self {
        Self { flag: flag.clone(), since: Arc::default() }
    }

    pub fn is_set(&self) -> bool {
        let is_set = self.flag.load(Ordering::Relaxed);
        if is_set {
            self.since.get_or_init(Instant::now);
        }
        is_set
    }

    fn is_over(&self) -> bool {
        self.is_set() && self.since.get().is_some_and(|since| since.elapsed() > GRACE)
    }

    /// Waits; false when it was cut short.
    pub fn sleep(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        while !self.is_set() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(BREATH));
        }
        false
    }
}

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Taken by the receiver.
    Delivered,
    /// Written to the dead letters.
    Dead,
    /// Neither, as everything stops: it comes again.
    Left,
}

/// All that delivering takes.
pub(crate) struct Courier {
    pub route: String,
    pub webhook: Webhook,
    pub letters: Letters,
    pub metrics: Arc<ForwardMetrics>,
    pub stop: Stop,
    backoff: Backoff,
    attempts: u32,
}

impl Courier {
    pub fn new(route: &RouteSettings, webhook: Webhook, letters: Letters, metrics: Arc<ForwardMetrics>, stop: Stop) -> Self {
        let backoff = Backoff { first: route.first_wait, longest: route.longest_wait };
        Self { route: route.name.clone(), webhook, letters, metrics, stop, backoff, attempts: route.attempts }
    }

    /// Delivers a message, or writes it to the dead letters.
    pub fn deliver(&self, message: &Message, since: Instant) -> Result<Outcome, ForwardError> {
        let mut failed = 0;
        loop {
            if self.stop.is_over() {
                return Ok(Outcome::Left);
            }
            let (reason, status, detail) = match self.webhook.post(message) {
                Answer::Taken => {
                    self.metrics.delivered(&self.route, since.elapsed());
                    return Ok(Outcome::Delivered);
                }
                Answer::Refused { status, detail } => (DeadReason::Refused, status, detail),
                Answer::Failed { detail, asked_for, .. } if failed + 1 < self.attempts => {
                    failed += 1;
                    self.metrics.retried(&self.route);
                    let wait = self.backoff.wait(failed, asked_for);
                    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                    tracing::warn!(route = self.route, id = message.id, attempt = failed, wait_ms, detail, "a message was not taken");
                    if !self.stop.sleep(wait) {
                        return Ok(Outcome::Left);
                    }
                    continue;
                }
                Answer::Failed { status, detail, .. } => (DeadReason::Attempts, status, detail),
            };
            self.bury(&message.id, reason, status, &detail, failed + 1, &message.body)?;
            return Ok(Outcome::Dead);
        }
    }

    /// Writes a message to the dead letters.
    pub fn bury(
        &self,
        id: &str,
        reason: DeadReason,
        status: Option<u16>,
        detail: &str,
        attempts: u32,
        body: &[u8],
    ) -> Result<(), ForwardError> {
        let death = Death { route: &self.route, id, reason, detail, status, attempts };
        self.letters.write(&death, body)?;
        self.metrics.died(&self.route, reason);
        tracing::error!(route = self.route, id, reason = reason.name(), detail, attempts, "a message is written to the dead letters");
        Ok(())
    }
}

/// A message in a lane.
struct Parcel {
    place: Place,
    message: Message,
    since: Instant,
}

/// The threads of a route.
pub(crate) struct Lanes {
    lanes: Vec<SyncSender<Parcel>>,
    threads: Vec<JoinHandle<()>>,
    done: Receiver<(Place, Result<Outcome, ForwardError>)>,
}

impl Lanes {
    /// Starts threads; each has room for `queue` messages, so that nobody who keeps count ever waits to hand one over.
    pub fn start(courier: &Arc<Courier>, count: usize, queue: usize) -> Result<Self, ForwardError> {
        let (report, done) = channel();
        let (mut lanes, mut threads) = (Vec::new(), Vec::new());
        for number in 0..count {
            let (sender, parcels) = sync_channel(queue);
            let (courier, report) = (courier.clone(), report.clone());
            let name = format!("{}-{number}", courier.route);
            let thread = thread::Builder::new().name(name).spawn(move || work(&courier, &parcels, &report));
            threads.push(thread.map_err(ForwardError::Thread)?);
            lanes.push(sender);
        }
        Ok(Self { lanes, threads, done })
    }

    /// Hands a message over. All of one customer go through one lane.
    pub fn hand_over(&self, customer: &str, place: Place, message: Message) {
        let lane = xxh3_64(customer.as_bytes()) % self.lanes.len() as u64;
        // Nobody takes it only where the thread has panicked, which joining tells.
        let _ = self.lanes[lane as usize].send(Parcel { place, message, since: Instant::now() });
    }

    /// What was done since, without waiting.
    pub fn done(&self) -> impl Iterator<Item = (Place, Result<Outcome, ForwardError>)> {
        self.done.try_iter()
    }

    /// Waits until something is done, or for so long.
    pub fn wait(&self, longest: Duration) -> Option<(Place, Result<Outcome, ForwardError>)> {
        self.done.recv_timeout(longest).ok()
    }

    /// Takes nothing more; the threads end with what they have.
    pub fn close(&mut self) {
        self.lanes.clear();
    }

    /// Whether a thread has ended before its time.
    pub fn is_broken(&self) -> bool {
        !self.lanes.is_empty() && self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Waits for the threads.
    pub fn join(self) -> Vec<(Place, Result<Outcome, ForwardError>)> {
        drop(self.lanes);
        for thread in self.threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        self.done.try_iter().collect()
    }
}

fn work(courier: &Courier, parcels: &Receiver<Parcel>, report: &Sender<(Place, Result<Outcome, ForwardError>)>) {
    for Parcel { place, message, since } in parcels {
        let outcome = courier.deliver(&message, since);
        if report.send((place, outcome)).is_err() {
            return;
        }
    }
}
