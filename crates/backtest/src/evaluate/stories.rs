//! The customers that one should look at: those that left without a warning, and those that were alarmed about for nothing.

use bellwether_codec::timestamp::format_time;
use bellwether_engine::time::{DAY_MS, Time};

use super::RuleSpec;
use super::figures::Measured;
use super::life::Churn;
use super::outcome::{Judge, Outcome, outcome};
use super::population::{Judged, Population};
use crate::months::{month_of, name_of};
use crate::observe::ObservedEpisode;
use crate::report::{EpisodeStory, HealthPoint, Story};

/// Stories of each kind.
const MAX_STORIES: usize = 10;
/// Episodes of a story.
const MAX_EPISODES: usize = 20;
/// Months of health of a story.
const MAX_MONTHS: usize = 12;

/// Churns that count and were not warned of in time, the most valuable first.
pub(super) fn worst_misses(overall: &Measured, rules: &[RuleSpec], population: &Population<'_>) -> Vec<Story> {
    let mut leads = overall.tallies.leads_days.iter();
    let mut missed: Vec<(&Judged<'_>, &Churn)> = Vec::new();
    for customer in &population.customers {
        let churns = customer.eligible.iter().zip(&mut leads);
        missed.extend(churns.filter(|(_, lead)| lead.is_none()).map(|(churn, _)| (customer, churn)));
    }
    missed.sort_by_key(|(_, churn)| std::cmp::Reverse(churn.mrr_minor));
    missed.truncate(MAX_STORIES);
    missed.into_iter().map(|(customer, churn)| story(customer, churn.at, Some(churn), churn.mrr_minor, rules, population)).collect()
}

/// Customers with a false alarm, by the MRR that they had then.
pub(super) fn worst_false_alarms(overall: &Measured, rules: &[RuleSpec], population: &Population<'_>) -> Vec<Story> {
    let mut alarmed: Vec<(&Judged<'_>, &ObservedEpisode)> = Vec::new();
    for customer in &population.customers {
        let episodes = overall.group.episodes(customer, population.from);
        let is_false = |episode: &&ObservedEpisode| {
            outcome(Judge::Churn, episode, customer, population, population.options.horizon_ms) == Outcome::False
        };
        let worst = episodes.filter(is_false).max_by_key(|episode| (episode.severity, episode.mrr_minor));
        alarmed.extend(worst.map(|episode| (customer, episode)));
    }
    alarmed.sort_by_key(|(_, episode)| std::cmp::Reverse((episode.mrr_minor, episode.severity)));
    alarmed.truncate(MAX_STORIES);
    let around = |raised_at: Time| raised_at.plus_ms(population.options.horizon_ms);
    let tell = |(customer, episode): (&Judged<'_>, &ObservedEpisode)| {
        story(customer, around(episode.raised_at), None, episode.mrr_minor, rules, population)
    };
    alarmed.into_iter().map(tell).collect()
}

fn story(
    customer: &Judged<'_>,
    until: Time,
    churn: Option<&Churn>,
    mrr_minor: i64,
    rules: &[RuleSpec],
    population: &Population<'_>,
) -> Story {
    let until = until.plus_ms(DAY_MS);
    let history = &customer.observed.history;
    let at_risk = history.episodes.iter().filter(|episode| {
        let rule = &rules[usize::from(episode.rule)];
        episode.raised_at <= until && rule.judge == Judge::Churn && rule.is_own()
    });
    let mut episodes: Vec<EpisodeStory> = at_risk.map(|episode| tell(episode, customer, rules, population)).collect();
    episodes.drain(..episodes.len().saturating_sub(MAX_EPISODES));
    let scores = history.scores.iter().filter(|score| score.month <= month_of(until));
    let point = |score: &crate::observe::Score| HealthPoint {
        month: name_of(score.month),
        health: score.health_tenths.map(|tenths| f64::from(tenths) / 10.0),
    };
    let mut health: Vec<HealthPoint> = scores.map(point).collect();
    health.drain(..health.len().saturating_sub(MAX_MONTHS));
    Story {
        customer: customer.observed.id.to_string(),
        since: format_time(customer.observed.since),
        segment: customer.observed.segment.as_deref().map(str::to_owned),
        mrr_minor,
        churned_at: churn.map(|churn| format_time(churn.at)),
        gone_at: churn.filter(|churn| churn.gone_at < Time::NEVER).map(|churn| format_time(churn.gone_at)),
        episodes,
        health,
    }
}

fn tell(episode: &ObservedEpisode, customer: &Judged<'_>, rules: &[RuleSpec], population: &Population<'_>) -> EpisodeStory {
    let outcome = match outcome(Judge::Churn, episode, customer, population, population.options.horizon_ms) {
        Outcome::True { .. } => "true",
        Outcome::Late => "late",
        Outcome::False => "false",
        Outcome::Withdrawn => "withdrawn",
        Outcome::Censored => "censored",
        Outcome::None => "none",
    };
    EpisodeStory {
        rule: rules[usize::from(episode.rule)].name.clone(),
        raised_at: format_time(episode.raised_at),
        closed_at: (episode.closed_at < Time::NEVER).then(|| format_time(episode.closed_at)),
        severity: episode.severity.name().to_owned(),
        outcome: outcome.to_owned(),
    }
}
