//! The order in which events arrive does not matter to registers and counters.

use bellwether_engine::customer::Customer;
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::feature::Feature;
use bellwether_engine::time::DAY_MS;
use bellwether_engine::view::View;
use bellwether_tests::company::{Random, START};
use bellwether_tests::eventful::eventful_life;
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
        let straight = eventful_life(seed, 1, DAYS);
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
    let mut absent: Vec<&str> = features(&eventful_life(0, 1, DAYS)).into_iter().map(|(name, _)| name).collect();
    for seed in 0..200 {
        let said = features(&eventful_life(seed, 1, DAYS));
        absent.retain(|name| said.iter().any(|(said, value)| said == name && ["NaN", ""].contains(&value.as_str())));
    }
    assert_eq!(absent, OF_OTHERS);
}
