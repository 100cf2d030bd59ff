//! What became of an alarm.

use bellwether_engine::time::{DAY_MS, Time};

use super::life::Life;
use super::population::{Judged, Population};
use crate::observe::ObservedEpisode;

/// By what the alarms of a rule are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// At risk: the customer churns.
    Churn,
    /// Upsell: MRR rises by a twentieth or more.
    Expansion,
    /// Advocacy: a campaign converts.
    Conversion,
    /// Attention and others: by nothing, they only are a burden.
    Nothing,
}

/// What an episode turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Right, and early enough.
    True {
        /// From the raising to the churn.
        lead_ms: i64,
    },
    /// Right, but less than the minimum lead before the churn, or after the notice.
    Late,
    /// Wrong: nothing happened within the horizon.
    False,
    /// Wrong: the customer churned within the horizon, but the alarm was over before the minimum lead.
    Withdrawn,
    /// The log ends before the horizon does.
    Censored,
    /// Not to be judged.
    None,
}

/// MRR rises by so much, or more, where an upsell signal is right.
const EXPANSION: f64 = 1.05;

/// Judges an episode.
pub(super) fn outcome(
    judge: Judge,
    episode: &ObservedEpisode,
    customer: &Judged<'_>,
    population: &Population<'_>,
    horizon_ms: i64,
) -> Outcome {
    let log_end = population.log.end;
    let deadline = episode.raised_at.plus_ms(horizon_ms);
    let by_deadline = |happened: bool| match happened {
        true => Outcome::True { lead_ms: 0 },
        false if deadline > log_end => Outcome::Censored,
        false => Outcome::False,
    };
    let within = |time: Time| time > episode.raised_at && time <= deadline;
    match judge {
        Judge::Churn => of_churn(episode, &customer.life, population.options.min_lead_ms, horizon_ms, log_end),
        Judge::Expansion => {
            let mut changes = customer.observed.history.changes.iter();
            by_deadline(changes.any(|change| within(change.at) && change.mrr_minor as f64 >= EXPANSION * episode.mrr_minor as f64))
        }
        Judge::Conversion => by_deadline(customer.observed.history.conversions.iter().any(|time| within(*time))),
        Judge::Nothing => Outcome::None,
    }
}

fn of_churn(episode: &ObservedEpisode, life: &Life, min_lead_ms: i64, horizon_ms: i64, log_end: Time) -> Outcome {
    let Some(churn) = life.churn_after(episode.raised_at) else {
        return if episode.raised_at.plus_ms(horizon_ms) > log_end { Outcome::Censored } else { Outcome::False };
    };
    let lead_ms = churn.at.since_ms(episode.raised_at);
    if lead_ms < min_lead_ms {
        return Outcome::Late;
    }
    if lead_ms > horizon_ms {
        return Outcome::False;
    }
    if is_open_before(episode, churn.at, min_lead_ms) { Outcome::True { lead_ms } } else { Outcome::Withdrawn }
}

/// Whether an episode was still open at the last moment at which one could act.
pub(super) fn is_open_before(episode: &ObservedEpisode, churn_at: Time, min_lead_ms: i64) -> bool {
    let last_moment = churn_at.plus_ms(-min_lead_ms);
    episode.raised_at <= last_moment && episode.closed_at > last_moment
}

/// Days of a duration.
pub(super) fn days(milliseconds: i64) -> f64 {
    milliseconds as f64 / DAY_MS as f64
}
