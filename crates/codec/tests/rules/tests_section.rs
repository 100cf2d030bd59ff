//! The tests of a rule file: their fields, and the lines of JSON that are made of their events.

use bellwether_codec::event::Decoder;
use bellwether_codec::rules::{RuleTest, TEST_START};
use bellwether_engine::rule::Severity;
use bellwether_engine::signal::Transition;
use bellwether_engine::time::{DAY_MS, HOUR_MS};

use crate::{mistakes, parse};

const HEAD: &str = "signals: [{ name: a, kind: attention, when: true, summary: x }]\ntests:\n- name: t\n  rule: a\n";

fn test_of(rest: &str) -> RuleTest {
    parse(&format!("{HEAD}{rest}")).tests.remove(0)
}

#[test]
fn fields_of_a_test() {
    let test = test_of(
        "  events:\n  - { at: 1d12h, every: 12h, times: 3, type: login, data: { user: 'u{n}', ok: true } }\n  until: 10d\n  expect:\n  \
         - { at: 9d, transition: raised, severity: critical, object: 'i-1', suppressed: shadow }\n  - { at: 10d, transition: cleared }\n",
    );
    assert_eq!((test.name.as_str(), test.rule.as_str(), test.line, test.until_ms), ("t", "a", 3, 10 * DAY_MS));
    let event = &test.events[0];
    assert_eq!((event.at_ms, event.every_ms, event.times, event.line), (36 * HOUR_MS, 12 * HOUR_MS, 3, 6));
    let [first, second] = test.expect.as_slice() else { panic!("two transitions") };
    assert_eq!((first.at_ms, first.transition, first.severity), (9 * DAY_MS, Transition::Raised, Some(Severity::Critical)));
    assert_eq!((first.object.as_deref(), first.suppressed.as_deref()), (Some("i-1"), Some("shadow")));
    assert_eq!((second.severity, &second.object, &second.suppressed), (None, &None, &None));
}

#[test]
fn lines_are_in_the_order_of_time_then_of_the_file() {
    let test = test_of(
        "  until: 9d\n  expect: []\n  events:\n  - { at: 2d, type: usage, data: { feature: 'f{n}', count: 2, value: 0.5 } }\n  \
         - { at: 0d, every: 1d, times: 3, type: login, data: { user: 'u{n}' } }\n",
    );
    let lines = test.lines();
    let told: Vec<_> = lines.iter().map(|line| (line.arrives.since_ms(TEST_START) / DAY_MS, line.line, line.user.as_deref())).collect();
    assert_eq!(told, [(0, 9, Some("u0")), (1, 9, Some("u1")), (2, 8, None), (2, 9, Some("u2"))]);
    assert_eq!(
        lines[2].text,
        r#"{"data":{"count":2,"feature":"f0","value":0.5},"id":"t000003","source":"/test","specversion":"1.0","subject":"customer","time":"2024-01-03T00:00:00Z","type":"usage"}"#
    );
    for line in &lines {
        Decoder::default().decode_text(&line.text).unwrap();
    }
}

#[test]
fn late_events_stand_where_they_arrive_with_the_time_at_which_they_happened() {
    let test =
        test_of("  until: 9d\n  expect: []\n  events:\n  - { at: 1d, late: 3d, type: login }\n  - { at: 2d, twice: true, type: login }\n");
    let told: Vec<_> = test.lines().iter().map(|line| (line.arrives.since_ms(TEST_START) / DAY_MS, line.copies, line.line)).collect();
    assert_eq!(told, [(2, 2, 9), (4, 1, 8)]);
    assert!(test.lines()[1].text.contains("\"time\":\"2024-01-02T00:00:00Z\""), "{:?}", test.lines());
    let late = "  until: 3d\n  expect: []\n  events:\n  - { at: 1d, late: 3d, type: login }\n";
    assert_eq!(mistakes(&format!("{HEAD}{late}")), ["8:5: an event at 4d lies after the end of the test, `until: 3d`"]);
}

#[test]
fn the_start_is_a_monday() {
    assert_eq!(bellwether_codec::timestamp::format_time(TEST_START), "2024-01-01T00:00:00Z");
    assert_eq!((TEST_START.day().0 + 3) % 7, 0);
}

#[test]
fn mistakes_in_tests() {
    for (rest, expected) in [
        ("  until: 1d\n  events: []\n", "3:3: `expect` of a test is missing"),
        (
            "  until: 1d\n  expect: []\n  events: [{ at: 2d, type: login }]",
            "7:12: an event at 2d lies after the end of the test, `until: 1d`",
        ),
        ("  until: 1d\n  expect: []\n  events: [{ at: 0s, type: login, times: 3 }]", "7:42: `every` and `times` of an event go together"),
        (
            "  until: 1d\n  expect: []\n  events: [{ at: 0s, type: ticket.open }]",
            "7:28: unknown event type `ticket.open`; did you mean `ticket.opened`?",
        ),
        (
            "  until: 1d\n  events: []\n  expect: [{ at: 1d, transition: raised, suppressed: vacation }]",
            "7:54: unknown suppression `vacation`; known are `holiday`",
        ),
    ] {
        assert_eq!(mistakes(&format!("{HEAD}{rest}")), [expected]);
    }
}
