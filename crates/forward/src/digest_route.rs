//! A route of digests: once a day the whole log is read, and each owner with something open gets one message.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use crate::calendar;
use crate::config::{DigestSettings, Filter};
use crate::digest;
use crate::error::ForwardError;
use crate::lanes::{Courier, Outcome};
use crate::log_reader::LogReader;
use crate::open::OpenSignals;
use crate::run::Counts;
use crate::storage;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The wait after the log could not be read.
const TROUBLE: Duration = Duration::from_secs(5);

/// A route of digests at work.
pub(crate) struct DigestRoute {
    pub settings: DigestSettings,
    pub filter: Filter,
    pub time_zone: TimeZone,
    /// The file of what was sent.
    pub state: PathBuf,
    pub log: LogReader,
    /// Sends today's digest now, and ends.
    pub once: bool,
}

/// What is kept: the owners that have their message of a day, and whether all have.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Sent {
    day: Option<Date>,
    owners: BTreeSet<String>,
    is_complete: bool,
}

impl DigestRoute {
    /// Runs until the word to stop.
    pub fn run(&self, courier: &Courier) -> Result<Counts, ForwardError> {
        let mut sent: Sent = storage::load(&self.state)?.unwrap_or_default();
        let mut counts = Counts::default();
        let at = if self.once { Time::midnight() } else { self.settings.at };
        while !courier.stop.is_set() {
            let now = Zoned::new(Timestamp::now(), self.time_zone.clone());
            if let Some(day) = calendar::due(&now, at, sent.day.filter(|_| sent.is_complete)) {
                match self.send(day, &mut sent, courier, &mut counts) {
                    Err(ForwardError::Kafka(error)) if !error.remedy.is_final() && !self.once => {
                        tracing::warn!(%error, "the signals cannot be read for a digest");
                        courier.stop.sleep(TROUBLE);
                    }
                    outcome => outcome?,
                }
            }
            if self.once {
                break;
            }
            courier.stop.sleep(LOOK_EVERY);
        }
        Ok(counts)
    }

    fn send(&self, day: Date, sent: &mut Sent, courier: &Courier, counts: &mut Counts) -> Result<(), ForwardError> {
        if sent.day != Some(day) {
            *sent = Sent { day: Some(day), ..Sent::default() };
        }
        let mut open = OpenSignals::default();
        self.log.read(&mut |body| open.take(body))?;
        if open.unreadable + open.crowded_out > 0 {
            tracing::warn!(route = courier.route, open.unreadable, open.crowded_out, "a digest is not complete");
        }
        for (owner, signals) in open.by_owner(&self.filter) {
            if sent.owners.contains(&owner) {
                continue;
            }
            let message = digest::message(&courier.route, &owner, day, &signals, self.settings.max_signals);
            match courier.deliver(&message, Instant::now())? {
                Outcome::Delivered => counts.delivered += 1,
                Outcome::Dead => counts.dead += 1,
                Outcome::Left => return Ok(()),
            }
            sent.owners.insert(owner);
            storage::replace(&self.state, sent)?;
        }
        sent.is_complete = true;
        storage::replace(&self.state, sent)
    }
}
