//! Folding an event into a customer's state, and saying which features may have changed by it.

mod relation;

use crate::customer::{
    Answer, Customer, FeatureChange, Invoice, Leaving, MAX_INVOICES, MAX_SUBSCRIPTIONS, MAX_TICKETS, Own, Stamp, Subscription, Support,
    Ticket, UserChange, kept_name, name_hash,
};
use crate::event::{
    Body, CampaignStep, CancellationStep, Event, InvoiceStep, SubscriptionStep, SurveyKind, TicketStep, UserStep, UserToken,
};
use crate::event_type::EventTypes;
use crate::feature::{Feature, FeatureSet};
use crate::fold_features::{
    ACTIVE_DAY, CONTACTS, INVITATIONS, INVOICES, LEAVING, LOGIN, LOGIN_BACK, LOGIN_DAY, MILESTONES, MONEY, PRODUCT_FEATURES, SURVEYS,
    TICKETS, USAGE, USAGE_BACK, USER_DAY, USER_SHARES,
};
use crate::kpi::{ClosedTerm, Month, RETAINED_MONTHS, Statement};
use crate::settings::Settings;
use crate::time::{Day, Time};

/// The role of respondents whose NPS is also told apart.
const DECISION_MAKER: &str = "decision_maker";

/// What folding an event came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// Features that may have changed.
    pub dirty: FeatureSet,
    /// The event had been seen among the customer's last ones, and changed nothing.
    pub duplicate: bool,
    /// The event's day had left the windows: counters did not take it.
    pub too_late: bool,
    /// A table of the state was full, so that features become absent.
    pub limited: bool,
    /// What the customer contributes to the KPIs may have changed although no feature has.
    pub contribution: bool,
    /// When a ticket was opened and for how many milliseconds it waited for its first answer: before the event, and after, where they differ.
    pub first_response: [Option<(Time, i64)>; 2],
    /// Terms of subscriptions that are over by the event, or of which only the sums will know.
    pub closed_terms: Vec<ClosedTerm>,
}

/// An event on its way into a state.
struct Fold<'a> {
    event: &'a Event<'a>,
    stamp: Stamp,
    identity: u64,
    /// The day of the event.
    day: Day,
    /// The evaluation instant of the event, and its day.
    now: Time,
    today: Day,
    settings: &'a Settings,
    folded: Folded,
}

/// Folds an event into a customer's state. `now` is the instant of evaluation; it matters to what is forgotten only.
pub fn fold(customer: &mut Customer, event: &Event<'_>, identity: u64, now: Time, settings: &Settings) -> Folded {
    if !customer.recent.remember(identity) {
        return Folded { duplicate: true, ..Folded::default() };
    }
    settings.poison.take_event(identity);
    let kind = event.event_type();
    customer.references.note(event, kind);
    let (stamp, day, today) = (Stamp::of(event, kind, identity), event.time.day(), now.day());
    let mut fold = Fold { event, stamp, identity, day, now, today, settings, folded: Folded::default() };
    if !customer.seen.intersects(EventTypes(1 << kind as u8)) {
        customer.seen.insert(kind);
        // `needs` of a rule may be met from now on.
        fold.folded.dirty = FeatureSet::ALL;
    }
    fold.tenure(customer);
    fold.body(customer);
    if !settings.own.is_empty() {
        fold.own(customer);
    }
    if fold.folded.limited {
        customer.note_missing();
    }
    fold.folded
}

impl Fold<'_> {
    fn touch(&mut self, features: FeatureSet) {
        self.folded.dirty.add(features);
    }

    fn tenure(&mut self, customer: &mut Customer) {
        let created = matches!(self.event.body, Body::Account { created: true, .. });
        let earlier = self.event.time < customer.since;
        if created && (!customer.created || earlier) || !customer.created && earlier {
            customer.since = self.event.time;
            customer.created |= created;
            self.touch(FeatureSet::ALL);
        }
    }

    /// Own features of the rule set. A customer without the section is new: its features start complete.
    fn own(&mut self, customer: &mut Customer) {
        let features = &self.settings.own;
        let own = customer.own.get_or_insert_with(|| Box::new(Own::of_new_customer(features)));
        if features.events.intersects(EventTypes(1 << self.event.event_type() as u8)) {
            let changed = own.fold(features, self.event, self.stamp, self.today);
            self.touch(FeatureSet::own(changed));
        }
        let gone = customer.fit(self.settings, self.today);
        self.touch(FeatureSet::own(gone));
        self.folded.limited |= gone != 0;
    }

    fn body(&mut self, customer: &mut Customer) {
        match &self.event.body {
            Body::Login { user, ok } => {
                if *ok {
                    self.login(customer, *user);
                }
            }
            Body::Usage { feature, count, user, .. } => self.usage(customer, feature, *count, *user),
            Body::Ticket { .. } => self.ticket(customer.support.get_or_insert_default()),
            Body::Survey { .. } => self.survey(customer.support.get_or_insert_default()),
            Body::Subscription { .. } => self.subscription(customer),
            Body::Invoice { .. } => self.invoice(customer),
            Body::Cancellation { step, .. } => self.cancellation(customer.leaving.get_or_insert_default(), *step),
            Body::Account { segment, industry, country, owner, .. } => {
                let text = |value: &Option<crate::event::Text<'_>>| value.as_deref().map(|text| Box::from(&*kept_name(text)));
                self.folded.contribution = true;
                // A health profile may be for a segment, and holidays are by country.
                if customer.account.segment.set_some(self.stamp, text(segment)) {
                    self.touch(FeatureSet::ALL);
                }
                customer.account.industry.set_some(self.stamp, text(industry));
                if customer.account.country.set_some(self.stamp, text(country)) {
                    self.touch(FeatureSet::of(&[Feature::Holiday]));
                }
                customer.account.owner.set_some(self.stamp, text(owner));
            }
            Body::User { step, user, expires } => {
                let users = &mut customer.activity.users;
                if *step == UserStep::Removed {
                    users.remove(*user, self.day, self.today);
                    self.touch(USER_DAY.union(USER_SHARES).union(CONTACTS));
                }
                let onboarding = customer.onboarding.get_or_insert_default();
                self.folded.limited |= !onboarding.invitation(self.stamp, *step, *user, *expires, users, self.today);
                self.touch(INVITATIONS);
            }
            Body::Milestone { name, is_final } => {
                let onboarding = customer.onboarding.get_or_insert_default();
                self.folded.limited |= !onboarding.milestone(name_hash(name), self.event.time, *is_final);
                self.touch(MILESTONES);
            }
            Body::Campaign { step: CampaignStep::Sent, campaign, .. } => {
                customer.ledger.get_or_insert_default().campaign_sent(campaign, self.event.time);
                self.relation(customer);
            }
            Body::Feedback { .. } => {}
            Body::Campaign { step: CampaignStep::Converted, .. } => self.advocated(customer),
            _ => self.relation(customer),
        }
    }

    fn login(&mut self, customer: &mut Customer, user: Option<UserToken>) {
        let day = self.day;
        self.touch(LOGIN);
        if day < self.today {
            self.touch(LOGIN_BACK);
        }
        if customer.activity.login_days.mark(day) {
            self.touch(LOGIN_DAY);
        }
        if customer.activity.logins.add(day.0, 1).is_none() {
            self.folded.too_late = true;
        }
        customer.activity.last_login = customer.activity.last_login.max(Some(self.event.time));
        self.user(customer, user);
    }

    fn usage(&mut self, customer: &mut Customer, feature: &str, count: u32, user: Option<UserToken>) {
        let day = self.day;
        let week = customer.week(day);
        self.touch(USAGE);
        if week < customer.week(self.today) {
            self.touch(USAGE_BACK);
        }
        if customer.activity.usage.add(day.0, count) == Some(0) {
            self.touch(ACTIVE_DAY);
        }
        if customer.activity.usage_weeks.add(week, count).is_none() {
            self.folded.too_late = true;
        }
        let name = name_hash(feature);
        match customer.activity.features.record(name, day, self.today, self.settings) {
            FeatureChange::Counted => {}
            change => {
                self.touch(PRODUCT_FEATURES);
                self.folded.limited |= change == FeatureChange::Full;
            }
        }
        if self.settings.gated_features.contains(&name) {
            customer.activity.gated_hits.add(day.0, count);
            self.touch(FeatureSet::of(&[Feature::GatedFeatureHits14d]));
        }
        self.user(customer, user);
    }

    fn user(&mut self, customer: &mut Customer, user: Option<UserToken>) {
        match customer.activity.users.record(user, self.day, self.today) {
            UserChange::Counted => {}
            UserChange::NewDay => self.touch(USER_SHARES),
            UserChange::NewCounts => self.touch(USER_DAY.union(USER_SHARES)),
            UserChange::Full => {
                // Who a contact is may be one of those.
                self.touch(USER_DAY.union(USER_SHARES).union(CONTACTS));
                self.folded.limited = true;
            }
        }
        let Some(user) = user else { return };
        if customer.relation.as_ref().is_some_and(|relation| relation.contacts.is_contact(user)) {
            self.touch(CONTACTS);
        }
        if customer.onboarding.as_mut().is_some_and(|onboarding| onboarding.used(user, self.day)) {
            self.touch(INVITATIONS);
        }
    }

    fn ticket(&mut self, support: &mut Support) {
        let Body::Ticket { step, ticket: name, priority, .. } = &self.event.body else { return };
        let name = &*kept_name(name);
        let (time, day) = (self.event.time, self.day.0);
        self.touch(TICKETS);
        let counted = match step {
            TicketStep::Opened => {
                support.last_opened = support.last_opened.max(Some(time));
                support.opened.add(day, 1)
            }
            TicketStep::Reopened => support.reopened.add(day, 1),
            TicketStep::Answered | TicketStep::Solved => Some(0),
        };
        self.folded.too_late |= counted.is_none();
        let Some(ticket) = support.tickets.entry(name, MAX_TICKETS, self.now, || Ticket::new(name)) else {
            self.folded.limited = true;
            return;
        };
        // An answer does not change whether the ticket waits for a solution.
        if *step != TicketStep::Answered {
            ticket.status.set(self.stamp, *step);
        }
        ticket.priority.set_some(self.stamp, *priority);
        let before = ticket.first_response();
        match step {
            TicketStep::Opened => ticket.opened_at = Some(ticket.opened_at.map_or(time, |known| known.min(time))),
            TicketStep::Answered => ticket.answered_at = Some(ticket.answered_at.map_or(time, |known| known.min(time))),
            TicketStep::Reopened => ticket.reopenings = ticket.reopenings.saturating_add(1),
            TicketStep::Solved => {}
        }
        let after = ticket.first_response();
        if before != after {
            self.folded.first_response = [before, after];
        }
    }

    fn survey(&mut self, support: &mut Support) {
        let Body::Survey { kind, score, scale_min, scale_max, higher_is_better, user, role, .. } = &self.event.body else {
            return;
        };
        let share = (score - scale_min) / (scale_max - scale_min);
        let good = if *higher_is_better { share } else { 1.0 - share };
        let mapped = if *kind == SurveyKind::Nps { 10.0 * good } else { good };
        let answer = Answer::new(self.event.time, self.identity, *kind, mapped as f32, *user);
        let answer = answer.by_decision_maker(role.as_deref() == Some(DECISION_MAKER));
        self.folded.limited |= !support.answer(answer, self.today);
        self.touch(SURVEYS);
    }

    fn subscription(&mut self, customer: &mut Customer) {
        let Body::Subscription { step, subscription: name, plan, mrr_minor, currency, seats, period_end, reason, trial } = &self.event.body
        else {
            return;
        };
        self.touch(MONEY);
        let (stamp, time) = (self.stamp, self.event.time);
        self.make_room(customer, name);
        let billing = &mut customer.billing;
        let before = (billing.mrr_minor(), billing.seats());
        let Some(subscription) = billing.subscriptions.entry(name, MAX_SUBSCRIPTIONS, self.now, || Subscription::new(name)) else {
            self.folded.limited = true;
            return;
        };
        let said = Statement { step: *step, trial: *trial, mrr_minor: *mrr_minor };
        let paid_before = subscription.note_payment(stamp, said, Month::of(self.today).back(RETAINED_MONTHS));
        self.folded.closed_terms.extend(subscription.note_term(stamp, *step, *trial, *period_end));
        subscription.status.set(stamp, *step);
        subscription.plan.set_some(stamp, plan.as_deref().map(|plan| kept_name(plan).into()));
        subscription.mrr_minor.set_some(stamp, *mrr_minor);
        subscription.currency.set_some(stamp, *currency);
        subscription.seats.set_some(stamp, *seats);
        subscription.period_end.set_some(stamp, *period_end);
        subscription.reason.set_some(stamp, *reason);
        subscription.trial.set_some(stamp, *trial);
        if matches!(step, SubscriptionStep::Started | SubscriptionStep::Renewed) {
            subscription.term_start.set(stamp, ());
        }
        if *step == SubscriptionStep::Started {
            subscription.started_at = subscription.started_at.max(Some(time));
        }
        billing.recount();
        let after = (billing.mrr_minor(), billing.seats());
        let fell = |before: f64, after: f64| after > 0.0 && after <= 0.9 * before;
        let seats_of = |seats: Option<u64>| seats.unwrap_or(0) as f64;
        if fell(before.0 as f64, after.0 as f64) || after.0 > 0 && fell(seats_of(before.1), seats_of(after.1)) {
            billing.contracted_at = billing.contracted_at.max(Some(time));
        }
        if before.0 > 0 && after.0 > before.0 || before.1.is_some() && after.1 > before.1 {
            billing.expanded_at = billing.expanded_at.max(Some(time));
        }
        billing.note_mrr(self.today);
        if paid_before {
            customer.ledger.get_or_insert_default().paid_before = true;
        }
    }

    /// What subscriptions paid that make room for a new one is kept apart.
    fn make_room(&mut self, customer: &mut Customer, name: &str) {
        let subscriptions = &customer.billing.subscriptions;
        if subscriptions.get(name).is_some() || subscriptions.iter().len() < MAX_SUBSCRIPTIONS {
            return;
        }
        let ledger = customer.ledger.get_or_insert_default();
        for subscription in subscriptions.forgettable(self.now) {
            ledger.forget(subscription);
            self.folded.closed_terms.extend(subscription.term_due.map(|due| (Month::of(due.day()), false)));
        }
    }

    fn invoice(&mut self, customer: &mut Customer) {
        let Body::Invoice { step, invoice: name, due, attempt, .. } = &self.event.body else { return };
        let name = &*kept_name(name);
        self.touch(INVOICES);
        let Some(invoice) = customer.billing.invoices.entry(name, MAX_INVOICES, self.now, || Invoice::new(name)) else {
            self.folded.limited = true;
            return;
        };
        invoice.status.set(self.stamp, *step);
        invoice.due.set_some(self.stamp, *due);
        if *step == InvoiceStep::PaymentFailed {
            invoice.failures = invoice.failures.saturating_add(1);
            invoice.attempt = invoice.attempt.max(attempt.unwrap_or(0));
            invoice.failed_at = Some(invoice.failed_at.map_or(self.event.time, |known| known.min(self.event.time)));
        }
    }

    fn cancellation(&mut self, leaving: &mut Leaving, step: CancellationStep) {
        let time = self.event.time;
        self.touch(LEAVING);
        match step {
            CancellationStep::Viewed => self.folded.limited |= !leaving.view(time, self.today),
            CancellationStep::Reasoned => leaving.reason_at = leaving.reason_at.max(Some(time)),
            CancellationStep::Requested => self.folded.limited |= !leaving.request(time),
            CancellationStep::Acknowledged => leaving.acknowledged_at = leaving.acknowledged_at.max(Some(time)),
            CancellationStep::Withdrawn => leaving.withdraw(time),
        }
    }
}
