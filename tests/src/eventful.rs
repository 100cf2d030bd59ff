//! Seeded logs in which everything happens to each customer, and much of it at one instant.

use std::borrow::Cow;

use bellwether_engine::event::{
    Body, CampaignStep, CancellationStep, Currency, Event, InvoiceStep, NoteKind, SubscriptionStep, UserStep, UserToken,
};
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};

use crate::company::{Random, START, company, life};

/// A company of one of four kinds, by its seed: what happens is little or much, and each event has its own time, or most share an hour with others.
#[must_use]
pub fn any_company(seed: u64, customers: u64, days: u64) -> Vec<Event<'static>> {
    let is_eventful = seed & 1 != 0;
    let mut events = match is_eventful {
        true => (0..customers).flat_map(|customer| eventful_life(seed, customer, days)).collect(),
        false => company(seed, customers, days),
    };
    if seed & 2 != 0 {
        events.iter_mut().for_each(|event| event.time = Time(event.time.0.div_euclid(HOUR_MS) * HOUR_MS));
    }
    events.sort_by(|one, other| (one.time, &one.customer, &one.id).cmp(&(other.time, &other.customer, &other.id)));
    events
}

/// The same events, those of each day in any order.
#[must_use]
pub fn shuffled_within_days(events: &[Event<'static>], seed: u64) -> Vec<Event<'static>> {
    let mut random = Random(seed);
    let mut shuffled: Vec<_> = events.iter().map(|event| (event.time.day(), random.number(), event.clone())).collect();
    shuffled.sort_by_key(|(day, order, _)| (*day, *order));
    shuffled.into_iter().map(|(_, _, event)| event).collect()
}

/// Users who are invited, log in, are removed, and are contacts.
const FIRST_GUEST: u64 = 200;

/// Events of each kind that a customer may have on a day, beside those of [`life`].
fn more_of_a_day(random: &mut Random, day: u64) -> Vec<Body<'static>> {
    let guest = |random: &mut Random| UserToken((FIRST_GUEST + random.below(6)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    // Those of `life`: no more of each kind than are remembered.
    let name = || Cow::Owned(format!("n{}", day / 10));
    let at = |days: u64| Some(START.plus_ms((day + days) as i64 * DAY_MS));
    let mut bodies = Vec::new();
    if random.one_in(3) {
        bodies.push(Body::Login { user: Some(guest(random)), ok: true });
    }
    if random.one_in(6) {
        let step = [UserStep::Invited, UserStep::Invited, UserStep::Activated, UserStep::Removed][random.below(4) as usize];
        bodies.push(Body::User { step, user: guest(random), expires: at(random.below(9)) });
    }
    if random.one_in(15) {
        let user = Some(guest(random)).filter(|_| !random.one_in(4));
        bodies.push(Body::Contact { role: Cow::Owned(format!("role-{}", random.below(2))), user, previous_user: None });
    }
    if random.one_in(6) {
        let step =
            [InvoiceStep::Issued, InvoiceStep::PaymentFailed, InvoiceStep::PaymentFailed, InvoiceStep::Paid][random.below(4) as usize];
        let attempt = Some(1 + random.below(3) as u32).filter(|_| !random.one_in(2));
        bodies.push(Body::Invoice { step, invoice: name(), amount_minor: Some(5), currency: None, due: at(4), attempt });
    }
    if random.one_in(10) {
        let step = [SubscriptionStep::Started, SubscriptionStep::Renewed, SubscriptionStep::Changed, SubscriptionStep::Ended];
        bodies.push(Body::Subscription {
            step: step[random.below(4) as usize],
            subscription: Cow::Owned(format!("more-{}", random.below(2))),
            plan: None,
            mrr_minor: Some(1_000 + random.below(50) as i64),
            currency: Some([Currency(*b"USD"), Currency(*b"EUR")][random.below(2) as usize]),
            seats: Some(1 + random.below(9) as u32),
            period_end: at(30 + random.below(60)),
            trial: None,
            reason: None,
        });
    }
    if random.one_in(8) {
        let kind = Some([NoteKind::FeatureRequest, NoteKind::Risk][random.below(2) as usize]);
        bodies.push(Body::Note { resolved: random.one_in(3), note: name(), kind });
    }
    if random.one_in(20) {
        bodies.push(Body::Touch { channel: None });
    }
    if random.one_in(20) {
        let (set, value) = (random.one_in(2), random.below(50) as f64);
        let target = Some(100.0).filter(|_| set);
        bodies.push(Body::Goal { set, metric: Cow::Borrowed("m"), target, value: Some(value).filter(|_| !set), due: None });
    }
    if random.one_in(30) {
        bodies.push(Body::Lead { kind: None });
    }
    if random.one_in(20) {
        let step =
            [CampaignStep::Sent, CampaignStep::Opened, CampaignStep::Converted, CampaignStep::Unsubscribed][random.below(4) as usize];
        bodies.push(Body::Campaign { step, campaign: name(), user: Some(guest(random)), amount_minor: None, currency: None });
    }
    if random.one_in(30) {
        let user = Some(guest(random)).filter(|_| random.one_in(2));
        bodies.push(Body::Consent { marketing: random.one_in(2), user });
    }
    if random.one_in(40) {
        let step = [CancellationStep::Requested, CancellationStep::Acknowledged, CancellationStep::Withdrawn][random.below(3) as usize];
        bodies.push(Body::Cancellation { step, user: None, reason: None, effective: None });
    }
    bodies
}

/// A customer to whom everything happens, in time order.
#[must_use]
pub fn eventful_life(seed: u64, customer: u64, days: u64) -> Vec<Event<'static>> {
    let mut random = Random(seed ^ 5 ^ customer.wrapping_sub(1));
    let mut events = life(seed, customer, days);
    for day in 0..days {
        for (number, body) in more_of_a_day(&mut random, day).into_iter().enumerate() {
            let time = START.plus_ms(day as i64 * DAY_MS + random.below(24) as i64 * HOUR_MS + number as i64);
            let (id, customer) = (Cow::Owned(format!("more-{day}-{number}")), Cow::Owned(format!("c-{customer}")));
            events.push(Event { time, source: Cow::Borrowed("/more"), id, customer, traceparent: None, body });
        }
    }
    events.sort_by(|one, other| (one.time, &one.id).cmp(&(other.time, &other.id)));
    events
}
