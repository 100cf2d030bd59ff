//! One customer to whom things happen, a line each, under rules.

use std::sync::Arc;

use bellwether_codec::event::Decoder;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::customer::Customer;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::feature::Feature;
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::{Output, Signal, Transition};
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_engine::view::View;

use crate::company::START;

/// Days on which a steady customer is there: its silence begins after them.
pub const STEADY_DAYS: u32 = 200;

/// A customer in a partition of its own. Its time begins at [`START`] and is told in days.
pub struct OneCustomer {
    /// The partition.
    pub partition: Partition,
    /// What it has put out.
    pub outputs: Vec<Output>,
    events: u32,
    now: Time,
}

impl OneCustomer {
    /// Nobody yet.
    #[must_use]
    pub fn new(rules: &Arc<RuleSet>) -> Self {
        Self { partition: Partition::new(rules.clone(), Header::default()), outputs: Vec::new(), events: 0, now: START }
    }

    /// A team of six who all come every day to use three features, ask for support every five days, hear from us every thirty until day 150, and pay
    /// for eight seats until day 300.
    #[must_use]
    pub fn steady(rules: &Arc<RuleSet>) -> Self {
        let mut customer = Self::new(rules);
        customer.happens(0.0, "account.created", "{}");
        let subscription = r#"{"subscription":"s","mrr_minor":100000,"currency":"EUR","seats":8,"period_end":"2024-10-27"}"#;
        customer.happens(0.0, "subscription.started", subscription);
        for day in 0..STEADY_DAYS {
            let at = |hour: f64| f64::from(day) + hour / 24.0;
            for user in 0..6 {
                customer.happens(at(8.0 + 0.1 * f64::from(user)), "login", &format!(r#"{{"user":"u{user}"}}"#));
                let usage = format!(r#"{{"feature":"feature-{}","count":5,"user":"u{user}"}}"#, user % 3);
                customer.happens(at(9.0 + 0.1 * f64::from(user)), "usage", &usage);
            }
            if day.is_multiple_of(5) {
                let ticket = format!(r#"{{"ticket":"t{day}"}}"#);
                for step in ["ticket.opened", "ticket.answered", "ticket.solved"] {
                    customer.happens(at(10.0), step, &ticket);
                }
            }
            if day.is_multiple_of(30) && day <= 150 {
                customer.happens(at(11.0), "touch.recorded", "{}");
            }
        }
        customer
    }

    /// Something happens, and is known at once. Before what happened last it is known now.
    ///
    /// # Panics
    ///
    /// When it is no event.
    #[track_caller]
    pub fn happens(&mut self, day: f64, event_type: &str, data: &str) {
        let time = time_of(day);
        self.now = self.now.max(time);
        self.events += 1;
        let (number, text_time) = (self.events, format_time(time));
        let text = format!(
            r#"{{"specversion":"1.0","id":"e{number}","source":"/test","type":"{event_type}","subject":"c","time":"{text_time}","data":{data}}}"#
        );
        let event = Decoder::default().decode_text(&text).unwrap_or_else(|rejection| panic!("{text}: {rejection}"));
        let payload = Payload::Event { event: &event, key: CustomerKey::of("c"), identity: event.identity() };
        self.apply(&Record { watermark: self.now, payload });
    }

    /// Time passes up to a day.
    ///
    /// # Panics
    ///
    /// When the fold does.
    pub fn pass(&mut self, day: f64) {
        self.now = self.now.max(time_of(day));
        self.apply(&Record { watermark: self.now, payload: Payload::Tick });
    }

    fn apply(&mut self, record: &Record<'_>) {
        assert_eq!(self.partition.apply(record, &mut u64::MAX.clone(), &mut self.outputs), Progress::Done);
    }

    /// A feature as of a day; NaN where it is absent.
    ///
    /// # Panics
    ///
    /// When there is no such feature, or nothing has happened yet.
    #[must_use]
    pub fn value(&self, feature: &str, day: f64) -> f64 {
        let row = Feature::ALL.iter().find(|row| row.name == feature).expect("a feature of the contract");
        let customer: &Customer = self.partition.get(CustomerKey::of("c")).expect("something has happened");
        View::new(customer, &self.partition.rules().settings, time_of(day)).value(row.feature as u16)
    }

    /// The signals that were sent.
    pub fn signals(&self) -> impl Iterator<Item = &Signal> {
        self.outputs.iter().filter_map(|output| if let Output::Signal(signal) = output { Some(&**signal) } else { None })
    }

    /// Rule, object and day of every episode that was raised, in the order of time.
    #[must_use]
    pub fn raised(&self) -> Vec<(String, String, f64)> {
        let raised = self.signals().filter(|signal| signal.transition == Transition::Raised);
        raised.map(|signal| (signal.rule.name.clone(), signal.object.to_string(), day_of(signal.time))).collect()
    }
}

/// A time in days.
#[must_use]
pub fn time_of(day: f64) -> Time {
    START.plus_ms((day * DAY_MS as f64).round() as i64)
}

/// The days up to a time.
#[must_use]
pub fn day_of(time: Time) -> f64 {
    time.since_ms(START) as f64 / DAY_MS as f64
}
