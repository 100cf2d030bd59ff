//! What every simulated company must be: the same for the same seed, in order, readable, and true to its truth.

mod demo;

use std::collections::{BTreeMap, BTreeSet};

use bellwether_engine::event_type::EventType;
use jiff::Timestamp;
use serde_json::Value;

use super::*;

struct Made {
    totals: Totals,
    events: String,
    truth: String,
}

/// What the events say about a customer.
#[derive(Default)]
struct Seen {
    start: Option<String>,
    notice: Option<String>,
    end: Option<String>,
    upsell: Option<String>,
    mrr_minor: i64,
}

fn make(options: &Options) -> Made {
    let (mut events, mut truth) = (Vec::new(), Vec::new());
    let totals = simulate(options, &std::env::temp_dir(), &mut events, &mut truth).expect("a vector takes everything");
    Made { totals, events: String::from_utf8(events).expect("UTF-8"), truth: String::from_utf8(truth).expect("UTF-8") }
}

fn small(seed: u64) -> Options {
    Options { customers: 25, seed, ..Options::default() }
}

/// All lines, in the order in which they arrive.
fn parsed(made: &Made) -> Vec<Value> {
    made.events.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The events in the order in which they happened, each once.
fn happened(made: &Made) -> Vec<Value> {
    let mut events = parsed(made);
    let mut ids = BTreeSet::new();
    events.retain(|event| ids.insert((text(event, "source").to_owned(), text(event, "id").to_owned())));
    // Within a customer, the ids of one source tell the order; between sources, times do.
    events.sort_by_key(|event| (text(event, "time").parse::<Timestamp>().expect("RFC 3339"), number_of(text(event, "id"))));
    events
}

/// The number at the end of an id.
fn number_of(id: &str) -> u32 {
    id.rsplit('-').next().and_then(|number| number.parse().ok()).expect("a number")
}

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event[name].as_str().unwrap_or_else(|| panic!("no {name} in {event}"))
}

fn seen_by_customer(events: &[Value]) -> BTreeMap<String, Seen> {
    let mut customers: BTreeMap<String, Seen> = BTreeMap::new();
    for event in events.iter().filter(|event| event["subject"] != "_company") {
        let is_first = !customers.contains_key(text(event, "subject"));
        assert_eq!(is_first, text(event, "type") == "account.created", "{event}");
        let seen = customers.entry(text(event, "subject").to_owned()).or_default();
        let day = text(event, "time")[..10].to_owned();
        assert!(seen.end.is_none(), "nothing happens after the end: {event}");
        match text(event, "type") {
            "account.created" => seen.start = Some(day),
            "cancellation.requested" => seen.notice = Some(day),
            "cancellation.withdrawn" => seen.notice = None,
            "subscription.ended" => (seen.end, seen.mrr_minor) = (Some(day), 0),
            "subscription.started" | "subscription.changed" | "subscription.renewed" => {
                let mrr_minor = event["data"]["mrr_minor"].as_i64().expect("an integer");
                assert!(mrr_minor > 0, "{event}");
                if seen.mrr_minor > 0 && mrr_minor * 100 >= seen.mrr_minor * 105 && seen.upsell.is_none() {
                    seen.upsell = Some(day);
                }
                seen.mrr_minor = mrr_minor;
            }
            _ => {}
        }
    }
    customers
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_another_seed_others() {
    let (one, again, other) = (make(&small(7)), make(&small(7)), make(&small(8)));
    assert_eq!(one.events, again.events);
    assert_eq!(one.truth, again.truth);
    assert_eq!(one.totals, again.totals);
    assert_ne!(one.events, other.events);
}

#[test]
fn a_customer_does_not_depend_on_how_many_others_there_are() {
    let few = make(&Options { customers: 5, ..small(3) });
    let many = make(&small(3));
    for number in 1..=5 {
        let subject = format!("\"subject\":\"c-{number:05}\"");
        let of = |made: &Made| made.events.lines().filter(|line| line.contains(&subject)).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(of(&few), of(&many));
        assert!(!of(&few).is_empty());
    }
}

#[test]
fn every_line_is_a_cloud_event_of_a_known_type_and_what_comes_twice_is_the_same() {
    let options = small(1);
    let made = make(&options);
    let log_end = months_after(day_of(options.start), options.months as i32);
    let (first, last) = (calendar::timestamp(calendar::start_of(day_of(options.start))), calendar::timestamp(calendar::start_of(log_end)));
    let mut latest = first;
    let mut known: BTreeMap<(String, String), Value> = BTreeMap::new();
    let (mut twice, mut late) = (0, 0);
    for event in parsed(&made) {
        assert_eq!(text(&event, "specversion"), "1.0");
        assert!(EventType::from_name(text(&event, "type")).is_some(), "{event}");
        assert!(event["data"].is_object() && !text(&event, "subject").is_empty(), "{event}");
        let time: Timestamp = text(&event, "time").parse().expect("RFC 3339");
        assert!(first <= time && time < last, "{event}");
        late += u32::from(time < latest);
        latest = latest.max(time);
        let identity = (text(&event, "source").to_owned(), text(&event, "id").to_owned());
        twice += u32::from(known.get(&identity).is_some_and(|before| {
            assert_eq!(*before, event);
            true
        }));
        known.insert(identity, event);
    }
    println!("{} events, {twice} twice, {late} behind the latest", known.len());
    assert_eq!(known.len() as u64 + u64::from(twice), made.totals.events);
    assert!(twice > 20 && late > 100, "{twice} twice, {late} late");
}

#[test]
fn chunks_that_are_merged_are_the_whole() {
    let options = small(6);
    let whole = make(&options);
    let (mut events, mut truth) = (Vec::new(), Vec::new());
    let totals = simulate_in_chunks(&options, 4, &std::env::temp_dir(), &mut events, &mut truth).expect("written");
    assert_eq!(String::from_utf8(events).expect("UTF-8"), whole.events);
    assert_eq!(String::from_utf8(truth).expect("UTF-8"), whole.truth);
    assert_eq!(totals, whole.totals);
}

#[test]
fn an_outage_holds_events_of_its_source_back_and_loses_none() {
    let (with, without) = (make(&small(2)), make(&Options { outage: false, ..small(2) }));
    let outage = with.totals.outage.expect("a log of 18 months has one");
    let sorted = |made: &Made| made.events.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&with), sorted(&without));
    assert_eq!(with.truth, without.truth);
    let day_before = outage.until.yesterday().expect("a day").to_string();
    let (source, from, until) = (format!("/{}", outage.source), outage.from.to_string(), outage.until.to_string());
    let mut arrived = String::new();
    let mut held_back = 0;
    for event in parsed(&with) {
        let day = text(&event, "time")[..10].to_owned();
        let is_of_source = text(&event, "source") == source;
        if is_of_source && from <= day && day < until {
            // The first of them come before anything else of that day.
            assert!(arrived >= day_before, "{event} arrived on {arrived}");
            held_back += 1;
        } else {
            arrived = arrived.max(day);
        }
    }
    assert!(held_back > 100, "{held_back}");
}

#[test]
fn the_truth_is_what_the_events_say() {
    for seed in 1..=2 {
        let made = make(&Options { customers: 50, ..small(seed) });
        let seen = seen_by_customer(&happened(&made));
        let mut lines = made.truth.lines();
        assert_eq!(lines.next(), Some("customer,story,start,decision,notice,end,upsell"));
        let mut mrr_minor = 0;
        let mut rows = 0;
        for line in lines {
            let [customer, story, start, decision, notice, end, upsell] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("seven columns: {line}")
            };
            let told = &seen[customer];
            assert_eq!(
                [start, notice, end, upsell],
                [&told.start, &told.notice, &told.end, &told.upsell].map(|day| day.as_deref().unwrap_or_default()),
                "{line}"
            );
            assert!(Story::names().any(|name| name == story), "{line}");
            assert!(decision.is_empty() || notice.is_empty() || decision < notice, "{line}");
            assert!(notice.is_empty() || end.is_empty() || notice < end, "{line}");
            mrr_minor += told.mrr_minor;
            rows += 1;
        }
        assert_eq!((rows, seen.len()), (50, 50));
        assert_eq!(mrr_minor, made.totals.mrr_minor.values().sum::<i64>());
        assert_eq!(made.totals.active_customers as usize, seen.values().filter(|told| told.end.is_none()).count());
    }
}

#[test]
fn an_impossible_log_is_refused() {
    for options in
        [Options { months: 0, ..small(1) }, Options { months: 5_000, ..small(1) }, Options { start: date(1600, 1, 1), ..small(1) }]
    {
        let error = simulate(&options, &std::env::temp_dir(), &mut Vec::new(), &mut Vec::new()).expect_err("refused");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn a_directory_holds_the_same_events_compressed() {
    let directory = std::env::temp_dir().join(format!("bellwether-simulate-{}", std::process::id()));
    let options = Options { customers: 4, months: 3, ..small(2) };
    write_to_directory(&options, &directory).expect("written");
    let made = make(&options);
    let events = zstd::decode_all(File::open(directory.join(EVENTS_FILE)).expect("there")).expect("a whole frame");
    assert_eq!(events, made.events.as_bytes());
    assert_eq!(fs::read_to_string(directory.join(TRUTH_FILE)).expect("there"), made.truth);
    fs::remove_dir_all(&directory).expect("removed");
}

#[test]
fn short_long_and_empty_logs_are_made_too() {
    for (customers, months, start) in
        [(0, 3, date(2024, 1, 1)), (40, 1, date(2023, 1, 31)), (40, 6, date(2024, 2, 29)), (3, 90, date(1970, 1, 1))]
    {
        let totals = make(&Options { customers, months, seed: 9, start, outage: true }).totals;
        assert_eq!(totals.customers, customers);
        assert!(totals.events > u64::from(customers));
    }
}
