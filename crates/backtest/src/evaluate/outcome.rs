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
    /// Advocacy: a campaign converts, or the customer speaks for us.
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
    let known_until = customer.observed.known_until;
    let deadline = episode.raised_at.plus_ms(horizon_ms);
    let by_deadline = |happened: bool| match happened {
        true => Outcome::True { lead_ms: 0 },
        false if deadline > known_until => Outcome::Censored,
        false => Outcome::False,
    };
    let within = |time: Time| time >= episode.raised_at && time <= deadline;
    match judge {
        Judge::Churn => of_churn(episode, &customer.life, population.options.min_lead_ms, horizon_ms, known_until),
        Judge::Expansion => {
            let has_risen = |mrr_minor: i64| episode.mrr_minor > 0 && mrr_minor as f64 >= EXPANSION * episode.mrr_minor as f64;
            by_deadline(customer.observed.history.changes.iter().any(|change| within(change.at) && has_risen(change.mrr_minor)))
        }
        Judge::Conversion => by_deadline(customer.observed.history.conversions.iter().any(|time| within(*time))),
        Judge::Nothing => Outcome::None,
    }
}

fn of_churn(episode: &ObservedEpisode, life: &Life, min_lead_ms: i64, horizon_ms: i64, known_until: Time) -> Outcome {
    let Some(churn) = life.churn_after(episode.raised_at) else {
        return if episode.raised_at.plus_ms(horizon_ms) > known_until { Outcome::Censored } else { Outcome::False };
    };
    let lead_ms = churn.at.since_ms(episode.raised_at);
    if lead_ms < min_lead_ms {
        return Outcome::Late;
    }
    if lead_ms > horizon_ms {
        return Outcome::False;
    }
    if is_open_before(episode, life, churn.at, min_lead_ms) { Outcome::True { lead_ms } } else { Outcome::Withdrawn }
}

/// Whether an episode was still open at the last moment at which one could act. One that a notice resolved was not withdrawn: it warns of the churn
/// of the same time of service, also when that is not the notice.
pub(super) fn is_open_before(episode: &ObservedEpisode, life: &Life, churn_at: Time, min_lead_ms: i64) -> bool {
    let last_moment = churn_at.plus_ms(-min_lead_ms);
    let is_resolved = episode.closed_at < episode.over_at;
    let service = life.spells.iter().find(|spell| spell.until >= episode.closed_at).filter(|_| is_resolved);
    let over_at = service.map_or(episode.closed_at, |spell| spell.until.min(episode.over_at));
    episode.raised_at <= last_moment && over_at > last_moment
}

/// Days of a duration.
pub(super) fn days(milliseconds: i64) -> f64 {
    milliseconds as f64 / DAY_MS as f64
}
