//! Plays events to rules, and writes down what came out, a short line each.

use std::sync::Arc;

use bellwether_codec::event::Decoder;
use bellwether_codec::rules::RuleFile;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::outcome_counts::OutcomeCounts;
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_tests::company::START;
use bellwether_tests::folding::stored_and_loaded;

/// What follows in every case: a customer with an owner that pays, and logs in once.
const BEGINNING: &str = r#"
0 account.created {"owner":"ann","segment":"large"}
0 subscription.started {"subscription":"s","mrr_minor":1000,"currency":"EUR","seats":10}
0 login {}
"#;

/// What came of a case.
pub struct Played {
    /// The outputs in short: day, transition, severity, rule, and what else there is to tell.
    pub lines: Vec<String>,
    /// Their ids.
    pub ids: Vec<String>,
    /// What was counted.
    pub counts: OutcomeCounts,
    /// The partition at the end.
    pub partition: Partition,
}

/// The rules of a text.
#[track_caller]
pub fn rules(text: &str) -> Arc<RuleSet> {
    Arc::new(RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}")).rule_set(1))
}

/// Plays events, a line each: the day, the type, the data. `$3` in data is the id of the third output. After each, the state is stored and loaded.
#[track_caller]
pub fn play(rule_text: &str, events: &str, until_day: i64) -> Played {
    let decoder = Decoder::default();
    let (mut partition, mut outputs) = (Partition::new(rules(rule_text), Header::default()), Vec::new());
    let lines = BEGINNING.lines().chain(events.lines()).map(str::trim).filter(|line| !line.is_empty());
    for (number, line) in lines.enumerate() {
        let [day, event_type, data] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("`{line}` has three parts") };
        let time = START.plus_ms((day.parse::<f64>().expect("a day") * DAY_MS as f64) as i64);
        // What is due before comes first, as the event may speak of it.
        apply(&mut partition, Record { watermark: time, payload: Payload::Tick }, &mut outputs);
        let data =
            (1..=outputs.len()).rev().fold(data.to_owned(), |data, number| data.replace(&format!("${number}"), &id(&outputs[number - 1])));
        let time_text = bellwether_codec::timestamp::format_time(time);
        let text = format!(
            r#"{{"specversion":"1.0","id":"e{number}","source":"/t","type":"{event_type}","subject":"c","time":"{time_text}","data":{data}}}"#
        );
        let event = decoder.decode_text(&text).unwrap_or_else(|rejection| panic!("{line}: {rejection}"));
        let payload = Payload::Event { event: &event, key: CustomerKey::of("c"), identity: event.identity() };
        apply(&mut partition, Record { watermark: time, payload }, &mut outputs);
        partition = stored_and_loaded(&partition);
    }
    apply(&mut partition, Record { watermark: START.plus_ms(until_day * DAY_MS), payload: Payload::Tick }, &mut outputs);
    let (lines, ids) = (outputs.iter().map(short).collect(), outputs.iter().map(id).collect());
    Played { lines, ids, counts: partition.header.aggregates.outcomes.clone(), partition }
}

/// Plays a case and compares what came out.
#[track_caller]
pub fn check(rule_text: &str, events: &str, until_day: i64, expected: &[&str]) -> Played {
    let played = play(rule_text, events, until_day);
    assert_eq!(played.lines, expected);
    played
}

fn apply(partition: &mut Partition, record: Record<'_>, outputs: &mut Vec<Output>) {
    assert_eq!(partition.apply(&record, &mut u64::MAX.clone(), outputs), Progress::Done);
    // The ends of days are not what these tests are about.
    outputs.retain(|output| !matches!(output, Output::Kpis(_)));
}

fn id(output: &Output) -> String {
    let (Output::Signal(signal) | Output::Decision(signal, _)) = output else { panic!("the ends of days are left out") };
    format!("{:032x}", signal.id)
}

/// An output in short.
pub fn short(output: &Output) -> String {
    let (signal, reason) = match output {
        Output::Signal(signal) => (signal, None),
        Output::Decision(signal, reason) => (signal, Some(&**reason)),
        Output::Kpis(_) => panic!("the ends of days are left out"),
    };
    let days = signal.time.since_ms(START) as f64 / DAY_MS as f64;
    let mut text = format!("{days} {} {} {}", signal.transition.name(), signal.severity.name(), signal.rule.name);
    if !signal.object.is_empty() {
        text += &format!(" {}", signal.object);
    }
    if let Some(verdict) = signal.verdict {
        text += &format!(", {} {}", verdict.outcome.name(), verdict.group.name());
        verdict.lead_days().iter().for_each(|days| text += &format!(" {days}d"));
    }
    signal.mark.iter().for_each(|mark| text += &format!(", {}", mark.name()));
    signal.expiry.iter().for_each(|expiry| text += &format!(", {}", expiry.name()));
    reason.iter().for_each(|reason| text += &format!(" ({reason})"));
    text
}

/// The time of a day.
pub fn day(day: i64) -> Time {
    START.plus_ms(day * DAY_MS)
}
