//! Time as data: silence, lateness, and very many reviews at one instant.

use std::borrow::Cow;

use bellwether_engine::event::{Body, CustomerKey, Event, SubscriptionStep, UserToken};
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::signal::{Output, Transition};
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};
use bellwether_tests::company::{START, subscription};
use bellwether_tests::folding::{Cuts, default_rules, fold};

fn event(number: usize, time: Time, body: Body<'static>) -> Event<'static> {
    Event {
        time,
        source: Cow::Borrowed("/test"),
        id: Cow::Owned(number.to_string()),
        customer: Cow::Borrowed("quiet"),
        traceparent: None,
        body,
    }
}

#[test]
fn sixty_days_of_silence_raise_each_inactivity_signal_once_at_the_right_time() {
    let mut bodies = vec![
        (START, Body::Account { created: true, segment: None, industry: None, country: None, owner: None }),
        (START.plus_ms(1), subscription(SubscriptionStep::Started, 100_000, 720)),
    ];
    let mut last = START;
    for day in 0..120 {
        last = START.plus_ms(day * DAY_MS + 9 * HOUR_MS + 17 * day);
        bodies.push((last, Body::Login { user: Some(UserToken(1)), ok: true }));
    }
    let events: Vec<_> = bodies.into_iter().enumerate().map(|(number, (time, body))| event(number, time, body)).collect();
    for cuts in [Cuts::None, Cuts::Random(11)] {
        let (_, outputs) = fold(&events, &default_rules(), 1, last.plus_ms(61 * DAY_MS), cuts);
        let told = |rule: &str| -> Vec<(Transition, Time)> {
            let signals = outputs[0].iter().filter_map(|output| if let Output::Signal(signal) = output { Some(signal) } else { None });
            signals.filter(|signal| signal.rule.name == rule).map(|signal| (signal.transition, signal.time)).collect()
        };
        let thirty = last.plus_ms(30 * DAY_MS);
        assert_eq!(told("no-login-30d"), [(Transition::Raised, thirty), (Transition::Escalated, last.plus_ms(60 * DAY_MS))]);
        assert_eq!(told("unusual-gap"), [(Transition::Raised, last.plus_ms(28 * DAY_MS + 1))]);
    }
}

#[test]
fn a_million_reviews_due_at_one_instant_run_within_a_small_batch_limit() {
    const CUSTOMERS: u64 = 1_000_000;
    const LIMIT: u64 = 10_000;
    let mut partition = Partition::new(default_rules(), Header::default());
    let mut outputs = Vec::new();
    for number in 0..CUSTOMERS {
        let body = Body::Account { created: true, segment: None, industry: None, country: None, owner: None };
        let customer = Cow::Owned(format!("customer-{number}"));
        let event = Event { time: START, source: Cow::Borrowed("/test"), id: Cow::Borrowed("1"), customer, traceparent: None, body };
        let payload = Payload::Event { event: &event, key: CustomerKey::of(&event.customer), identity: number };
        let progress = partition.apply(&Record { watermark: START, payload }, &mut u64::MAX.clone(), &mut outputs);
        assert_eq!(progress, Progress::Done);
    }
    let midnight = START.plus_ms(DAY_MS);
    assert_eq!(partition.due(midnight).count() as u64, CUSTOMERS);
    let tick = Record { watermark: midnight, payload: Payload::Tick };
    let mut batches = 0;
    loop {
        let (before, mut budget) = (partition.work.reviews, LIMIT);
        let progress = partition.apply(&tick, &mut budget, &mut outputs);
        assert!(partition.work.reviews - before <= LIMIT);
        batches += 1;
        match progress {
            Progress::Done => break,
            progress => assert_eq!(progress, Progress::OutOfBudget),
        }
    }
    assert_eq!(partition.work.reviews, CUSTOMERS);
    assert_eq!(batches, CUSTOMERS / LIMIT);
    assert_eq!(partition.due(midnight).count(), 0);
}
