//! Answers to queries are what `explain` and `replay` say of the same input at the same position.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use bellwether_engine::event::{Body, CancellationStep, Event};
use bellwether_engine::time::{HOUR_MS, Time};
use bellwether_tests::broker::Broker;
use bellwether_tests::company::company;
use bellwether_tests::product::{Product, binary, succeeded};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::beside_kafka::{told, wait_for};
use crate::queries::all;
use crate::support::{Run, get, with_tokens};

/// The day whose end the log goes up to, and its last instant.
const DAY: &str = "2024-12-19";
const END: &str = "2024-12-19T23:59:59.999Z";

/// When people answer signals.
const ANSWERED: &str = "2024-12-19T23:59:58Z";

/// Customers that are explained.
const EXPLAINED: usize = 24;

/// A company's log up to the last instant of a day, its rules with features of their own, and a run that stands there.
struct Company {
    run: Run,
}

impl Company {
    fn new() -> Self {
        let directory = TempDir::with_prefix("bellwether-agreement-").expect("a temporary directory");
        let path = |name: &str| directory.path().join(name);
        let simulate = ["simulate", "--customers", "120", "--months", "12", "--seed", "5", "--no-outage", "--out"];
        bellwether(&simulate, &[directory.path()]);
        let rules = include_str!("../../../deploy/rules/default.yaml").to_owned();
        let own = "\nfeatures:\n  - { name: uses_7d, event: usage, count: true, window: 7d }\n";
        fs::write(path("rules.yaml"), rules + own).expect("the rules can be written");

        let bytes = fs::read(path("events.jsonl.zst")).expect("it is there");
        let text = String::from_utf8(zstd::decode_all(&bytes[..]).expect("it is compressed")).expect("UTF-8");
        let mut events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        events.retain(|event| event["time"].as_str().expect("a time") < "2024-12-20");
        write(&path("events.jsonl"), &mut events);
        bellwether(
            &["replay", "--rules", text_of(&path("rules.yaml")), "--events", text_of(&path("events.jsonl")), "--signals"],
            &[&path("first.jsonl")],
        );
        events.extend(answers(&fs::read_to_string(path("first.jsonl")).expect("there are signals")));
        // Every partition comes to the last instant of the day.
        let customers: BTreeSet<String> = events.iter().map(|event| event["subject"].as_str().expect("a customer").to_owned()).collect();
        let login =
            |(number, customer): (usize, &String)| event(&format!("last-{number}"), "login", customer, END, json!({ "user": "u1" }));
        let last: Vec<Value> = customers.iter().enumerate().map(login).collect();
        events.extend(last);
        write(&path("events.jsonl"), &mut events);
        // A day is over for a replay once there is another.
        events.push(event(
            "next",
            "login",
            customers.first().expect("there are customers"),
            "2024-12-20T12:00:00Z",
            json!({ "user": "u1" }),
        ));
        write(&path("longer.jsonl"), &mut events);

        let console = format!("{}  take_events: false\n", with_tokens());
        let (log, rules) = (path("events.jsonl"), path("rules.yaml"));
        let run = Run::start(directory, &console, &["--events", text_of(&log), "--rules", text_of(&rules)]);
        let stands = |as_of: &Value| as_of["journal_time"] == END;
        run.wait_for("the end of the log", || {
            let kpis = run.read("/v1/kpis");
            let stand = kpis.status == 200 && kpis.json()["as_of"].as_array().is_some_and(|all| all.len() == 4 && all.iter().all(stands));
            stand.then_some(())
        });
        Self { run }
    }

    fn explained(&self, customer: &str) -> Value {
        let [log, rules] = ["events.jsonl", "rules.yaml"].map(|name| self.run.path(name));
        let command = ["explain", customer, "--at", END, "--json", "--rules", text_of(&rules), "--events"];
        serde_json::from_slice(&bellwether(&command, &[&log])).expect("JSON")
    }
}

fn bellwether(arguments: &[&str], paths: &[&Path]) -> Vec<u8> {
    let output = binary().args(arguments).args(paths).env("BELLWETHER_LOG", "error").output().expect("the binary starts");
    succeeded(&output);
    output.stdout
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn event(id: &str, kind: &str, customer: &str, time: &str, data: Value) -> Value {
    json!({ "id": id, "source": "/test", "type": kind, "subject": customer, "time": time, "data": data })
}

/// Writes events by time, so that none is late.
fn write(path: &Path, events: &mut [Value]) {
    events.sort_by_cached_key(|event| event["time"].as_str().and_then(|time| time.parse::<Timestamp>().ok()).expect("a time"));
    let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
    fs::write(path, lines).expect("the log can be written");
}

/// Answers of people to three of four signals.
fn answers(signals: &str) -> Vec<Value> {
    let kinds = ["signal.acknowledged", "signal.dismissed", "signal.snoozed"];
    let mut answers = Vec::new();
    for (number, line) in signals.lines().enumerate() {
        let signal: Value = serde_json::from_str(line).expect("JSON");
        if let Some(kind) = kinds.get(number % 4)
            && signal["type"] == "bellwether.signal.raised.v1"
        {
            let data = json!({ "signal": signal["id"], "by": "kim", "until": "2025-06-01" });
            answers.push(event(&format!("answer-{number}"), kind, signal["subject"].as_str().expect("a customer"), ANSWERED, data));
        }
    }
    answers
}

#[test]
fn a_customer_is_told_as_explain_tells_it() {
    let company = Company::new();
    let customers = all(&company.run, "/v1/customers", "customers", 500);
    // Those with most to tell first.
    let mut names: Vec<(u64, &str)> =
        customers.iter().map(|one| (one["open_signals_count"].as_u64().unwrap_or_default(), text(one, "customer"))).collect();
    names.sort_unstable_by(|one, other| other.cmp(one));
    let (mut open, mut parts, mut own) = (0, 0, 0);
    for (_, name) in names.iter().take(EXPLAINED) {
        let told = company.run.read(&format!("/v1/customers/{name}")).json();
        let explained = company.explained(name);
        assert_same(&told, &explained);
        open += told["open_signals"].as_array().map_or(0, Vec::len);
        parts += contributions(&told, "component").len();
        own += told["features"].as_array().into_iter().flatten().filter(|one| one["feature"] == "uses_7d").count();
    }
    assert!(
        open > EXPLAINED && parts > EXPLAINED && own > EXPLAINED / 2,
        "{open} open, {parts} parts of health, {own} features of the file"
    );
}

#[track_caller]
fn assert_same(told: &Value, explained: &Value) {
    assert_eq!(told["as_of"]["journal_time"], explained["at"]);
    for field in ["customer", "since", "health", "grade", "stage", "mrr_minor", "features"] {
        assert_eq!(told[field], explained[field], "{}: {field}", told["customer"]);
    }
    assert_eq!(contributions(told, "component"), contributions(explained, "name"), "{}", told["customer"]);
    assert_same_open(told, explained);
}

#[test]
fn beside_kafka_a_customer_is_told_as_explain_tells_it() {
    let mut product = Product::new(Broker::shared().bootstrap(), "agreement", 4);
    "console:\n  address: 127.0.0.1:0\n".clone_into(&mut product.more_settings);
    product.create();
    let mut events = company(12, 120, 120);
    // Where all inputs are read, time goes by the clock: the company's last hour is the one before now.
    let hour_ago = Time(Timestamp::now().as_millisecond() - HOUR_MS);
    let shift_ms = hour_ago.since_ms(events.last().expect("there are events").time);
    events.iter_mut().for_each(|event| event.time = event.time.plus_ms(shift_ms));
    // All give notice then, so that something is open.
    let customers: BTreeSet<String> = events.iter().map(|event| event.customer.to_string()).collect();
    for customer in customers {
        let body = Body::Cancellation { step: CancellationStep::Requested, user: None, reason: None, effective: None };
        let id = format!("notice-{customer}").into();
        events.push(Event { time: hour_ago, source: "/crm".into(), id, customer: customer.into(), traceparent: None, body });
    }
    product.produce(&events);
    let one = product.start("one", "all", 1);
    let console = told(&product, "one", "the console is at http://", "/");
    let read = |path: &str| get(&format!("http://{console}{path}"), &[]).json();
    let known = || read("/v1/customers?limit=500")["customers"].as_array().cloned().unwrap_or_default();
    wait_for("every customer", || known().len() == 120);
    let journaled = || product.read("journal", 4, |record| record.key.is_some()).into_iter().filter(|is_event| *is_event).count();
    wait_for("every event", || journaled() == events.len());
    wait_for("everything that there is to tell", || product.published().len() == product.replayed().len());
    wait_for("notices to be open", || known().iter().filter(|one| one["open_signals_count"].as_u64() > Some(0)).count() > 10);
    let journal = format!("kafka://{}/{}", product.connection().bootstrap_servers, product.topic("journal"));
    let mut known = known();
    known.sort_by_key(|one| std::cmp::Reverse(one["open_signals_count"].as_u64()));
    let (mut open, mut features) = (0, 0);
    for customer in known.iter().take(EXPLAINED) {
        let name = text(customer, "customer");
        let told = read(&format!("/v1/customers/{name}"));
        let at = text(&told["as_of"], "journal_time");
        let explained = bellwether(&["explain", name, "--journal", &journal, "--json", "--at", at], &[]);
        assert_same(&told, &serde_json::from_slice(&explained).expect("JSON"));
        open += told["open_signals"].as_array().map_or(0, Vec::len);
        features += told["features"].as_array().map_or(0, Vec::len);
    }
    assert!(open > 5 && features > 500, "{open} are open, {features} features");
    assert_eq!(one.stop(), Some(0));
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().expect("a text")
}

/// Components with their scores and shares, as many decimals as both have.
fn contributions(of: &Value, name: &str) -> Vec<(String, i64, i64)> {
    let number = |part: &Value, field: &str, scale: f64| (part[field].as_f64().expect("a number") * scale).round() as i64;
    let parts = of["contributions"].as_array().expect("a list");
    parts.iter().map(|part| (text(part, name).to_owned(), number(part, "score", 10.0), number(part, "share", 1_000.0))).collect()
}

/// Asserts that the same rules have something open, since the same time and as severe.
#[track_caller]
fn assert_same_open(told: &Value, explained: &Value) {
    let mut open: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for signal in told["open_signals"].as_array().expect("a list") {
        let of =
            Some(text(signal, "object")).filter(|object| !object.is_empty()).map_or(String::new(), |object| format!(" about {object}"));
        let since = format!("open since {}{of}, {}", text(signal, "raised_at"), text(signal, "severity"));
        open.entry(text(signal, "rule")).or_default().push(since);
    }
    let rules = explained["rules"].as_array().expect("a list").iter().filter(|rule| rule["is_open"] == true);
    let rules: BTreeMap<&str, &str> = rules.map(|rule| (text(rule, "rule"), text(rule, "why"))).collect();
    assert_eq!(open.keys().collect::<Vec<_>>(), rules.keys().collect::<Vec<_>>(), "{}", told["customer"]);
    for (rule, why) in rules {
        assert!(open[rule].iter().any(|since| since == why), "{rule}: {why}, and {:?}", open[rule]);
    }
}

#[test]
fn kpis_are_those_that_a_replay_has_at_the_end_of_the_day() {
    let company = Company::new();
    let [log, rules, kpis] = ["longer.jsonl", "rules.yaml", "kpis.jsonl"].map(|name| company.run.path(name));
    bellwether(&["replay", "--rules", text_of(&rules), "--events", text_of(&log), "--signals", "-", "--kpis"], &[&kpis]);
    let lines = fs::read_to_string(&kpis).expect("it is written");
    let days: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let day = days.iter().find(|day| day["day"] == DAY).expect("the day is over");
    let now = company.run.read("/v1/kpis").json();
    assert_eq!(now["is_complete"], true);
    let fields = ["day", "customers", "active_customers", "kpis", "targets", "currencies"];
    for field in fields {
        assert_eq!(now[field], day[field], "{field}");
    }
    let known = day["kpis"].as_object().expect("KPIs").values().filter(|kpi| !kpi.is_null()).count();
    assert!(known > 9 && !day["currencies"].as_array().expect("a list").is_empty(), "{day}");
    // They are of that day, and no others.
    let before = days.iter().rev().nth(1).expect("there are more days");
    assert_ne!(now["kpis"], before["kpis"]);
}

#[test]
fn each_filter_paged_to_its_end_gives_what_is_asked_for_once() {
    let company = Company::new();
    let customers = all(&company.run, "/v1/customers", "customers", 500);
    let stages: BTreeSet<&str> = customers.iter().map(|one| text(one, "stage")).collect();
    assert!(stages.len() > 2, "{stages:?}");
    let mut seen = 0;
    for grade in ["red", "amber", "green"] {
        for stage in &stages {
            let expected: Vec<&Value> = customers.iter().filter(|one| one["grade"] == grade && one["stage"] == **stage).collect();
            let paged = all(&company.run, &format!("/v1/customers?grade={grade}&stage={stage}"), "customers", 2);
            assert_eq!(paged.iter().collect::<Vec<_>>(), expected, "{grade}, {stage}");
            seen += paged.len();
        }
    }
    assert_eq!(seen, customers.iter().filter(|one| !one["grade"].is_null()).count(), "each grade and stage was asked for");

    let signals = company.run.wait_for("a ranking of all", || {
        let signals = all(&company.run, "/v1/signals", "signals", 500);
        (!signals.is_empty()).then_some(signals)
    });
    let ids: BTreeSet<&str> = signals.iter().map(|signal| text(signal, "id")).collect();
    assert_eq!(ids.len(), signals.len());
    let values = |field: &str| signals.iter().map(|signal| text(signal, field).to_owned()).collect::<BTreeSet<String>>();
    let (states, kinds) = (values("state"), values("kind"));
    assert!(states.len() == 4 && kinds.len() > 2, "{states:?}, {kinds:?}");
    let mut seen = 0;
    for state in &states {
        for kind in &kinds {
            let expected: Vec<&Value> = signals.iter().filter(|one| one["state"] == **state && one["kind"] == **kind).collect();
            let paged = all(&company.run, &format!("/v1/signals?state={state}&kind={kind}"), "signals", 2);
            assert_eq!(paged.iter().collect::<Vec<_>>(), expected, "{state}, {kind}");
            seen += paged.len();
        }
    }
    assert_eq!(seen, signals.len(), "each state and kind was asked for");
}
