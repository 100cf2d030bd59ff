//! The events of a rule's unit test as lines of JSON, to be read by the decoder that reads the wire.

use bellwether_engine::time::Time;
use serde_json::{Value, json};

use super::rule_tests::RuleTest;
use crate::timestamp::format_time;

/// When tests begin: 2024-01-01T00:00:00Z, a Monday.
pub const TEST_START: Time = Time(1_704_067_200_000);

/// The customer of every test.
pub const TEST_CUSTOMER: &str = "customer";

/// One event of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestLine {
    /// When it arrives, which is when it happens unless it is late.
    pub arrives: Time,
    /// How often it arrives.
    pub copies: usize,
    /// The event as a CloudEvents JSON line.
    pub text: String,
    /// The line of the rule file that it comes from.
    pub line: usize,
    /// Its user, in plain text.
    pub user: Option<String>,
}

impl RuleTest {
    /// All events in the order of arrival; those of the same instant in the order of the file.
    #[must_use]
    pub fn lines(&self) -> Vec<TestLine> {
        let repetitions = |index: usize| (0..self.events[index].times).map(move |number| (index, number));
        let mut order: Vec<(Time, usize, u32)> = (0..self.events.len())
            .flat_map(repetitions)
            .map(|(index, number)| {
                let event = &self.events[index];
                (TEST_START.plus_ms(event.at_ms + event.every_ms * i64::from(number)), index, number)
            })
            .collect();
        order.sort_by_key(|(time, index, _)| time.plus_ms(self.events[*index].late_ms));
        order.iter().enumerate().map(|(place, (time, index, number))| self.line(place, *time, *index, *number)).collect()
    }

    fn line(&self, place: usize, time: Time, index: usize, number: u32) -> TestLine {
        let event = &self.events[index];
        let mut data = Value::Object(event.data.clone());
        fill_in(&mut data, &number.to_string());
        let user = data.get("user").and_then(Value::as_str).map(str::to_owned);
        let text = json!({
            "specversion": "1.0",
            // Of the same length, so that among events of one time the later one in the file has the last word.
            "id": format!("t{:06}", place + 1),
            "source": "/test",
            "type": event.event_type.name(),
            "subject": TEST_CUSTOMER,
            "time": format_time(time),
            "data": data,
        });
        let copies = if event.twice { 2 } else { 1 };
        TestLine { arrives: time.plus_ms(event.late_ms), copies, text: text.to_string(), line: event.line, user }
    }
}

/// Replaces `{n}` in every text.
fn fill_in(value: &mut Value, number: &str) {
    match value {
        Value::String(text) if text.contains("{n}") => *text = text.replace("{n}", number),
        Value::Array(items) => items.iter_mut().for_each(|item| fill_in(item, number)),
        Value::Object(fields) => fields.values_mut().for_each(|field| fill_in(field, number)),
        _ => {}
    }
}
