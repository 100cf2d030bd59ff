//! Panels against the truth: a run over a fixed input is scraped, and what panels show is what SQL makes of the same events, and what subscribers were told.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_tests::product::{binary, succeeded};
use bellwether_tests::recomputed::{Numbers, recompute};
use serde_json::Value;
use tempfile::TempDir;

use crate::dashboards::{Target, offers, targets};
use crate::independent::{Open, Told, Warnings, median_days, of_events};
use crate::prometheus::{PATIENCE, Prometheus, check_metrics, scraped};
use crate::{deploy, read};

/// The day whose record is compared; in the middle of a month.
const DAY: &str = "2025-05-15";

/// The month before it.
const LAST_MONTH: &str = "2025-04";

/// Upper bounds of the buckets of times to the first answer, hours.
const RESPONSE_BUCKETS_HOURS: [f64; 13] = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 24.0, 48.0, 72.0, 168.0, 336.0, 720.0];

/// Upper bounds of the buckets of durations, days.
const DURATION_BUCKETS_DAYS: [f64; 9] = [1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 90.0, 180.0, 365.0];

/// Upper bounds of the buckets of leads, days; longer ones are shown as the last.
const LEAD_BUCKETS_DAYS: [f64; 6] = [7.0, 14.0, 30.0, 60.0, 90.0, f64::INFINITY];

/// Of the people who rate open signals one in so many calls them useless.
const USELESS_EVERY: usize = 3;

/// Panels that are empty over an embedded run of a simulated company: which of their legends (all, where none is named), and why.
const EMPTY_HERE: [(&str, &[&str], &str); 28] = [
    ("Lag of the journal", &[], NO_KAFKA),
    ("Stopped sources", &[], NO_KAFKA),
    ("Since the last commit", &[], NO_KAFKA),
    ("Journal lag by partition", &[], NO_KAFKA),
    ("Journal records that wait", &[], NO_KAFKA),
    ("Input lag", &[], NO_KAFKA),
    ("Input records that wait", &["{{topic}}"], NO_KAFKA),
    ("Commits, p99", &["transaction, {{role}}"], NO_KAFKA),
    ("Partitions owned", &["{{instance}} {{role}}"], NO_KAFKA),
    ("Partitions not opened yet", &[], NO_KAFKA),
    ("Rebalances", &[], NO_KAFKA),
    ("Transactions", &[], NO_KAFKA),
    ("Transactions that fail", &[], NO_KAFKA),
    ("Snapshots, restores, damage", &[], NO_KAFKA),
    ("Age of snapshots", &[], NO_KAFKA),
    ("Bytes of the store", &[], NO_KAFKA),
    ("Round trip to brokers, p99", &[], NO_KAFKA),
    ("Kafka client: waiting requests and records", &[], NO_KAFKA),
    ("Kafka client: errors and connections", &[], NO_KAFKA),
    ("Kafka client: bytes queued", &[], NO_KAFKA),
    ("State of transactional producers", &[], NO_KAFKA),
    ("Events by source", &[], NO_KAFKA),
    ("Late events by source", &[], NO_KAFKA),
    ("Clocks ahead, by source", &[], NO_KAFKA),
    ("Breaker by source", &[], NO_KAFKA),
    ("Age of snapshots by partition", &[], NO_KAFKA),
    ("Silent sources", &[], "no source falls silent; `protocol/silence.rs` has one that does"),
    ("Restores: share that is fetched", &[], "nothing is restored; `restoring.rs` asks this panel"),
];

/// The reason of those that [`wait_for_panels_beside_kafka`] looks at.
const NO_KAFKA: &str = "there is no Kafka here";

/// A run on standard input that is left open; it is killed when it is dropped.
pub struct Run {
    child: Child,
    /// Open as long as the run is to go on.
    input: ChildStdin,
    /// Open as well, since it may write there.
    _errors: BufReader<ChildStderr>,
    /// Where its metrics are.
    pub address: String,
}

impl Run {
    pub fn start(directory: &Path, events: &str) -> Self {
        Self::start_with(directory, events, &[])
    }

    /// The same, with more arguments.
    pub fn start_with(directory: &Path, events: &str, arguments: &[&OsStr]) -> Self {
        let mut command = binary();
        // One partition: all customers stand where the last event is.
        command
            .args(["run", "--events", "-", "--partitions", "1", "--metrics", "127.0.0.1:0", "--data"])
            .arg(directory.join("data"))
            .args(arguments);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut errors = BufReader::new(child.stderr.take().expect("it has an output"));
        let mut line = String::new();
        errors.read_line(&mut line).expect("it tells its address");
        let address = line.trim().strip_prefix("metrics are at http://").and_then(|rest| rest.strip_suffix("/metrics"));
        let address = address.unwrap_or_else(|| panic!("no address in {line}")).to_owned();
        let input = child.stdin.take().expect("it has an input");
        let mut this = Self { child, input, _errors: errors, address };
        this.write(events);
        this
    }

    /// More events.
    pub fn write(&mut self, events: &str) {
        self.input.write_all(events.as_bytes()).and_then(|()| self.input.flush()).expect("it reads its input");
    }

    pub fn metrics(&self) -> String {
        scraped(&self.address)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Events of a simulated company up to the end of the day. Nobody withdraws a notice: while it stands it counts as a churn live, and in a judgement of
/// the whole log it does not.
fn company(directory: &Path) -> String {
    let out = directory.join("company");
    let mut command = binary();
    command.args(["simulate", "--customers", "110", "--months", "20", "--seed", "7", "--out"]).arg(&out);
    succeeded(&command.output().expect("the binary starts"));
    let bytes = zstd::decode_all(&*fs::read(out.join("events.jsonl.zst")).expect("there are events")).expect("it is compressed");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let time = |line: &str| line.split(r#""time":""#).nth(1).map(|rest| rest[..DAY.len()].to_owned()).expect("an event has a time");
    let is_meant = |line: &&str| *time(line) <= *DAY && !line.contains("\"cancellation.withdrawn\"");
    text.lines().filter(is_meant).flat_map(|line| [line, "\n"]).collect()
}

/// The same, at whose end somebody rates each open signal. Returns the share of those called useful by rule too.
fn rated(directory: &Path, rules: &Path) -> (String, BTreeMap<String, f64>) {
    let events = company(directory);
    let told = replay(directory, rules, &events).0;
    let (mut ratings, mut counts) = (String::new(), BTreeMap::<String, (f64, f64)>::new());
    for (number, Open { id, rule, customer, .. }) in told.open.iter().enumerate() {
        let useful = !number.is_multiple_of(USELESS_EVERY);
        let data = format!(r#"{{"signal":"{id}","useful":{useful}}}"#);
        ratings += &format!(
            r#"{{"specversion":"1.0","id":"rating-{number}","source":"/test","type":"signal.rated","subject":"{customer}","time":"{DAY}T23:59:59.998Z","data":{data}}}"#
        );
        ratings += "\n";
        let (yes, all) = counts.entry(rule.clone()).or_default();
        (*yes, *all) = (*yes + f64::from(u8::from(useful)), *all + 1.0);
    }
    assert!(told.open.len() > 2 * USELESS_EVERY, "only {} signals are open", told.open.len());
    let shares = counts.into_iter().map(|(rule, (yes, all))| (rule, yes / all)).collect();
    (events + &ratings + &event("end-of-day", &format!("{DAY}T23:59:59.999Z")), shares)
}

fn event(id: &str, time: &str) -> String {
    let data = r#"{"kind":"retention","amount_minor":100,"currency":"EUR","period":"2025-04"}"#;
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/test","type":"cost.recorded","subject":"_company","time":"{time}","data":{data}}}"#
    ) + "\n"
}

/// What a replay of the events tells, and its summary.
fn replay(directory: &Path, rules: &Path, events: &str) -> (Told, Value) {
    let at = |name: &str| directory.join(name);
    fs::write(at("events.jsonl"), events).expect("the events can be written");
    let mut command = binary();
    command.args(["replay", "--partitions", "1", "--events"]).arg(at("events.jsonl")).arg("--rules").arg(rules);
    command.arg("--signals").arg(at("signals.jsonl")).arg("--summary").arg(at("summary.json"));
    succeeded(&command.output().expect("the binary starts"));
    let summary = serde_json::from_str(&fs::read_to_string(at("summary.json")).expect("it is written")).expect("JSON");
    (Told::read(&at("signals.jsonl")), summary)
}

/// What SQL makes of the events that a replay has left there.
fn recomputed(directory: &Path) -> Numbers {
    recompute(&directory.join("events.jsonl"), [DAY].into_iter()).remove(DAY).expect("the day")
}

/// The shipped rules, with the targets that a panel shows and they do not have: amounts are in somebody's currency.
fn rules_with_targets(directory: &Path) -> PathBuf {
    let text = read(&deploy("rules/default.yaml"));
    let (before, after) = text.split_once("\n  net_retention:").expect("there is a target of money");
    let amounts = "mrr_minor: { EUR: 5000000, USD: 100 }\n  cltv_minor: { EUR: 900000 }\n  cac_minor: { EUR: 12345 }";
    let more = "current_customers: 100\n  csat: 0.8\n  renewal_rate: 0.9\n  first_response_hours_p90: 24\n  activation_rate: 0.8";
    let text = format!("{before}\n  {amounts}\n  {more}\n  net_retention:{after}");
    let held_out = text.replace("hold_out: { share: 0 }", "hold_out: { share: 0.3 }");
    assert_ne!(text, held_out, "nobody is held out");
    let path = directory.join("rules.yaml");
    fs::write(&path, held_out).expect("it can be written");
    path
}

/// Targets as the rules have them: panel, and its target in the unit that is shown.
const TARGETS: [(&str, f64); 14] = [
    ("NPS", 30.0),
    ("Onboarding time", 30.0),
    ("CES", 70.0),
    ("Net retention", 1.0),
    ("MRR", 50_000.0),
    ("Current customers", 100.0),
    ("CLTV", 9_000.0),
    ("CAC", 123.45),
    ("Churn rate", 0.05),
    ("Active users", 0.7),
    ("CSAT", 0.8),
    ("Renewal rate", 0.9),
    ("Activation rate", 0.8),
    ("Share of customers in red", 0.2),
];

/// Panels whose value lies within the bucket of what is computed: legend, and between which bounds.
fn within_buckets(numbers: &Numbers) -> Vec<(&'static str, &'static str, std::ops::RangeInclusive<f64>)> {
    let hours = |name: &str| numbers[&format!("kpi/{name}")] as f64 / 1e6;
    let days = |process: &str| median_days(numbers, process);
    let medians = "Median days: onboarding, first value, activation";
    vec![
        // What took three whole hours took less than four.
        ("Time to the first answer", "median", bucket(&RESPONSE_BUCKETS_HOURS, |bound| bound > hours("first_response_hours"))),
        (
            "Time to the first answer",
            "nine of ten within",
            bucket(&RESPONSE_BUCKETS_HOURS, |bound| bound > hours("first_response_hours_p90")),
        ),
        ("Onboarding time", "now", bucket(&DURATION_BUCKETS_DAYS, |bound| bound >= days("onboarding"))),
        (medians, "first value", bucket(&DURATION_BUCKETS_DAYS, |bound| bound >= days("first_value"))),
        (medians, "activation", bucket(&DURATION_BUCKETS_DAYS, |bound| bound >= days("activation"))),
    ]
}

/// The first bucket up to a bound that is far enough.
fn bucket(bounds: &[f64], is_far_enough: impl Fn(f64) -> bool) -> std::ops::RangeInclusive<f64> {
    let after = bounds.iter().position(|bound| is_far_enough(*bound)).expect("not the last bucket");
    after.checked_sub(1).map_or(0.0, |before| bounds[before])..=bounds[after]
}

/// Panels that show something for each value of a label: the label, and what they must show.
fn by_label(told: &Told, warnings: Warnings, useful: BTreeMap<String, f64>) -> Vec<(&'static str, &'static str, BTreeMap<String, f64>)> {
    vec![
        ("Recall by rule", "rule", warnings.recall_by_rule),
        ("Warned ahead", "days", warnings.warned_by_days),
        ("Open episodes", "severity", told.open_by(|open| &open.severity)),
        ("Open episodes by kind", "kind", told.open_by(|open| &open.kind)),
        ("Open episodes by rule", "rule", told.open_by(|open| &open.rule)),
        ("Raised since the start, by rule", "rule", told.raised.clone()),
        ("Outcomes", "outcome", told.outcomes()),
        ("Precision by rule", "rule", told.precision()),
        ("Uplift by rule", "rule", told.uplift()),
        ("Called useful, by rule", "rule", useful),
    ]
}

/// Waits until a panel shows the same for each value of the label; what is nothing may be left out.
#[track_caller]
fn wait_for_labels(prometheus: &Prometheus, target: &Target, label: &str, expected: &BTreeMap<String, f64>) {
    let series = |value: &str| format!("{{\"{label}\":\"{value}\"}}");
    let started = Instant::now();
    loop {
        let found = prometheus.series(&format!("sum by ({label}) ({})", target.of("bellwether", "EUR"))).expect("it is an expression");
        let is_right = |(value, number): (&String, &f64)| is_near(found.get(&series(value)).copied().unwrap_or_default(), *number, label);
        let surplus = found.iter().filter(|(found, number)| **number != 0.0 && !expected.keys().any(|value| series(value) == **found));
        if !found.is_empty() && expected.iter().all(is_right) && surplus.count() == 0 {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{}: {found:?} instead of {expected:?}", target.panel);
        thread::sleep(Duration::from_millis(300));
    }
}

/// The recomputation rounds to six digits after the point, and minor units to two, which the panels divide by 100.
fn is_near(found: f64, expected: f64, legend: &str) -> bool {
    let rounding = if legend == "$currency" { 5.1e-5 } else { 5.1e-7 };
    (found - expected).abs() <= rounding
}

/// What the variables of the dashboards offer: the job, and the currency of the company. Those about forwarding look at metrics of their own.
pub fn check_offers(prometheus: &Prometheus, is_about_forwarding: bool, job: &str) {
    let is_meant = |series: &str| series.contains("bellwether_forward_") == is_about_forwarding;
    let offers: Vec<(String, String)> = offers().into_iter().filter(|(series, _)| is_meant(series)).collect();
    assert!(!offers.is_empty());
    for (series, label) in offers {
        let expression = format!("count by ({label}) ({})", series.replace("$job", job));
        let found = prometheus.series(&expression).expect("it is an expression");
        let wanted = if label == "currency" { "EUR" } else { job };
        assert!(found.contains_key(&format!("{{\"{label}\":\"{wanted}\"}}")), "{series} offers {:?}", found.keys());
    }
}

/// Why an expression gives nothing here, if that is known.
fn excuse(target: &Target) -> Option<&'static str> {
    let is_meant =
        |panel: &str, legends: &[&str]| panel == target.panel && (legends.is_empty() || legends.contains(&target.legend.as_str()));
    EMPTY_HERE.iter().find(|(panel, legends, _)| is_meant(panel, legends)).map(|(_, _, reason)| *reason)
}

/// Waits until each expression gives something that needs a Kafka.
pub fn wait_for_panels_beside_kafka(prometheus: &Prometheus, job: &str) {
    let all = targets();
    let beside_kafka: Vec<&Target> = all.iter().filter(|target| excuse(target) == Some(NO_KAFKA)).collect();
    assert!(beside_kafka.len() > 20);
    beside_kafka.iter().for_each(|target| prometheus.wait_for(&target.of(job, "EUR"), |found| !found.is_empty()));
}

/// Waits until those expressions alone give nothing that cannot here.
fn wait_for_every_panel(prometheus: &Prometheus, all: &[Target]) {
    let here = |target: &&Target| !target.expression.contains("$forward");
    let named = |target: &Target| format!("{}: {}", target.panel, target.legend);
    let excused: Vec<String> = all.iter().filter(here).filter(|target| excuse(target).is_some()).map(named).collect();
    let started = Instant::now();
    loop {
        let is_empty = |target: &&Target| prometheus.query(&target.of("bellwether", "EUR")).expect("it is an expression").is_empty();
        let empty: Vec<String> = all.iter().filter(here).filter(is_empty).map(named).collect();
        if empty == excused {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "these are empty: {empty:#?}\nand these should be: {excused:#?}");
        thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn panels_show_what_sql_and_subscribers_know_and_no_expression_fails() {
    let directory = TempDir::new().expect("a temporary directory");
    let rules = rules_with_targets(directory.path());
    let (events, useful) = rated(directory.path(), &rules);
    let (told, summary) = replay(directory.path(), &rules, &events);
    let numbers = recomputed(directory.path());
    let mut run = Run::start_with(directory.path(), &events, &[OsStr::new("--rules"), rules.as_os_str()]);
    let prometheus = Prometheus::start(&run.address);
    let all = targets();
    let target = |panel: &str, legend: &str| -> &Target {
        let found = all.iter().find(|target| target.panel == panel && target.legend == legend);
        found.unwrap_or_else(|| panic!("no panel {panel} with {legend}"))
    };
    let mut expected = of_events(&numbers, &events, &DAY[..7], LAST_MONTH);
    assert!(expected.iter().filter(|(.., value)| *value != 0.0).count() > 30, "{expected:?}");
    expected.extend(TARGETS.map(|(panel, value)| (panel, "target", value)));
    let warnings = Warnings::of(&directory.path().join("events.jsonl"), &directory.path().join("signals.jsonl"));
    expected.push(("Recall", "recall", warnings.recall));
    // No SQL knows this one.
    expected.push(("Active customers", "customers", summary["active_customers"].as_f64().expect("a count")));
    for (panel, legend, value) in &expected {
        let expression = target(panel, legend).of("bellwether", "EUR");
        prometheus.wait_for(&expression, |found| !found.is_empty() && is_near(found.iter().sum(), *value, legend));
    }
    for (panel, legend, bounds) in within_buckets(&numbers) {
        let expression = target(panel, legend).of("bellwether", "EUR");
        prometheus.wait_for(&expression, |found| found.len() == 1 && bounds.contains(&found[0]));
    }
    assert!(!told.leads.is_empty(), "no signal has a lead");
    for (rule, leads) in &told.leads {
        let bounds = bucket(&LEAD_BUCKETS_DAYS, |bound| 2 * leads.iter().filter(|lead| **lead <= bound).count() >= leads.len());
        let expression = format!(
            "sum by (rule) ({}) and on (rule) {{rule=\"{rule}\"}}",
            target("Median lead by rule", "{{rule}}").of("bellwether", "EUR")
        );
        prometheus.wait_for(&expression, |found| found.len() == 1 && bounds.contains(&found[0]));
    }
    for (panel, label, expected) in by_label(&told, warnings, useful) {
        assert!(!expected.is_empty(), "{panel} has nothing to show");
        let target = all.iter().find(|target| target.panel == panel).unwrap_or_else(|| panic!("no panel {panel}"));
        wait_for_labels(&prometheus, target, label, &expected);
    }
    // What is counted by two instances adds up. Partitions that two tell of are a mistake, and nothing is shown of them.
    let expression = target("Events read", "events").of("twice", "EUR");
    prometheus.wait_for(&expression, |found| found == [2.0 * events.lines().count() as f64]);
    prometheus.wait_for("bellwether_partition_told{job=\"twice\"}", |found| found == [1.0, 1.0]);
    for (panel, legend) in [("MRR", "$currency"), ("NPS", "now"), ("CLTV", "$currency")] {
        prometheus.wait_for(&target(panel, legend).of("twice", "EUR"), <[f64]>::is_empty);
    }
    // Something comes in while Prometheus looks, so that there is a rate.
    run.write(&event("later", &format!("{DAY}T23:59:59.999Z")));
    wait_for_every_panel(&prometheus, &all);
    check_offers(&prometheus, false, "bellwether");
    prometheus.wait_for("min(prometheus_rule_group_iterations_total)", |found| found.len() == 1 && found[0] > 3.0);
    prometheus.wait_for("sum(prometheus_rule_group_rules) > 60", |found| found.len() == 1);
    let failures = prometheus.query("sum(prometheus_rule_evaluation_failures_total)");
    assert_eq!(failures, Ok(vec![0.0]), "rules that fail");
    check_metrics(&run.metrics());
}
