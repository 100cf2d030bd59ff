//! The section `tests` of a rule file: what happens to a customer, and what a rule must make of it.

use bellwether_engine::event_type::EventType;
use bellwether_engine::rule::Severity;
use bellwether_engine::signal::Transition;

use crate::yaml::{Node, Reader, Value, format_duration, line_and_column};

/// The most events of one test, repetitions included.
const MAX_EVENTS: u64 = 100_000;

/// A unit test of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleTest {
    /// What it shows.
    pub name: String,
    /// The rule whose transitions are compared.
    pub rule: String,
    /// Its line in the file.
    pub line: usize,
    /// What happens, in the order of the file.
    pub events: Vec<TestEvent>,
    /// When the closing tick comes, from the start of the test.
    pub until_ms: i64,
    /// All transitions of the rule, in order.
    pub expect: Vec<Expectation>,
}

/// An event of a test, with its repetitions.
#[derive(Clone, Debug, PartialEq)]
pub struct TestEvent {
    /// Its line in the file.
    pub line: usize,
    /// When it first happens, from the start of the test.
    pub at_ms: i64,
    /// From one repetition to the next.
    pub every_ms: i64,
    /// How often it happens.
    pub times: u32,
    /// How long after it happened it arrives.
    pub late_ms: i64,
    /// Whether it arrives twice, with the same source and id.
    pub twice: bool,
    /// CloudEvents `type`.
    pub event_type: EventType,
    /// CloudEvents `data`, with `{n}` in texts for the number of the repetition.
    pub data: serde_json::Map<String, serde_json::Value>,
}

/// A transition that a test expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Its line in the file.
    pub line: usize,
    /// When, from the start of the test.
    pub at_ms: i64,
    /// What happens to the episode.
    pub transition: Transition,
    /// The severity after it, where the test tells one.
    pub severity: Option<Severity>,
    /// The object, where the test tells one.
    pub object: Option<String>,
    /// The reason for which it is not sent.
    pub suppressed: Option<String>,
}

/// Names that tests may use.
pub(super) struct Known<'a> {
    pub rules: &'a [String],
    pub suppressions: &'a [String],
}

/// Reads the tests.
pub(super) fn tests(reader: &mut Reader<'_>, node: &Node, known: &Known<'_>) -> Vec<RuleTest> {
    let items = reader.list(node, "tests");
    items.iter().filter_map(|item| test(reader, item, known)).collect()
}

fn test(reader: &mut Reader<'_>, node: &Node, known: &Known<'_>) -> Option<RuleTest> {
    let fields = reader.fields(node, "a test", &["name", "rule", "events", "until", "expect"]);
    let name = reader.required(&fields, "a test", "name").and_then(|node| reader.text(node, "the name of a test"));
    let rule_node = reader.required(&fields, "a test", "rule");
    let rule = rule_node.and_then(|node| reader.text(node, "the name of a rule"));
    if let (Some(node), Some(rule)) = (rule_node, rule)
        && !known.rules.iter().any(|known| known == rule)
    {
        reader.unknown(&node.place, "rule", rule, known.rules.iter().map(String::as_str));
    }
    let until_ms = reader.required(&fields, "a test", "until").and_then(|node| reader.duration(node, "until"));
    let events = reader.required(&fields, "a test", "events");
    let events = events.map_or(&[][..], |node| reader.list(node, "events"));
    let events: Vec<TestEvent> = events.iter().filter_map(|item| event(reader, item, until_ms)).collect();
    if events.iter().map(|event| u64::from(event.times)).sum::<u64>() > MAX_EVENTS {
        reader.error(&node.place, format!("a test has at most {MAX_EVENTS} events"));
    }
    let expect = reader.required(&fields, "a test", "expect");
    let expect = expect.map_or(&[][..], |node| reader.list(node, "transitions"));
    let expect = expect.iter().filter_map(|item| expectation(reader, item, known)).collect();
    let line = line_of(reader, node);
    Some(RuleTest { name: name?.to_owned(), rule: rule?.to_owned(), line, events, until_ms: until_ms?, expect })
}

fn event(reader: &mut Reader<'_>, node: &Node, until_ms: Option<i64>) -> Option<TestEvent> {
    let fields = reader.fields(node, "an event", &["at", "every", "times", "late", "twice", "type", "data"]);
    let at_ms = reader.required(&fields, "an event", "at").and_then(|node| reader.duration(node, "at"));
    let (every, times) = (fields.get("every"), fields.get("times"));
    if let (Some(alone), None) | (None, Some(alone)) = (every, times) {
        reader.error(&alone.place, "`every` and `times` of an event go together");
    }
    let every_ms = every.map_or(Some(0), |node| reader.duration(node, "every"));
    let times = times.map_or(Some(1), |node| reader.whole(node, "times", 1..=MAX_EVENTS as u32));
    let late_ms = fields.get("late").map_or(Some(0), |node| reader.duration(node, "late"));
    let twice = fields.get("twice").map_or(Some(false), |node| reader.boolean(node, "twice"));
    let types = EventType::ALL.map(|(event_type, name, _)| (name, event_type));
    let event_type = reader.required(&fields, "an event", "type");
    let event_type = event_type.and_then(|node| reader.choice(node, "event type", &types));
    let data = fields.get("data").map(|node| data(reader, node)).unwrap_or_default();
    let event = TestEvent {
        line: line_of(reader, node),
        at_ms: at_ms?,
        every_ms: every_ms?,
        times: times?,
        late_ms: late_ms?,
        twice: twice?,
        event_type: event_type?,
        data,
    };
    let last_ms = event.at_ms.saturating_add(event.late_ms).saturating_add(event.every_ms.saturating_mul(i64::from(event.times) - 1));
    if let Some(until_ms) = until_ms.filter(|until_ms| last_ms > *until_ms) {
        let (last, until) = (format_duration(last_ms), format_duration(until_ms));
        reader.error(&node.place, format!("an event at {last} lies after the end of the test, `until: {until}`"));
    }
    Some(event)
}

fn data(reader: &mut Reader<'_>, node: &Node) -> serde_json::Map<String, serde_json::Value> {
    let fields = reader.open_fields(node, "data");
    fields.entries.iter().map(|(_, name, node)| ((*name).to_owned(), json(node))).collect()
}

/// Keys of nested mappings that are no texts are dropped: no event has such data.
fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Nothing => serde_json::Value::Null,
        Value::Boolean(value) => (*value).into(),
        Value::Number(number) => number.clone().into(),
        Value::Text(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(json).collect(),
        Value::Mapping(entries) => entries.iter().filter_map(|(key, value)| Some((key.as_text()?.to_owned(), json(value)))).collect(),
    }
}

fn expectation(reader: &mut Reader<'_>, node: &Node, known: &Known<'_>) -> Option<Expectation> {
    let fields = reader.fields(node, "a transition", &["at", "transition", "severity", "object", "suppressed"]);
    let at_ms = reader.required(&fields, "a transition", "at").and_then(|node| reader.duration(node, "at"));
    let transitions = Transition::ALL.map(|transition| (transition.name(), transition));
    let transition = reader.required(&fields, "a transition", "transition");
    let transition = transition.and_then(|node| reader.choice(node, "transition", &transitions));
    let severities = Severity::ALL.map(|severity| (severity.name(), severity));
    let severity = fields.get("severity").and_then(|node| reader.choice(node, "severity", &severities));
    let object = fields.get("object").and_then(|node| reader.text(node, "the id of an object"));
    let suppressed = fields.get("suppressed").and_then(|node| {
        let name = reader.text(node, "the name of a suppression")?;
        // As in `inhibited: RULE` and `silence: NAME`.
        let reason = name.split_once(": ").map_or(name, |(reason, _)| reason);
        if !known.suppressions.iter().any(|known| known == name) && !super::RESERVED_REASONS.contains(&reason) {
            reader.unknown(&node.place, "suppression", name, known.suppressions.iter().map(String::as_str));
        }
        Some(name.to_owned())
    });
    Some(Expectation {
        line: line_of(reader, node),
        at_ms: at_ms?,
        transition: transition?,
        severity,
        object: object.map(str::to_owned),
        suppressed,
    })
}

fn line_of(reader: &Reader<'_>, node: &Node) -> usize {
    line_and_column(reader.text, node.place.start).0
}
