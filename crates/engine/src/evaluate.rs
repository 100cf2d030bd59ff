//! Evaluating a customer: health and stage first, then each rule that may have changed, then when to look again.

use std::sync::Arc;

use crate::customer::{Asleep, Customer};
use crate::episode::{Episode, MAX_OBJECTS_PER_RULE};
use crate::feature::{Change, Feature, FeatureSet};
use crate::health;
use crate::life_settings::week_of;
use crate::lifecycle::{self, Subject};
use crate::open_episodes::Counted;
use crate::outcome::{self, CHURN};
use crate::outcome_counts::OutcomeCounts;
use crate::rule::{ObjectKind, Rule};
use crate::rule_set::RuleSet;
use crate::signal::{Expiry, Output, Transition};
use crate::time::Time;
use crate::view::{Object, View};

/// What changes when health does.
const HEALTH: FeatureSet = FeatureSet::of(&[
    Feature::Health,
    Feature::HealthChange28d,
    Feature::Grade,
    Feature::ExperienceScore,
    Feature::OutcomeScore,
    Feature::Quadrant,
]);
const STAGE: FeatureSet = FeatureSet::of(&[Feature::Stage, Feature::DaysInStage]);
const AT_RISK: FeatureSet = FeatureSet::of(&[Feature::AtRisk, Feature::OpenAtRisk, Feature::DaysSinceAtRisk]);
/// Features of which an evaluation finds out itself whether they have changed.
const DERIVED: FeatureSet =
    FeatureSet::of(&[Feature::Health, Feature::Grade, Feature::ExperienceScore, Feature::OutcomeScore, Feature::Quadrant, Feature::Stage]);
/// What may change at any UTC midnight.
pub(crate) const DAY: FeatureSet = FeatureSet::changing(Change::Day).without(DERIVED);
/// What may change at the UTC midnight of a weekly check.
pub(crate) const MIDNIGHT: FeatureSet = DAY.union(FeatureSet::changing(Change::Week));

/// One evaluation of one customer.
pub(crate) struct Evaluation<'a> {
    pub rules: &'a RuleSet,
    /// Rules that are not looked at, one bit each.
    pub frozen: u128,
    /// The instant it is dated.
    pub now: Time,
    pub outputs: &'a mut Vec<Output>,
    /// Outcomes of the partition.
    pub counts: &'a mut OutcomeCounts,
    /// Rules looked at.
    pub evaluated: u64,
    /// The earliest instant at which time alone may change one of the rules looked at.
    pub due: Time,
    /// Whether a rule had something to say about one thing more than it may speak of.
    pub limited: bool,
}

impl<'a> Evaluation<'a> {
    pub fn new(rules: &'a RuleSet, frozen: u128, now: Time, outputs: &'a mut Vec<Output>, counts: &'a mut OutcomeCounts) -> Self {
        Self { rules, frozen, now, outputs, counts, evaluated: 0, due: Time::NEVER, limited: false }
    }

    /// Evaluates the rules that read any of these features, and moves the customer's due time earlier where needed.
    pub fn changed(&mut self, customer: &mut Customer, dirty: FeatureSet) {
        self.run(customer, dirty);
        customer.clock_due = customer.clock_due.min(self.due);
    }

    /// Evaluates every rule, and sets the customer's due time anew.
    pub fn everything(&mut self, customer: &mut Customer) {
        self.run(customer, FeatureSet::ALL);
        customer.clock_due = self.due.min(customer.next_known(self.now));
    }

    fn run(&mut self, customer: &mut Customer, mut dirty: FeatureSet) {
        customer.clock = self.now;
        if !dirty.intersects(self.rules.features) {
            return;
        }
        self.derive(customer, &mut dirty);
        if dirty.intersects(CHURN) {
            self.due = self.due.min(outcome::note_churn(customer, self.rules, self.now, self.counts));
        }
        let mut candidates = self.awake(customer, dirty);
        while candidates != 0 {
            let index = candidates.trailing_zeros() as usize;
            candidates &= candidates - 1;
            self.evaluated += 1;
            let (open_before, told_before) = (customer.at_risk, self.outputs.len());
            let rules = self.rules;
            if let Some(rarity) = self.rule(customer, &rules.rules[index]) {
                customer.asleep.0[rarity] |= 1 << index;
            }
            if customer.at_risk != open_before {
                // Rules behind this one see the new at-risk flag; those before it were at-risk rules and do not read it.
                candidates |= self.awake(customer, AT_RISK) & !((2_u128 << index) - 1);
            }
            if self.outputs.len() != told_before {
                candidates |= rules.inhibited_by(index) & !self.frozen;
            }
        }
        if dirty.intersects(CHURN) {
            self.due = self.due.min(outcome::settle(customer, self.rules, self.now, self.outputs, self.counts));
        }
    }

    /// The rules to look at after such a change.
    fn awake(&self, customer: &mut Customer, dirty: FeatureSet) -> u128 {
        if dirty == FeatureSet::ALL {
            // Whatever was asleep, perhaps under other rules.
            customer.asleep = Asleep::default();
            return self.rules.all() & !self.frozen;
        }
        let readers = self.rules.readers();
        let asleep = customer.asleep.0.iter_mut().zip(&readers.guards).fold(0, |all, (asleep, guards)| {
            *asleep &= !guards.of(dirty);
            all | *asleep
        });
        readers.rules.of(dirty) & !asleep & !self.frozen
    }

    fn derive(&mut self, customer: &mut Customer, dirty: &mut FeatureSet) {
        if self.rules.settings.stages_first {
            self.stage(customer, dirty);
            self.health(customer, dirty);
        } else {
            self.health(customer, dirty);
            self.stage(customer, dirty);
        }
    }

    fn health(&mut self, customer: &mut Customer, dirty: &mut FeatureSet) {
        let profiles = &self.rules.settings.health;
        if dirty.intersects(profiles.features) {
            let (index, scores) = health::score(customer, self.rules, self.now, *dirty);
            if customer.health.set(self.now.day(), index, profiles.get(index), &scores) {
                dirty.add(HEALTH);
            }
        }
    }

    fn stage(&mut self, customer: &mut Customer, dirty: &mut FeatureSet) {
        let settings = &self.rules.settings;
        if settings.stages.is_empty() || !dirty.intersects(self.rules.stage_features) && *dirty != FeatureSet::ALL {
            return;
        }
        let view = View::new(customer, settings, self.now);
        let value_of = |feature| view.value(feature);
        let stage = settings.stages.iter().rposition(|stage| stage.when.is_true(&value_of)).unwrap_or(0);
        let entered = customer.journey.entered();
        customer.journey.enter(settings.stages[stage].hash, self.now);
        if stage != usize::from(customer.health.stage) || entered != customer.journey.entered() {
            customer.health.stage = stage as u8;
            dirty.add(STAGE);
        }
    }

    /// Counts what the owner is told, where that has a limit.
    fn note_told(&self, customer: &mut Customer, outputs: &[Output]) {
        if self.rules.settings.life.owner_cap.is_none() {
            return;
        }
        let raised = |output: &&Output| matches!(output, Output::Signal(signal) if signal.transition == Transition::Raised);
        let (count, week) = (outputs.iter().filter(raised).count() as u32, week_of(self.now.day()));
        if count > 0 {
            let told = &mut customer.outcomes.get_or_insert_default().told;
            *told = (week, if told.0 == week { told.1.saturating_add(count) } else { count });
        }
    }

    /// Looks at a rule. Returns the rarity of the guard by which it is asleep then.
    fn rule(&mut self, customer: &mut Customer, rule: &Arc<Rule>) -> Option<usize> {
        let Some(kind) = rule.object else {
            return self.subject(customer, rule, "", |_| None);
        };
        for name in object_names(customer, rule, kind) {
            self.subject(customer, rule, &name, |customer| find_object(customer, kind, &name));
        }
        None
    }

    /// Takes the episode out of the state, moves it on, and puts it back unless nothing of it is worth keeping. Returns, where
    /// there was none, the rarity of a guard that does not hold.
    fn subject(
        &mut self,
        customer: &mut Customer,
        rule: &Arc<Rule>,
        object: &str,
        find: impl Fn(&Customer) -> Option<Object<'_>>,
    ) -> Option<usize> {
        let place = customer.episodes.iter().position(|episode| episode.rule == rule.hash && *episode.object == *object);
        if place.is_none() {
            let subject =
                Subject { customer, rules: self.rules, rule, name: object, object: find(customer), now: self.now, raised_at: None };
            if let Some(idle) = lifecycle::stays_idle(&subject) {
                self.due = self.due.min(idle.due);
                return idle.asleep;
            }
            if has_no_room(customer, rule, object) {
                self.limited = true;
                return None;
            }
        }
        let episode = place.map(|index| customer.episodes.swap_remove(index));
        let before = episode.as_ref().and_then(Counted::of);
        let subject = Subject { customer, rules: self.rules, rule, name: object, object: find(customer), now: self.now, raised_at: None };
        let next = lifecycle::step(&subject, episode);
        self.due = self.due.min(next.due);
        self.counts.open.moved(rule.hash, before, next.episode.as_ref().and_then(Counted::of));
        if let Some(verdict) = next.verdict {
            self.counts.judged(&rule.name, &verdict);
        }
        if let Some(ended) = next.pending {
            outcome::remember(customer, &ended, self.now, self.counts);
        }
        self.note_told(customer, &next.outputs);
        next.outputs.into_iter().for_each(|output| self.outputs.push(output));
        match next.at_risk {
            lifecycle::AtRiskChange::None => {}
            lifecycle::AtRiskChange::Raised => customer.at_risk.raised(),
            lifecycle::AtRiskChange::Ended => customer.at_risk.ended(self.now),
            lifecycle::AtRiskChange::Expired => customer.at_risk.expired(),
        }
        if let Some(episode) = next.episode {
            // Back to its own place, so that the order of a state never depends on how often it was looked at.
            customer.episodes.push(episode);
            if let Some(index) = place {
                let last = customer.episodes.len() - 1;
                customer.episodes.swap(index, last);
            }
        }
        None
    }
}

/// Whether a rule has episodes about as many objects as it may, or the customer as many as the state can hold.
fn has_no_room(customer: &Customer, rule: &Rule, object: &str) -> bool {
    let of_rule = || customer.episodes.iter().filter(|episode| episode.rule == rule.hash).count();
    rule.object.is_some() && of_rule() >= MAX_OBJECTS_PER_RULE || !customer.has_room_for(object)
}

/// The objects a rule looks at: those it has episodes about, then the others in the state about which it may begin one.
fn object_names(customer: &Customer, rule: &Rule, kind: ObjectKind) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> =
        customer.episodes.iter().filter(|episode| episode.rule == rule.hash).map(|episode| episode.object.clone()).collect();
    let mut add = |name: &str| {
        if !names.iter().any(|known| **known == *name) {
            names.push(name.into());
        }
    };
    match kind {
        ObjectKind::Invitation => {
            let invitations = customer.onboarding.iter().flat_map(|onboarding| onboarding.pending());
            invitations.for_each(|invitation| add(&invitation_name(invitation)));
        }
        ObjectKind::Invoice => {
            customer.billing.invoices.iter().filter(|invoice| invoice.is_unpaid()).for_each(|invoice| add(entry_name(invoice)))
        }
        ObjectKind::Ticket => {
            let tickets = customer.support.iter().flat_map(|support| support.tickets.iter());
            tickets.filter(|ticket| ticket.is_unsolved()).for_each(|ticket| add(entry_name(ticket)));
        }
        ObjectKind::Incident => {
            let incidents = customer.relation.iter().flat_map(|relation| relation.incidents.iter());
            incidents.filter(|incident| incident.is_open()).for_each(|incident| add(entry_name(incident)));
        }
        ObjectKind::Quota => {
            let quotas = customer.relation.iter().flat_map(|relation| relation.quotas.iter());
            quotas.for_each(|quota| add(entry_name(quota)));
        }
    }
    names
}

fn entry_name(entry: &impl crate::customer::Entry) -> &str {
    entry.name()
}

fn invitation_name(invitation: &crate::customer::Invitation) -> Box<str> {
    format!("u-{:016x}", invitation.user.0).into()
}

pub(crate) fn find_object<'a>(customer: &'a Customer, kind: ObjectKind, name: &str) -> Option<Object<'a>> {
    match kind {
        ObjectKind::Invitation => {
            let mut invitations = customer.onboarding.as_ref()?.invitations();
            invitations.find(|invitation| *invitation_name(invitation) == *name).map(Object::Invitation)
        }
        ObjectKind::Invoice => customer.billing.invoices.get(name).map(Object::Invoice),
        ObjectKind::Ticket => customer.support.as_ref()?.tickets.get(name).map(Object::Ticket),
        ObjectKind::Incident => customer.relation.as_ref()?.incidents.get(name).map(Object::Incident),
        ObjectKind::Quota => customer.relation.as_ref()?.quotas.get(name).map(Object::Quota),
    }
}

/// Ends the episodes that are `gone`: their rule is not in the rule set any more, or the customer is erased.
pub(crate) fn expire(
    customer: &mut Customer,
    rules: &RuleSet,
    previous: Option<&RuleSet>,
    now: Time,
    outputs: &mut Vec<Output>,
    expiry: Expiry,
    gone: impl Fn(&Episode) -> bool,
) {
    let episodes = std::mem::take(&mut customer.episodes);
    rules.settings.poison.take_expiry(customer);
    let (ended, kept): (Vec<_>, Vec<_>) = episodes.into_iter().partition(gone);
    customer.episodes = kept;
    for episode in ended {
        if episode.is_open_at_risk() {
            customer.at_risk.ended(now);
        }
        let mut known = rules.rules.iter().chain(previous.iter().flat_map(|previous| &previous.rules));
        if let Some(rule) = known.find(|rule| rule.hash == episode.rule) {
            let subject = Subject { customer, rules, rule, name: &episode.object, object: None, now, raised_at: Some(episode.raised_at) };
            outputs.extend(lifecycle::expired(&subject, &episode, expiry));
        }
    }
}
