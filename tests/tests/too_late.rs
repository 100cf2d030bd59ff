//! Events whose day has left the windows: counted as too late, and nothing of what is counted changes.

use bellwether_engine::event::{Body, CustomerKey, Event, UserToken};
use bellwether_engine::feature::Feature;
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};
use bellwether_engine::view::View;
use bellwether_tests::company::START;
use bellwether_tests::folding::{Cuts, default_rules, fold};

/// Days of use before the straggler.
const DAYS: i64 = 600;

fn event(id: &str, time: Time, body: Body<'static>) -> Event<'static> {
    Event { time, source: "/test".into(), id: id.to_owned().into(), customer: "c".into(), traceparent: None, body }
}

/// Six hundred days with a login and a use each.
fn life() -> Vec<Event<'static>> {
    let account = Body::Account { created: true, segment: None, industry: None, country: None, owner: None };
    let mut events = vec![event("account", START, account)];
    for day in 0..DAYS {
        let time = START.plus_ms(day * DAY_MS + HOUR_MS);
        events.push(event(&format!("login-{day}"), time, Body::Login { user: Some(UserToken(1)), ok: true }));
        events.push(event(&format!("usage-{day}"), time.plus_ms(1), usage()));
    }
    events
}

fn usage() -> Body<'static> {
    Body::Usage { feature: "reports".into(), count: 7, value: None, user: Some(UserToken(1)) }
}

/// How many events came too late, how many came at all, and all features with a value.
fn known(events: &[Event<'_>]) -> (u64, u64, Vec<(&'static str, f64)>) {
    let rules = default_rules();
    let end = START.plus_ms(DAYS * DAY_MS);
    let (partitions, _) = fold(events, &rules, 1, end, Cuts::None);
    let customer = partitions[0].get(CustomerKey::of("c")).expect("the customer is there");
    let view = View::new(customer, &rules.settings, end);
    let features = Feature::ALL.iter().map(|row| (row.name, view.value(row.feature as u16))).filter(|(_, value)| !value.is_nan());
    let aggregates = &partitions[0].header.aggregates;
    (aggregates.too_late, aggregates.events, features.collect())
}

#[test]
fn what_comes_after_its_windows_is_counted_and_changes_no_count() {
    let (too_late, events, straight) = known(&life());
    assert_eq!((too_late, events), (0, 2 * DAYS as u64 + 1));
    assert!(straight.contains(&("logins_28d", 27.0)) && straight.contains(&("usage_28d", 189.0)), "{straight:?}");
    let first_day = START.plus_ms(2 * HOUR_MS);
    for (name, body) in [("login", Body::Login { user: Some(UserToken(1)), ok: true }), ("usage", usage())] {
        let late = [life(), vec![event("late", first_day, body.clone())]].concat();
        assert_eq!(known(&late), (1, events + 1, straight.clone()), "a {name} after its windows");
        // The same on the last day is counted.
        let in_time = [life(), vec![event("late", START.plus_ms((DAYS - 1) * DAY_MS + 2 * HOUR_MS), body)]].concat();
        let (too_late, _, changed) = known(&in_time);
        assert_eq!(too_late, 0, "a {name} in time");
        assert_ne!(changed, straight, "a {name} in time changes what is counted");
    }
}
