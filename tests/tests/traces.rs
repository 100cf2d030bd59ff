//! The trace of an event is that of what the event decides, wherever it is folded, and nothing else knows of it.

use std::fs;
use std::sync::Arc;

use bellwether_codec::event::encode_event;
use bellwether_codec::state::encode_customer;
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::signal::Output;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_engine::trace_parent::TraceParent;
use bellwether_tests::company::{START, company};
use bellwether_tests::folding::{Cuts, default_rules, fold, signals};
use bellwether_tests::product::{binary, succeeded};

const UNTIL: Time = Time(START.0 + 240 * DAY_MS);

/// A trace for each event.
fn traceparents(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("00-{number:032x}-{number:016x}-01")).collect()
}

/// The events, each with a trace of its own.
fn traced<'a>(events: &[Event<'a>], traceparents: &'a [String]) -> Vec<Event<'a>> {
    let of = |(event, text): (&Event<'a>, &'a String)| {
        let traceparent = TraceParent::parse(text.as_bytes());
        assert!(traceparent.is_some(), "{text}");
        Event { traceparent, ..event.clone() }
    };
    events.iter().zip(traceparents).map(of).collect()
}

/// A line without the trace.
fn bare(line: &str) -> String {
    const MEMBER: &str = "\"traceparent\":\"";
    match line.split_once(MEMBER) {
        Some((before, rest)) => format!("{before}{}", rest.split_once("\",").expect("it is a text").1),
        None => line.to_owned(),
    }
}

fn traces_of(outputs: &mut Vec<Output>) -> Vec<Option<String>> {
    let of = |output: Output| match output {
        Output::Signal(signal) | Output::Decision(signal, _) => Some(signal.traceparent.map(String::from)),
        Output::Kpis(_) => None,
    };
    outputs.drain(..).filter_map(of).collect()
}

#[test]
fn what_an_event_decides_has_its_trace_and_what_time_decides_has_none() {
    let events = company(7, 30, 200);
    let texts = traceparents(events.len());
    let mut partition = Partition::new(default_rules(), Header::default());
    let (mut outputs, mut of_events, mut of_time) = (Vec::new(), 0, 0);
    let mut watermark = Time::MIN;
    for (event, text) in traced(&events, &texts).iter().zip(&texts) {
        // The reviews before an event come with a tick of the same time, so that what is left is the event's own.
        watermark = watermark.max(event.time);
        assert_eq!(partition.apply(&Record { watermark, payload: Payload::Tick }, &mut u64::MAX.clone(), &mut outputs), Progress::Done);
        let traces = traces_of(&mut outputs);
        of_time += traces.len();
        assert!(traces.iter().all(Option::is_none), "{traces:?}");
        let payload = Payload::Event { event, key: CustomerKey::of(&event.customer), identity: event.identity() };
        assert_eq!(partition.apply(&Record { watermark, payload }, &mut u64::MAX.clone(), &mut outputs), Progress::Done);
        let traces = traces_of(&mut outputs);
        of_events += traces.len();
        assert!(traces.iter().all(|trace| trace.as_ref() == Some(text)), "{traces:?} of {text}");
    }
    assert!(of_events > 50 && of_time > 50, "{of_events} of events and {of_time} of time");
}

#[test]
fn traces_change_nothing_but_what_carries_them() {
    let events = company(8, 20, 200);
    let texts = traceparents(events.len());
    let traced = traced(&events, &texts);
    let rules = default_rules();
    let (plain, with) = (signals(&events, &rules, 2, UNTIL, Cuts::None), signals(&traced, &rules, 2, UNTIL, Cuts::None));
    let count = with.iter().filter(|line| line.contains("traceparent")).count();
    assert!(count > 30 && count < with.len(), "{count} of {}", with.len());
    let mut bared: Vec<String> = with.iter().map(|line| bare(line)).collect();
    bared.sort();
    assert!(bared == plain, "only the trace differs");
    assert!(signals(&traced, &rules, 2, UNTIL, Cuts::Random(5)) == with, "cuts are invisible");
    let states = |events: &[Event<'_>]| {
        let (partitions, _) = fold(events, &Arc::clone(&rules), 1, UNTIL, Cuts::None);
        let state = |customer| {
            let mut bytes = Vec::new();
            encode_customer(customer, &mut bytes).expect("a state encodes");
            bytes
        };
        let mut states: Vec<Vec<u8>> = partitions[0].customers().map(state).collect();
        states.sort();
        states
    };
    assert!(states(&events) == states(&traced), "states know nothing of traces");
}

#[test]
fn a_run_a_replay_of_its_journal_and_one_of_its_events_carry_the_same() {
    let events = company(9, 20, 200);
    let texts = traceparents(events.len());
    let mut text = Vec::new();
    for event in traced(&events, &texts) {
        encode_event(&event, &mut text);
        text.push(b'\n');
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (input, data) = (directory.path().join("events.jsonl"), directory.path().join("data"));
    fs::write(&input, text).expect("it can be written");
    let run = binary().args(["run", "--once", "--metrics", "off", "--data"]).arg(&data).arg("--events").arg(&input).output();
    succeeded(&run.expect("the binary runs"));
    let lines = |path: &std::path::Path| {
        let mut lines: Vec<String> = fs::read_to_string(path).expect("it is there").lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let live = lines(&data.join("signals.jsonl"));
    let count = live.iter().filter(|line| line.contains("traceparent")).count();
    assert!(count > 30, "{count} of {}", live.len());
    for (name, from, path) in [("of-journal.jsonl", "--journal", &data), ("of-events.jsonl", "--events", &input)] {
        let replayed = directory.path().join(name);
        let output = binary().args(["replay", from]).arg(path).arg("--signals").arg(&replayed).output();
        succeeded(&output.expect("the binary runs"));
        assert!(lines(&replayed) == live, "{from}");
    }
}
