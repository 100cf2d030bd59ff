//! A route of single signals: read, hand over, and keep the position when everything before it is settled.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Filter;
use crate::error::ForwardError;
use crate::lanes::{Courier, Lanes, Outcome};
use crate::metrics::DeadReason;
use crate::notice::{Facts, Place};
use crate::run::Counts;
use crate::source::{Body, Item, Lag, Source};
use crate::tracker::Tracker;
use crate::webhook::Message;

/// CloudEvents' content type of structured JSON.
const CONTENT_TYPE: &str = "application/cloudevents+json";

/// How long reading waits for a signal.
const READ_WAIT: Duration = Duration::from_millis(100);

/// How often positions are kept while there is work.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// How often it is asked where what is read ends.
const LAG_EVERY: Duration = Duration::from_secs(5);

/// A route at work.
pub(crate) struct Route {
    pub filter: Filter,
    pub in_flight: usize,
    pub queue: usize,
    /// Ends when everything that there is was settled.
    pub once: bool,
}

impl Route {
    /// Runs until the word to stop, or until all is settled.
    pub fn run(&self, courier: &Arc<Courier>, source: &mut Source, tracker: &mut Tracker) -> Result<Counts, ForwardError> {
        let mut lanes = Lanes::start(courier, self.in_flight, self.queue)?;
        let mut work = Work {
            courier,
            counts: Counts::default(),
            waiting: VecDeque::new(),
            kept: Instant::now(),
            lag: Lag::default(),
            lag_told: None,
        };
        while !courier.stop.is_set() && !lanes.is_broken() {
            let turn = source.read(self.queue.saturating_sub(work.waiting.len()), READ_WAIT, tracker)?;
            let is_at_end = turn.is_at_end;
            for item in turn.items {
                self.take(item, &mut work, tracker, &lanes)?;
            }
            let done: Vec<_> = lanes.done().collect();
            work.settle(done, tracker)?;
            work.tell();
            work.tell_lag(source, tracker);
            let is_over = self.once && is_at_end && work.waiting.is_empty();
            if is_over || is_at_end || work.kept.elapsed() >= KEEP_EVERY {
                let is_kept = work.keep(source, tracker)?;
                if is_over && is_kept {
                    break;
                }
            }
            if work.waiting.len() >= self.queue
                && let Some(done) = lanes.wait(READ_WAIT)
            {
                work.settle(vec![done], tracker)?;
            }
        }
        // What is queued is tried once more, and what is settled by then is kept.
        lanes.close();
        let done = lanes.join();
        work.settle(done, tracker)?;
        work.keep(source, tracker)?;
        work.tell();
        Ok(work.counts)
    }

    fn take(&self, item: Item, work: &mut Work<'_>, tracker: &mut Tracker, lanes: &Lanes) -> Result<(), ForwardError> {
        let Item { place, body } = item;
        let courier = work.courier;
        match body {
            Body::Nothing => tracker.passed(place.partition, place.next),
            Body::Unreadable(bytes) => {
                courier.bury("", DeadReason::Unreadable, None, "the record is no CloudEvent in binary mode", 0, &bytes)?;
                work.counts.dead += 1;
                tracker.passed(place.partition, place.next);
            }
            Body::Signal(body) => match Facts::read(&body) {
                Err(problem) => {
                    courier.bury("", DeadReason::Unreadable, None, &problem, 0, &body)?;
                    work.counts.dead += 1;
                    tracker.passed(place.partition, place.next);
                }
                Ok(facts) if !facts.matches(&self.filter) => {
                    courier.metrics.passed(&courier.route);
                    tracker.passed(place.partition, place.next);
                }
                Ok(facts) => {
                    tracker.sent(place);
                    work.waiting.push_back((place, Instant::now()));
                    let message = Message { id: facts.id, content_type: CONTENT_TYPE, traceparent: facts.traceparent, body };
                    lanes.hand_over(&facts.subject, place, message);
                }
            },
        }
        Ok(())
    }
}

/// What a route keeps count of.
struct Work<'c> {
    courier: &'c Courier,
    counts: Counts,
    /// Signals on their way, oldest first.
    waiting: VecDeque<(Place, Instant)>,
    kept: Instant,
    /// As it was told last, and when.
    lag: Lag,
    lag_told: Option<Instant>,
}

impl Work<'_> {
    fn settle(&mut self, done: Vec<(Place, Result<Outcome, ForwardError>)>, tracker: &mut Tracker) -> Result<(), ForwardError> {
        for (place, outcome) in done {
            match outcome? {
                Outcome::Delivered => self.counts.delivered += 1,
                Outcome::Dead => self.counts.dead += 1,
                Outcome::Left => continue,
            }
            tracker.settled(place);
            if let Some(index) = self.waiting.iter().position(|(waiting, _)| *waiting == place) {
                self.waiting.remove(index);
            }
        }
        Ok(())
    }

    fn keep(&mut self, source: &mut Source, tracker: &mut Tracker) -> Result<bool, ForwardError> {
        self.kept = Instant::now();
        let positions = tracker.to_keep();
        let is_kept = positions.is_empty() || source.keep(&positions)?;
        if is_kept {
            tracker.kept(&positions);
        }
        Ok(is_kept)
    }

    fn tell_lag(&mut self, source: &mut Source, tracker: &Tracker) {
        if self.lag_told.is_some_and(|told| told.elapsed() < LAG_EVERY) {
            return;
        }
        self.lag_told = Some(Instant::now());
        let oldest_ms = self.waiting.iter().filter_map(|(place, _)| place.appended_ms).min();
        if let Some(lag) = source.lag(tracker, oldest_ms) {
            self.courier.metrics.lags(&self.courier.route, &lag, &self.lag);
            self.lag = lag;
        }
    }

    fn tell(&self) {
        let oldest = self.waiting.front().map_or(Duration::ZERO, |(_, since)| since.elapsed());
        self.courier.metrics.stands(&self.courier.route, self.waiting.len(), oldest);
    }
}
