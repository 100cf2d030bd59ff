//! Health profiles, quadrants, journey stages of the user's own, and holidays, as records, aggregates and signals tell them.

use std::sync::Arc;

use bellwether_codec::health_record::{HealthRecord, digest};
use bellwether_codec::rules::RuleFile;
use bellwether_engine::event::{Body, CustomerKey, Event, SubscriptionStep, SurveyKind, UserToken};
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::signal::Output;
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};

/// 2026-03-02, a Monday.
const START: Time = Time(20_514 * DAY_MS);

const RULES: &str = r#"
holidays: { DE: [2026-03-06, 2026-03-07..2026-03-08] }
health:
  version: 3
  grades: { amber: 40, green: 70 }
  components:
    - { name: use, weight: 1, axis: outcome, inputs: { logins_7d: [[0, 0], [5, 100]] } }
    - { name: care, weight: 1, axis: experience, inputs: { nps: [[0, 0], [10, 100]] } }
    - { name: money, weight: 2, inputs: { seats: [[0, 50], [10, 50]] } }
  vetoes: [{ name: leaving, when: cancel_requested, cap: 5 }]
  profiles:
    - { name: large, segments: [enterprise], version: 7, grades: { amber: 60, green: 95 }, good_from: { outcome: 90 } }
    - { name: trials, when: stage == "trial", components: [{ name: use, weight: 1, inputs: { logins_7d: [[0, 20], [5, 100]] } }] }
stages:
  - { name: visitor, when: logins_28d == 0 }
  - { name: trial, when: logins_28d > 0 }
  - { name: customer, when: subscriptions > 0 }
signals:
  - { name: quiet, kind: attention, warm_up: 0d, when: days_since_login >= 3, unless: [holiday], summary: "{stage}" }
  - { name: stuck, kind: attention, warm_up: 0d, when: stage == "trial" && days_in_stage >= 2, summary: "{days_in_stage} days in {stage}" }
"#;

struct World {
    partition: Partition,
    outputs: Vec<Output>,
    events: u32,
}

impl World {
    fn new() -> Self {
        let rules = RuleFile::parse("rules.yaml", RULES).unwrap_or_else(|errors| panic!("{errors}")).rule_set(1);
        Self { partition: Partition::new(Arc::new(rules), Header::default()), outputs: Vec::new(), events: 0 }
    }

    fn event(&mut self, customer: &str, hours: i64, body: Body<'static>) {
        let time = START.plus_ms(hours * HOUR_MS);
        self.events += 1;
        let event = Event {
            time,
            source: "/test".into(),
            id: self.events.to_string().into(),
            customer: customer.to_owned().into(),
            traceparent: None,
            body,
        };
        let payload = Payload::Event { event: &event, key: CustomerKey::of(customer), identity: event.identity() };
        self.apply(Record { watermark: time, payload });
    }

    fn pass(&mut self, hours: i64) {
        self.apply(Record { watermark: START.plus_ms(hours * HOUR_MS), payload: Payload::Tick });
    }

    fn apply(&mut self, record: Record<'_>) {
        assert_eq!(self.partition.apply(&record, &mut u64::MAX.clone(), &mut self.outputs), Progress::Done);
    }

    fn record(&self, customer: &str) -> HealthRecord {
        let customer = self.partition.get(CustomerKey::of(customer)).expect("it is known");
        HealthRecord::of(customer, self.partition.rules())
    }
}

fn login() -> Body<'static> {
    Body::Login { user: Some(UserToken(1)), ok: true }
}

fn account(segment: &'static str, country: &'static str) -> Body<'static> {
    Body::Account { created: false, segment: Some(segment.into()), industry: None, country: Some(country.into()), owner: None }
}

fn nps(score: f64) -> Body<'static> {
    let user = Some(UserToken(1));
    Body::Survey { kind: SurveyKind::Nps, score, scale_min: 0.0, scale_max: 10.0, higher_is_better: true, user, role: None, ticket: None }
}

fn subscribed() -> Body<'static> {
    Body::Subscription {
        step: SubscriptionStep::Started,
        subscription: "s".into(),
        plan: None,
        mrr_minor: Some(1_000),
        currency: None,
        seats: Some(10),
        period_end: None,
        trial: None,
        reason: None,
    }
}

#[test]
fn stage_and_segment_choose_the_profile_at_once() {
    let mut world = World::new();
    world.event("a", 0, login());
    let record = world.record("a");
    assert_eq!((&*record.stage, &*record.health_profile, record.health_version), ("trial", "trials", 1));
    assert_eq!((record.health, record.quadrant), (Some(36.0), None), "20 and a fifth of the way to 100");
    world.event("a", 1, subscribed());
    let record = world.record("a");
    assert_eq!((&*record.stage, &*record.health_profile, record.health_version), ("customer", "", 3));
    assert_eq!(record.health, Some(40.0), "use 20, money 50 twice; experience is missing and gives its weight to both");
    assert_eq!((record.grade.as_deref(), record.top_driver.as_deref()), (Some("amber"), Some("money")));
    world.event("a", 2, account("enterprise", "FR"));
    let record = world.record("a");
    assert_eq!((&*record.health_profile, record.health_version, record.grade.as_deref()), ("large", 7, Some("red")));
    world.event("a", 3, account("small", "FR"));
    assert_eq!(world.record("a").health_profile, "");
    let line = &world.outputs;
    assert!(line.is_empty(), "{line:?}");
}

#[test]
fn quadrants_are_told_and_counted() {
    let mut world = World::new();
    for (customer, logins, score) in [("a", 5, 9.0), ("b", 5, 2.0), ("c", 1, 9.0), ("d", 1, 2.0), ("e", 5, 9.0)] {
        world.event(customer, 0, subscribed());
        (0..logins).for_each(|number| world.event(customer, number, login()));
        world.event(customer, 6, nps(score));
    }
    let told = ["a", "b", "c", "d", "e"].map(|customer| world.record(customer).quadrant.unwrap_or_default());
    assert_eq!(told, ["thriving", "vulnerable", "silent_risk", "failing", "thriving"]);
    assert_eq!(world.partition.header.aggregates.journey.quadrants, [1, 1, 1, 2]);
    let record = world.record("b");
    assert_eq!((record.experience, record.outcome), (Some(20.0), Some(100.0)));
    assert_eq!(record.top_driver.as_deref(), Some("money"), "half of the weight lost half");
    // Under the profile for large customers outcomes are good from 90 on only.
    world.event("c", 7, account("enterprise", "FR"));
    world.pass(24 * 8);
    assert_eq!(world.record("a").quadrant.as_deref(), Some("silent_risk"), "the logins have left the window");
    assert_eq!(world.partition.header.aggregates.journey.quadrants, [2, 3, 0, 0]);
}

#[test]
fn a_veto_is_the_driver_where_it_caps() {
    let mut world = World::new();
    world.event("a", 0, subscribed());
    world.event("a", 1, login());
    let step = bellwether_engine::event::CancellationStep::Requested;
    world.event("a", 2, Body::Cancellation { step, user: None, reason: None, effective: None });
    let record = world.record("a");
    assert_eq!((record.health, record.top_driver.as_deref()), (Some(5.0), Some("leaving")));
}

#[test]
fn the_trend_is_told_once_there_is_one() {
    let mut world = World::new();
    world.event("a", 0, subscribed());
    (0..5).for_each(|hours| world.event("a", hours, login()));
    assert_eq!(world.record("a").trend, None);
    let before = world.partition.get(CustomerKey::of("a")).map(|customer| digest(customer, world.partition.rules(), &mut Vec::new()));
    world.pass(24 * 28 + 1);
    assert_eq!(world.record("a").trend.as_deref(), Some("falling"));
    let after = world.partition.get(CustomerKey::of("a")).map(|customer| digest(customer, world.partition.rules(), &mut Vec::new()));
    assert_ne!(before, after);
}

#[test]
fn time_in_stages_is_kept_told_and_summed() {
    let mut world = World::new();
    world.event("a", 0, login());
    world.pass(72);
    let stuck: Vec<(Time, &str)> = world
        .outputs
        .iter()
        .filter_map(|output| match output {
            Output::Signal(signal) if signal.rule.name == "stuck" => Some((signal.time, &*signal.summary)),
            _ => None,
        })
        .collect();
    assert_eq!(stuck, [(START.plus_ms(2 * DAY_MS), "2 days in trial")], "to the millisecond");
    world.event("a", 36 + 48, subscribed());
    world.event("b", 36 + 48, login());
    world.event("b", 36 + 49, subscribed());
    let record = world.record("a");
    assert_eq!((&*record.stage, record.stage_since.as_deref()), ("customer", Some("2026-03-05T12:00:00Z")));
    assert_eq!(record.stage_days.into_iter().collect::<Vec<_>>(), [("trial".to_owned(), 3.5)]);
    let stays: Vec<(i64, i64)> = world.partition.header.aggregates.journey.stays.values().copied().collect();
    assert_eq!(stays, [(2, 84 * 3_600 + 3_600)]);
    assert_eq!(world.partition.header.aggregates.customers_by_stage[..3], [0, 0, 2]);
}

#[test]
fn a_holiday_of_the_customers_country_holds_a_signal_until_it_is_over() {
    let mut world = World::new();
    for (customer, country) in [("german", "de"), ("french", "FR")] {
        world.event(customer, 30, account("x", country));
        world.event(customer, 30, login());
    }
    world.pass(24 * 9);
    let told = |customer: &str| -> Vec<(Time, Option<String>)> {
        let of_rule = world.outputs.iter().filter_map(|output| match output {
            Output::Signal(signal) if signal.rule.name == "quiet" && *signal.customer == *customer => Some((signal.time, None)),
            Output::Decision(signal, reason) if signal.rule.name == "quiet" && *signal.customer == *customer => {
                Some((signal.time, Some(reason.to_string())))
            }
            _ => None,
        });
        of_rule.collect()
    };
    let friday = START.plus_ms(102 * HOUR_MS);
    assert_eq!(told("french"), [(friday, None)]);
    assert_eq!(told("german"), [(friday, Some("holiday".to_owned())), (START.plus_ms(7 * DAY_MS), None)], "on Monday it is raised");
}
