//! The order in which events arrive does not matter to registers and counters.

use std::borrow::Cow;

use bellwether_engine::customer::Customer;
use bellwether_engine::event::{
    Body, CampaignStep, CancellationStep, Currency, CustomerKey, Event, InvoiceStep, NoteKind, SubscriptionStep, UserStep, UserToken,
};
use bellwether_engine::feature::Feature;
use bellwether_engine::time::{DAY_MS, HOUR_MS};
use bellwether_engine::view::View;
use bellwether_tests::company::{Random, START, life};
use bellwether_tests::folding::{Cuts, default_rules, fold};
use proptest::prelude::*;

/// Long enough for an own normal of sixteen weeks.
const DAYS: u64 = 150;

/// Features that are what was decided, or what changed when it was heard of: the journal's order is part of them.
const HISTORIES: [Feature; 12] = [
    Feature::Health,
    Feature::HealthChange28d,
    Feature::Grade,
    Feature::Stage,
    Feature::AtRisk,
    Feature::OpenAtRisk,
    Feature::DaysSinceAtRisk,
    Feature::DaysInStage,
    Feature::MrrChange90d,
    Feature::DaysSinceContraction,
    Feature::DaysSinceExpansion,
    Feature::ContactChangedDays,
];

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
fn eventful_life(seed: u64) -> Vec<Event<'static>> {
    let mut random = Random(seed ^ 5);
    let mut events = life(seed, 1, DAYS);
    for day in 0..DAYS {
        for (number, body) in more_of_a_day(&mut random, day).into_iter().enumerate() {
            let time = START.plus_ms(day as i64 * DAY_MS + random.below(24) as i64 * HOUR_MS + number as i64);
            let id = Cow::Owned(format!("more-{day}-{number}"));
            events.push(Event { time, source: Cow::Borrowed("/more"), id, customer: Cow::Borrowed("c-1"), traceparent: None, body });
        }
    }
    events.sort_by(|one, other| (one.time, &one.id).cmp(&(other.time, &other.id)));
    events
}

/// What every feature says of the customer at the end.
fn features(events: &[Event<'_>]) -> Vec<(&'static str, String)> {
    let rules = default_rules();
    let end = START.plus_ms((DAYS as i64 + 1) * DAY_MS);
    let (partitions, _) = fold(events, &rules, 1, end, Cuts::None);
    let customer = partitions[0].get(CustomerKey::of("c-1")).expect("the customer is there");
    let view = View::new(customer, &rules.settings, end);
    let rows = Feature::ALL.iter().filter(|row| !HISTORIES.contains(&row.feature));
    rows.map(|row| (row.name, format!("{}", view.value(row.feature as u16)))).chain(things(customer)).collect()
}

/// What is known of each thing with a life of its own, and of how long invitations took.
fn things(customer: &Customer) -> Vec<(&'static str, String)> {
    let sorted = |mut things: Vec<String>| {
        things.sort_unstable();
        things.join("\n")
    };
    let (billing, relation) = (&customer.billing, customer.relation.as_deref());
    let (support, onboarding) = (customer.support.as_deref(), customer.onboarding.as_deref());
    let attempts = billing.invoices.iter().map(|invoice| format!("{invoice:?} {}", invoice.attempts_failed()));
    let subscriptions = billing.subscriptions.iter().map(|one| format!("{:?} {:?} {:?}", one.status, one.seats, one.started_at));
    let tickets = support.into_iter().flat_map(|support| support.tickets.iter()).map(|ticket| format!("{ticket:?}"));
    let notes = relation.into_iter().flat_map(|relation| relation.notes.iter()).map(|note| format!("{note:?}"));
    let incidents = relation.into_iter().flat_map(|relation| relation.incidents.iter()).map(|incident| format!("{incident:?}"));
    let quotas = relation.into_iter().flat_map(|relation| relation.quotas.iter()).map(|quota| format!("{quota:?}"));
    let invitations = onboarding.into_iter().flat_map(|onboarding| onboarding.invitations()).map(|invitation| {
        let (expires, activated_on) = (&invitation.expires, invitation.activated_on());
        let (is_pending, removed_at) = (invitation.is_pending(), invitation.removed_at());
        format!("{:?} {:?} {expires:?} {activated_on:?} {is_pending} {removed_at:?}", invitation.user, invitation.invited_at)
    });
    vec![
        ("currency", format!("{:?}", billing.currency())),
        ("invoices", sorted(attempts.collect())),
        ("subscriptions", sorted(subscriptions.collect())),
        ("tickets", sorted(tickets.collect())),
        ("notes", sorted(notes.collect())),
        ("incidents", sorted(incidents.collect())),
        ("quotas", sorted(quotas.collect())),
        ("invitations", sorted(invitations.collect())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn permutations_inside_the_window_give_the_same_registers_and_counters(seed: u64, shuffle: u64, window_days in 1_i64..14) {
        let straight = eventful_life(seed);
        let mut random = Random(shuffle);
        let mut permuted: Vec<(i64, u64, Event<'_>)> =
            straight.iter().map(|event| (event.time.since_ms(START) / (window_days * DAY_MS), random.number(), event.clone())).collect();
        permuted.sort_by_key(|(window, order, _)| (*window, *order));
        let permuted: Vec<_> = permuted.into_iter().map(|(_, _, event)| event).collect();
        let (straight, permuted) = (features(&straight), features(&permuted));
        let differing: Vec<_> = straight.iter().zip(&permuted).filter(|(one, other)| one != other).collect();
        prop_assert!(differing.is_empty(), "in order of time, and permuted: {differing:#?}");
    }
}

/// Features of a single thing or signal, and those that a setting or a calendar must name.
const OF_OTHERS: [&str; 18] = [
    "unused_entitlements",
    "invitation_age_days",
    "invitation_expires_in_hours",
    "invoice_attempts_failed",
    "invoice_failed_days",
    "invoice_overdue_days",
    "ticket_urgent",
    "ticket_unsolved",
    "ticket_open_hours",
    "ticket_solved_days",
    "ticket_reopenings",
    "incident_serious",
    "incident_open",
    "incident_age_days",
    "incident_quiet_days",
    "quota_share",
    "holiday",
    "age_days",
];

#[test]
fn every_feature_has_a_value_in_some_life() {
    let mut absent: Vec<&str> = features(&eventful_life(0)).into_iter().map(|(name, _)| name).collect();
    for seed in 0..200 {
        let said = features(&eventful_life(seed));
        absent.retain(|name| said.iter().any(|(said, value)| said == name && ["NaN", ""].contains(&value.as_str())));
    }
    assert_eq!(absent, OF_OTHERS);
}
