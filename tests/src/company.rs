//! Seeded event logs: small, with every family of events, in time order.

use std::borrow::Cow;

use bellwether_engine::event::{
    Body, CancellationStep, Currency, EndReason, Event, InvoiceStep, Priority, SubscriptionStep, SurveyKind, TicketStep, UserStep,
    UserToken,
};
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};

/// 2024-01-01T00:00:00Z.
pub const START: Time = Time(1_704_067_200_000);

/// A small generator of random numbers (SplitMix64), so that a seed is all that a failure has to print.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }

    /// True once in `odds`.
    pub fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }
}

/// The events of a company of so many customers over so many days, in time order, each with its own time.
#[must_use]
pub fn company(seed: u64, customers: u64, days: u64) -> Vec<Event<'static>> {
    let mut events: Vec<Event<'static>> = (0..customers).flat_map(|customer| life(seed, customer, days)).collect();
    events.sort_by(|a, b| (a.time, &a.customer, &a.id).cmp(&(b.time, &b.customer, &b.id)));
    events
}

/// The events of one customer: they depend on the seed and the customer only.
#[must_use]
pub fn life(seed: u64, customer: u64, days: u64) -> Vec<Event<'static>> {
    let mut random = Random(seed ^ customer.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let mut life = Life { customer: format!("c-{customer}"), events: Vec::new() };
    let first = random.below(days / 4 + 1);
    let last = if random.one_in(3) { first + days / 3 } else { days };
    let silence = random.below(days);
    life.add(first, 0, Body::Account { created: true, segment: None, industry: None, country: None, owner: Some(Cow::Borrowed("ann")) });
    life.add(first, 1, subscription(SubscriptionStep::Started, 50_000 + 1_000 * random.below(100) as i64, first + 365));
    let users = 1 + random.below(6);
    for day in first..last {
        let is_silent = (silence..silence + 40).contains(&day) && customer.is_multiple_of(2);
        for _ in 0..if is_silent { 0 } else { random.below(5) } {
            let user = Some(UserToken(random.below(users)));
            let hour = random.below(24);
            let feature = Cow::Owned(format!("feature-{}", random.below(9)));
            let body = if random.one_in(3) { Body::Login { user, ok: true } } else { Body::Usage { feature, count: 1, value: None, user } };
            life.add(day, hour, body);
        }
        life.rare(&mut random, day);
    }
    if last < days {
        life.add(last, 2, ended());
    }
    life.events
}

struct Life {
    customer: String,
    events: Vec<Event<'static>>,
}

impl Life {
    fn add(&mut self, day: u64, hour: u64, body: Body<'static>) {
        let number = self.events.len() as i64;
        // A few milliseconds apart, so that no two events of a customer share an instant.
        let time = START.plus_ms(day as i64 * DAY_MS + hour as i64 * HOUR_MS + number % 60_000);
        let id = Cow::Owned(format!("{}-{number}", self.customer));
        self.events.push(Event {
            time,
            source: Cow::Borrowed("/test"),
            id,
            customer: Cow::Owned(self.customer.clone()),
            traceparent: None,
            body,
        });
    }

    fn rare(&mut self, random: &mut Random, day: u64) {
        let name = || Cow::Owned(format!("n{}", day / 10));
        if random.one_in(20) {
            let step = [TicketStep::Opened, TicketStep::Answered, TicketStep::Solved, TicketStep::Reopened][random.below(4) as usize];
            let priority = Some(if random.one_in(3) { Priority::Urgent } else { Priority::Normal });
            self.add(day, 9, Body::Ticket { step, ticket: name(), channel: None, priority, topic: None });
        }
        if random.one_in(25) {
            let step = [InvoiceStep::Issued, InvoiceStep::PaymentFailed, InvoiceStep::PaymentRecovered, InvoiceStep::Paid]
                [random.below(4) as usize];
            let due = Some(START.plus_ms((day as i64 + 5) * DAY_MS));
            self.add(day, 10, Body::Invoice { step, invoice: name(), amount_minor: Some(100), currency: None, due, attempt: None });
        }
        if random.one_in(60) {
            let step = [CancellationStep::Viewed, CancellationStep::Reasoned, CancellationStep::Requested, CancellationStep::Withdrawn]
                [random.below(4) as usize];
            self.add(day, 11, Body::Cancellation { step, user: None, reason: None, effective: None });
        }
        if random.one_in(30) {
            let kind = [SurveyKind::Nps, SurveyKind::Csat, SurveyKind::Ces][random.below(3) as usize];
            let (scale_min, scale_max) = if kind == SurveyKind::Nps { (0.0, 10.0) } else { (1.0, 5.0) };
            let score = scale_min + random.below((scale_max - scale_min) as u64 + 1) as f64;
            let user = Some(UserToken(random.below(3)));
            self.add(day, 12, Body::Survey { kind, score, scale_min, scale_max, higher_is_better: true, user, role: None, ticket: None });
        }
        if random.one_in(50) {
            self.add(day, 13, subscription(SubscriptionStep::Changed, 40_000 + 1_000 * random.below(100) as i64, day + 200));
        }
        if random.one_in(40) {
            let step = [UserStep::Invited, UserStep::Activated, UserStep::Removed][random.below(3) as usize];
            self.add(
                day,
                14,
                Body::User { step, user: UserToken(100 + random.below(5)), expires: Some(START.plus_ms((day as i64 + 6) * DAY_MS)) },
            );
        }
        if random.one_in(60) {
            self.add(day, 15, Body::Incident { resolved: random.one_in(2), incident: name(), serious: random.one_in(2) });
        }
        if random.one_in(40) {
            self.add(day, 16, Body::Quota { name: Cow::Borrowed("api"), used: random.below(160) as f64, limit: 100.0 });
        }
        if random.one_in(50) {
            self.add(day, 17, Body::Contact { role: Cow::Borrowed("main"), user: Some(UserToken(random.below(4))), previous_user: None });
        }
        if random.one_in(80) {
            self.add(day, 18, Body::Consent { marketing: random.one_in(2), user: None });
        }
        if random.one_in(60) {
            self.add(day, 19, Body::Milestone { name: name(), is_final: random.one_in(4) });
        }
    }
}

/// A subscription event of the one subscription that a test customer has.
#[must_use]
pub fn subscription(step: SubscriptionStep, mrr_minor: i64, end_day: u64) -> Body<'static> {
    Body::Subscription {
        step,
        subscription: Cow::Borrowed("s"),
        plan: Some(Cow::Borrowed("team")),
        mrr_minor: Some(mrr_minor),
        currency: Some(Currency(*b"EUR")),
        seats: Some(5),
        period_end: Some(START.plus_ms(end_day as i64 * DAY_MS)),
        trial: None,
        reason: None,
    }
}

fn ended() -> Body<'static> {
    Body::Subscription {
        step: SubscriptionStep::Ended,
        subscription: Cow::Borrowed("s"),
        plan: None,
        mrr_minor: None,
        currency: None,
        seats: None,
        period_end: None,
        trial: None,
        reason: Some(EndReason::Voluntary),
    }
}
