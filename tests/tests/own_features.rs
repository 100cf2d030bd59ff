//! Features of the user's own: what they count, late events, limits, and what a change of rules keeps.

use std::sync::Arc;

use bellwether_codec::rules::RuleFile;
use bellwether_codec::state::{decode_customer, encode_customer};
use bellwether_engine::customer::Customer;
use bellwether_engine::event::{Body, CustomerKey, Event, UserToken};
use bellwether_engine::own_feature::{FIRST_OWN_FEATURE, MAX_DISTINCT_VALUES};
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};
use bellwether_engine::view::View;

const START: Time = Time(20_000 * DAY_MS);

const FEATURES: &str = "
features:
  - { name: exports, event: usage, where: { feature: export }, count: true, window: 7d }
  - { name: amount, event: usage, where: { feature: export }, sum: value, window: 7d }
  - { name: people, event: usage, distinct: user, window: 7d }
  - { name: level, event: usage, where: { feature: gauge }, last: value, window: 7d }
";
const SIGNAL: &str = "signals:\n- { name: many, kind: attention, warm_up: 0d, when: exports >= 3, summary: '{exports} exports' }\n";

fn rules(number: u32, text: &str) -> Arc<RuleSet> {
    Arc::new(RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}")).rule_set(number))
}

/// A partition under test, its events numbered.
struct World {
    partition: Partition,
    outputs: Vec<Output>,
    events: u32,
    now: Time,
}

impl World {
    fn new(rules: Arc<RuleSet>) -> Self {
        Self { partition: Partition::new(rules, Header::default()), outputs: Vec::new(), events: 0, now: Time::MIN }
    }

    /// A use at so many hours, arriving now, which never goes back.
    fn usage(&mut self, customer: &str, hours: i64, feature: &str, value: f64, user: u64) {
        let time = START.plus_ms(hours * HOUR_MS);
        self.now = self.now.max(time);
        self.events += 1;
        let body = Body::Usage { feature: feature.to_owned().into(), count: 1, value: Some(value), user: Some(UserToken(user)) };
        let (id, customer) = (self.events.to_string().into(), customer.to_owned().into());
        let event = Event { time, source: "/usage".into(), id, customer, traceparent: None, body };
        let payload = Payload::Event { event: &event, key: CustomerKey::of(&event.customer), identity: event.identity() };
        let record = Record { watermark: self.now, payload };
        assert_eq!(self.partition.apply(&record, &mut u64::MAX.clone(), &mut self.outputs), Progress::Done);
    }

    fn pass(&mut self, hours: i64) {
        self.now = START.plus_ms(hours * HOUR_MS);
        let record = Record { watermark: self.now, payload: Payload::Tick };
        assert_eq!(self.partition.apply(&record, &mut u64::MAX.clone(), &mut self.outputs), Progress::Done);
    }

    fn publish(&mut self, rules: Arc<RuleSet>) {
        let previous = self.partition.rules().clone();
        self.partition.set_rules(rules, Some(previous));
        let keys: Vec<CustomerKey> = self.partition.customers().map(|customer| CustomerKey::of(&customer.id)).collect();
        keys.into_iter().for_each(|key| assert_eq!(self.partition.review_now(key, &mut self.outputs), Progress::Done));
    }

    fn customer(&self, customer: &str) -> &Customer {
        self.partition.get(CustomerKey::of(customer)).expect("it is known")
    }

    /// Values of the features in the order of the file; `None` where absent.
    fn values(&self, customer: &str) -> Vec<Option<f64>> {
        let settings = &self.partition.rules().settings;
        let mut bytes = Vec::new();
        encode_customer(self.customer(customer), &mut bytes).expect("it encodes");
        let stored = decode_customer(&bytes).expect("it decodes");
        assert_eq!(&stored, self.customer(customer), "the stored form is the same");
        let view = View::new(&stored, settings, self.now);
        let count = settings.own.iter().count() as u16;
        (0..count).map(|place| Some(view.value(FIRST_OWN_FEATURE + place)).filter(|value| !value.is_nan())).collect()
    }
}

#[test]
fn events_count_by_their_own_day_and_leave_with_it() {
    let mut world = World::new(rules(1, &format!("{FEATURES}{SIGNAL}")));
    world.usage("a", 0, "other", 9.0, 1);
    assert_eq!(world.values("a"), [Some(0.0), Some(0.0), Some(1.0), None], "nothing of it, and nothing unknown");
    world.usage("a", 49, "export", 0.1, 1);
    world.usage("a", 50, "export", 0.2, 2);
    world.usage("a", 51, "gauge", 5.0, 2);
    // Late, but in the window: it counts, and the latest number stays.
    world.usage("a", 25, "export", 0.3, 3);
    world.usage("a", 26, "gauge", 7.0, 3);
    assert_eq!(world.values("a"), [Some(3.0), Some(0.6), Some(3.0), Some(5.0)]);
    let raised: Vec<&str> = world
        .outputs
        .iter()
        .filter_map(|output| match output {
            Output::Signal(signal) | Output::Decision(signal, _) => Some(&*signal.summary),
            Output::Kpis(_) => None,
        })
        .collect();
    assert_eq!(raised, ["3 exports"], "the late event raises it");
    world.pass(24 * 8);
    assert_eq!(world.values("a"), [Some(2.0), Some(0.3), Some(2.0), Some(5.0)], "the second day has left the window");
    world.pass(24 * 9);
    assert_eq!(world.values("a"), [Some(0.0), Some(0.0), Some(0.0), None]);
    // Older than the window.
    world.usage("a", 40, "export", 0.3, 3);
    assert_eq!(world.values("a"), [Some(0.0), Some(0.0), Some(0.0), None]);
    let told = world.outputs.iter().filter(|output| !matches!(output, Output::Kpis(_))).count();
    assert_eq!(told, 2, "it was cleared at a midnight");
}

#[test]
fn order_of_arrival_does_not_matter() {
    let mut events: Vec<(i64, &str, f64, u64)> =
        (0..120).map(|number| (number, if number % 3 == 0 { "export" } else { "gauge" }, number as f64 / 7.0, number as u64 % 9)).collect();
    let values = |events: &[(i64, &str, f64, u64)]| {
        let mut world = World::new(rules(1, &format!("{FEATURES}{SIGNAL}")));
        events.iter().for_each(|(hours, feature, value, user)| world.usage("a", *hours, feature, *value, *user));
        world.pass(121);
        world.values("a")
    };
    let straight = values(&events);
    events.reverse();
    assert_eq!(values(&events), straight);
    assert_eq!((straight[0], straight[2]), (Some(40.0), Some(9.0)));
}

#[test]
fn too_many_values_are_unknown_until_they_have_left() {
    let mut world = World::new(rules(1, &format!("{FEATURES}{SIGNAL}")));
    let limit = MAX_DISTINCT_VALUES as u64;
    (0..limit).for_each(|user| world.usage("a", 1, "x", 0.0, user));
    assert_eq!(world.values("a")[2], Some(limit as f64));
    world.usage("a", 25, "x", 0.0, limit);
    assert_eq!(world.values("a")[2], None);
    world.pass(24 * 8 + 1);
    assert_eq!(world.values("a")[2], Some(0.0));
    world.usage("a", 24 * 8 + 2, "x", 0.0, limit + 1);
    assert_eq!(world.values("a")[2], Some(1.0), "there is room again");
}

#[test]
fn a_change_of_rules_keeps_what_is_the_same_and_starts_the_rest_absent() {
    let mut world = World::new(rules(1, &format!("{FEATURES}{SIGNAL}")));
    world.usage("a", 1, "export", 2.0, 1);
    world.usage("a", 2, "gauge", 4.0, 1);
    let changed = FEATURES.replace("name: exports,", "name: renamed,").replace("distinct: user, window: 7d", "distinct: user, window: 5d");
    let changed = changed.replace("feature: gauge", "feature: dial");
    world.publish(rules(2, &format!("{changed}signals: []")));
    assert_eq!(world.values("a"), [Some(1.0), Some(2.0), None, None], "another window is another feature, another name is not");
    world.usage("a", 5, "dial", 6.0, 2);
    world.usage("b", 6, "export", 1.0, 1);
    assert_eq!(world.values("a"), [Some(1.0), Some(2.0), None, Some(6.0)], "the last number is known once there is one");
    assert_eq!(world.values("b"), [Some(1.0), Some(1.0), Some(1.0), None], "all is known of a customer that came later");
    // A source that resumes reviews everybody, and nobody forgets by that.
    world.partition.source_silent("/usage", Default::default());
    world.partition.source_resumed("/usage");
    assert_eq!(world.partition.review_now(CustomerKey::of("b"), &mut world.outputs), Progress::Done);
    assert_eq!(world.values("b"), [Some(1.0), Some(1.0), Some(1.0), None]);
    world.pass(24 * 4);
    assert_eq!(world.values("a")[2], None);
    world.pass(24 * 5);
    assert_eq!(world.values("a")[2], Some(0.0), "five days later its window holds only what it has seen");
    world.publish(rules(3, "signals: []"));
    assert!(world.customer("a").own.is_none(), "without own features the section is gone");
}
