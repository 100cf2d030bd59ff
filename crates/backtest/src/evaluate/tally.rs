//! Counts of the episodes of a group of rules, by customer.

use std::collections::BTreeMap;

use bellwether_engine::outcome::LONGEST_WARNING_DAYS;
use bellwether_engine::time::{DAY_MS, Time};
use rayon::prelude::*;

use super::outcome::{Judge, Outcome, days, is_open_before, outcome};
use super::population::{Judged, Population, length};

/// Raised again this soon after its end, an episode flaps.
const FLAP_MS: i64 = 7 * DAY_MS;

/// Customers that are counted before their counts are put together: what is in between is bounded.
const CUSTOMERS_AT_ONCE: usize = 16_384;

/// Rules that are looked at together.
#[derive(Clone, Debug)]
pub struct Group {
    /// The rules, by index in their rule set.
    pub rules: Vec<bool>,
    /// What their alarms are judged by.
    pub judge: Judge,
}

/// What a group came to with one customer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Episodes raised.
    pub signals: u64,
    /// Right and in time.
    pub true_: u64,
    /// Right, and too late.
    pub late: u64,
    /// Wrong, those withdrawn too early among them.
    pub false_: u64,
    /// Over before the last moment to act.
    pub withdrawn: u64,
    /// Unknown.
    pub censored: u64,
    /// Raised again soon after their end.
    pub flaps: u64,
    /// Churns that count.
    pub churns: u64,
    /// Churns with a true episode.
    pub churns_warned: u64,
    /// Time of service with an open episode, milliseconds.
    pub alarm_ms: f64,
}

/// What precision and recall need to know of one customer: little, as there are many for each group, and a bootstrap goes over them many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustomerTally {
    /// The customer, by index.
    pub customer: u32,
    /// Right and in time.
    pub true_: u32,
    /// Wrong.
    pub false_: u32,
    /// Churns that count.
    pub churns: u16,
    /// Churns with a true episode.
    pub churns_warned: u16,
}

/// What a group came to.
#[derive(Clone, Debug, Default)]
pub struct Tallies {
    /// All customers together.
    pub total: Tally,
    /// Customers of which there is something to share out.
    pub by_customer: Vec<CustomerTally>,
    /// For each churn that counts, in the order of customers and time: its customer, by index.
    pub churn_customers: Vec<usize>,
    /// For each of them the lead of the earliest true episode, in days.
    pub leads_days: Vec<Option<f64>>,
    /// The same of the earliest episode that stays open until the minimum lead and begins within the longest horizon.
    pub warned_days: Vec<Option<f64>>,
}

impl Group {
    /// Counts over everybody.
    #[must_use]
    pub fn tally(&self, population: &Population<'_>, horizon_ms: i64) -> Tallies {
        let of_customer = |(index, customer): (usize, &Judged<'_>)| {
            let is_touched = !customer.eligible.is_empty() || self.all_episodes(customer).next().is_some();
            is_touched.then(|| (index, self.tally_customer(customer, population, horizon_ms)))
        };
        let mut tallies = Tallies::default();
        for (number, customers) in population.customers.chunks(CUSTOMERS_AT_ONCE).enumerate() {
            let tallied: Vec<_> = customers.par_iter().enumerate().filter_map(of_customer).collect();
            for (index, (tally, mut leads, mut warned)) in tallied {
                let index = number * CUSTOMERS_AT_ONCE + index;
                tallies.total.add(&tally);
                tallies.by_customer.extend(tally.of(index));
                tallies.churn_customers.extend(leads.iter().map(|_| index));
                tallies.leads_days.append(&mut leads);
                tallies.warned_days.append(&mut warned);
            }
        }
        tallies.by_customer.shrink_to_fit();
        tallies
    }

    /// The episodes of the group in the period.
    pub(super) fn episodes<'c>(
        &'c self,
        customer: &'c Judged<'_>,
        from: Time,
    ) -> impl Iterator<Item = &'c crate::observe::ObservedEpisode> {
        self.all_episodes(customer).filter(move |episode| episode.raised_at >= from)
    }

    /// Those before it, too: churns of the period may have been warned of before it began.
    fn all_episodes<'c>(&'c self, customer: &'c Judged<'_>) -> impl Iterator<Item = &'c crate::observe::ObservedEpisode> {
        let is_ours = |rule: u16| self.rules.get(usize::from(rule)).copied().unwrap_or(false);
        customer.observed.history.episodes.iter().filter(move |episode| is_ours(episode.rule))
    }

    fn tally_customer(
        &self,
        customer: &Judged<'_>,
        population: &Population<'_>,
        horizon_ms: i64,
    ) -> (Tally, Vec<Option<f64>>, Vec<Option<f64>>) {
        let churns = if self.judge == Judge::Churn { &customer.eligible[..] } else { &[] };
        let mut tally = Tally { churns: churns.len() as u64, ..Tally::default() };
        let mut ended: BTreeMap<(u16, u64), Time> = BTreeMap::new();
        let mut leads = vec![None; churns.len()];
        for episode in self.all_episodes(customer) {
            let is_in_period = episode.raised_at >= population.from;
            let outcome = outcome(self.judge, episode, customer, population, horizon_ms);
            if is_in_period {
                tally.count(outcome);
            }
            if let Outcome::True { lead_ms } = outcome
                && let Some(place) = churns.iter().position(|churn| churn.at == episode.raised_at.plus_ms(lead_ms))
            {
                leads[place] = leads[place].max(Some(lead_ms));
            }
            let before = ended.insert((episode.rule, episode.object), episode.closed_at);
            tally.flaps += u64::from(is_in_period && before.is_some_and(|before| episode.raised_at.since_ms(before) <= FLAP_MS));
        }
        tally.churns_warned = leads.iter().flatten().count() as u64;
        tally.alarm_ms = self.alarm_ms(customer, population);
        let warned = churns.iter().map(|churn| self.warned_ms(customer, population, churn.at, horizon_ms));
        let warned = warned.map(|lead| lead.map(days)).collect();
        (tally, leads.into_iter().map(|lead| lead.map(days)).collect(), warned)
    }

    /// How long before a churn the earliest episode began that stayed open; one that is always open began before any horizon, and is none.
    fn warned_ms(&self, customer: &Judged<'_>, population: &Population<'_>, churn_at: Time, horizon_ms: i64) -> Option<i64> {
        let longest_ms = horizon_ms.max(LONGEST_WARNING_DAYS * DAY_MS);
        let open =
            self.all_episodes(customer).filter(|episode| is_open_before(episode, &customer.life, churn_at, population.options.min_lead_ms));
        open.map(|episode| churn_at.since_ms(episode.raised_at)).filter(|lead| *lead <= longest_ms).max()
    }

    /// Time of service in which at least one episode is open.
    fn alarm_ms(&self, customer: &Judged<'_>, population: &Population<'_>) -> f64 {
        let mut total = 0.0;
        let mut covered_until = population.from;
        for episode in self.all_episodes(customer) {
            let (from, until) = (episode.raised_at.max(covered_until), episode.closed_at.min(customer.observed.known_until));
            let spells = customer.life.spells.iter();
            total += spells.map(|spell| length(from.max(spell.from), until.min(spell.until))).sum::<f64>();
            covered_until = covered_until.max(until);
        }
        total
    }
}

impl Tally {
    /// What is kept of a customer; nothing where it changes neither precision nor recall.
    fn of(&self, customer: usize) -> Option<CustomerTally> {
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let smaller = |count: u64| u16::try_from(count).unwrap_or(u16::MAX);
        let (churns, churns_warned) = (smaller(self.churns), smaller(self.churns_warned));
        let is_kept = self.true_ + self.false_ + self.churns > 0;
        let customer = u32::try_from(customer).ok().filter(|_| is_kept)?;
        Some(CustomerTally { customer, true_: small(self.true_), false_: small(self.false_), churns, churns_warned })
    }

    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        self.signals += other.signals;
        self.true_ += other.true_;
        self.late += other.late;
        self.false_ += other.false_;
        self.withdrawn += other.withdrawn;
        self.censored += other.censored;
        self.flaps += other.flaps;
        self.churns += other.churns;
        self.churns_warned += other.churns_warned;
        self.alarm_ms += other.alarm_ms;
    }

    fn count(&mut self, outcome: Outcome) {
        self.signals += 1;
        match outcome {
            Outcome::True { .. } => self.true_ += 1,
            Outcome::Late => self.late += 1,
            Outcome::False => self.false_ += 1,
            Outcome::Withdrawn => {
                self.false_ += 1;
                self.withdrawn += 1;
            }
            Outcome::Censored => self.censored += 1,
            Outcome::None => {}
        }
    }

    /// True of those that could be judged; none when there were none.
    #[must_use]
    pub fn precision(&self) -> Option<f64> {
        ratio(self.true_ as f64, (self.true_ + self.false_) as f64)
    }

    /// Churns that were warned of; none when there were none.
    #[must_use]
    pub fn recall(&self) -> Option<f64> {
        ratio(self.churns_warned as f64, self.churns as f64)
    }
}

pub(super) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
