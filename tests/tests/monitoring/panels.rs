//! Panels against the truth: a run over a fixed input is scraped, and what panels show is what a replay of the same events counts.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_tests::product::{binary, succeeded};
use serde_json::Value;
use tempfile::TempDir;

use crate::dashboards::{Target, offers, targets};
use crate::prometheus::{PATIENCE, Prometheus, check_metrics, scraped};
use crate::{deploy, read};

/// The day whose record is compared; in the middle of a month.
const DAY: &str = "2025-05-15";

/// Upper bounds of the buckets of times to the first answer, hours.
const RESPONSE_BUCKETS_HOURS: [f64; 13] = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 24.0, 48.0, 72.0, 168.0, 336.0, 720.0];

/// Panels that are empty over an embedded run of a simulated company: which of their legends (all, where none is named), and why.
const EMPTY_HERE: [(&str, &[&str], &str); 23] = [
    ("Lag of the journal", &[], NO_KAFKA),
    ("Stopped sources", &[], NO_KAFKA),
    ("Since the last commit", &[], NO_KAFKA),
    ("Journal lag by partition", &[], NO_KAFKA),
    ("Journal records that wait", &[], NO_KAFKA),
    ("Input lag", &[], NO_KAFKA),
    ("Input records that wait", &["{{topic}}"], NO_KAFKA),
    ("Commits, p99", &["transaction, {{role}}"], NO_KAFKA),
    ("Partitions owned", &[], NO_KAFKA),
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
    ("Uplift by rule", &[], "no rule of the pack holds anybody out"),
    ("Called useful, by rule", &[], "nobody rates signals of a simulated company"),
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

/// Events of a simulated company up to the end of the day.
fn company(directory: &Path) -> String {
    let out = directory.join("company");
    let mut command = binary();
    command.args(["simulate", "--customers", "110", "--months", "20", "--seed", "7", "--out"]).arg(&out);
    succeeded(&command.output().expect("the binary starts"));
    let bytes = zstd::decode_all(&*fs::read(out.join("events.jsonl.zst")).expect("there are events")).expect("it is compressed");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let time = |line: &str| line.split(r#""time":""#).nth(1).map(|rest| rest[..DAY.len()].to_owned()).expect("an event has a time");
    let events: String = text.lines().filter(|line| *time(line) <= *DAY).flat_map(|line| [line, "\n"]).collect();
    events + &event("end-of-day", &format!("{DAY}T23:59:59.999Z"))
}

fn event(id: &str, time: &str) -> String {
    let data = r#"{"kind":"retention","amount_minor":100,"currency":"EUR","period":"2025-04"}"#;
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/test","type":"cost.recorded","subject":"_company","time":"{time}","data":{data}}}"#
    ) + "\n"
}

/// What a replay says of the events: its summary, and the record of the day.
fn replayed(directory: &Path, events: &str, rules: &Path) -> (Value, Value) {
    let at = |name: &str| directory.join(name);
    let replay = |name: &str, events: &str, file: &str| {
        fs::write(at(name), events).expect("the events can be written");
        let mut command = binary();
        command
            .args(["replay", "--partitions", "1", "--events"])
            .arg(at(name))
            .arg("--signals")
            .arg(at("signals.jsonl"))
            .arg("--rules")
            .arg(rules);
        command.arg(format!("--{file}")).arg(at(file));
        succeeded(&command.output().expect("the binary starts"));
        fs::read_to_string(at(file)).expect("it is written")
    };
    let summary = serde_json::from_str(&replay("events.jsonl", events, "summary")).expect("JSON");
    // The day is over when something happens on the next.
    let kpis = replay("and-more.jsonl", &(events.to_owned() + &event("next-day", "2025-05-16T12:00:00Z")), "kpis");
    let mut records = kpis.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    (summary, records.find(|record| record["day"] == DAY).expect("a record of the day"))
}

/// The shipped rules, with the targets that a panel shows and they do not have: amounts are in somebody's currency.
fn rules_with_targets(directory: &Path) -> PathBuf {
    let text = read(&deploy("rules/default.yaml"));
    let (before, after) = text.split_once("\n  net_retention:").expect("there is a target of money");
    let amounts = "mrr_minor: { EUR: 5000000, USD: 100 }\n  cltv_minor: { EUR: 900000 }\n  cac_minor: { EUR: 12345 }";
    let more = "current_customers: 100\n  csat: 0.8\n  renewal_rate: 0.9\n  first_response_hours_p90: 24\n  activation_rate: 0.8";
    let path = directory.join("rules.yaml");
    fs::write(&path, format!("{before}\n  {amounts}\n  {more}\n  net_retention:{after}")).expect("it can be written");
    path
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Panel, legend, and what it must show.
fn expected(summary: &Value, record: &Value) -> Vec<(&'static str, &'static str, f64)> {
    let kpi = |name: &str| number(&record["kpis"][name]);
    let target = |name: &str| number(&record["targets"][name]);
    let euros = record["currencies"].as_array().into_iter().flatten().find(|money| money["currency"] == "EUR").expect("euros");
    let money = |name: &str| number(&euros[name]);
    let raised = summary["signals"].as_object().into_iter().flatten().filter_map(|(_, counts)| counts["raised"].as_f64()).sum();
    vec![
        ("NPS", "now", kpi("nps")),
        ("NPS", "target", target("nps")),
        ("CES", "now", kpi("ces")),
        ("Net retention", "target", target("net_retention")),
        ("MRR", "target", target("mrr_minor.EUR") / 100.0),
        ("CLTV", "target", target("cltv_minor.EUR") / 100.0),
        ("CAC", "target", target("cac_minor.EUR") / 100.0),
        ("Share of customers in red", "target", target("red_customers")),
        ("Net retention", "month", money("net_retention")),
        ("Net retention", "year", money("net_retention_year")),
        ("MRR", "$currency", money("mrr_minor") / 100.0),
        ("Current customers", "customers", kpi("current_customers")),
        ("Current customers", "active plans", kpi("active_plans")),
        ("CLTV", "$currency", money("cltv_minor") / 100.0),
        ("CAC", "$currency", money("cac_minor") / 100.0),
        ("Churn rate", "month", kpi("customer_churn")),
        ("Churn rate", "annualised", kpi("customer_churn_annualised")),
        ("Churn rate", "annualised, from the month", kpi("customer_churn_month_annualised")),
        ("Revenue churn", "month", money("revenue_churn")),
        ("Revenue churn", "quarter", money("revenue_churn_quarter")),
        ("Revenue churn", "annualised", money("revenue_churn_annualised")),
        ("Gross retention", "year", money("gross_retention_year")),
        ("Active users", "now", kpi("active_user_ratio")),
        ("CSAT", "now", kpi("csat")),
        ("Renewal rate", "now", kpi("renewal_rate")),
        ("Renewal rate", "by due date", kpi("renewal_rate_due")),
        ("ARPA", "$currency", money("arpa_minor") / 100.0),
        ("Retention cost per customer", "$currency", money("crc_minor") / 100.0),
        ("Events read", "events", number(&summary["events"])),
        ("Customers seen", "customers", number(&summary["customers"])),
        ("Active customers", "customers", number(&summary["active_customers"])),
        ("Duplicates", "events", number(&summary["duplicates"])),
        ("Raised since the start, by rule", "{{rule}}", raised),
    ]
}

/// Within which hours the tickets of a record were answered: in the record it is whole ones, and a panel has something within the same bucket.
fn expected_hours(record: &Value) -> [(&'static str, std::ops::RangeInclusive<f64>); 2] {
    [("median", "first_response_hours"), ("nine of ten within", "first_response_hours_p90")].map(|(legend, name)| {
        let hours = number(&record["kpis"][name]);
        let after = RESPONSE_BUCKETS_HOURS.iter().position(|bound| *bound > hours).expect("not the last bucket");
        let before = after.checked_sub(1).map_or(0.0, |before| RESPONSE_BUCKETS_HOURS[before]);
        (legend, before..=RESPONSE_BUCKETS_HOURS[after])
    })
}

/// Records round to six digits after the point, and minor units to two, which the panels divide by 100.
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
fn wait_for_every_panel(prometheus: &Prometheus, all: &[Target], job: &str) {
    let here = |target: &&Target| !target.expression.contains("$forward");
    let named = |target: &Target| format!("{}: {}", target.panel, target.legend);
    let excused: Vec<String> = all.iter().filter(here).filter(|target| excuse(target).is_some()).map(named).collect();
    let started = Instant::now();
    loop {
        let is_empty = |target: &&Target| prometheus.query(&target.of(job, "EUR")).expect("it is an expression").is_empty();
        let empty: Vec<String> = all.iter().filter(here).filter(is_empty).map(named).collect();
        if empty == excused {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{job}: these are empty: {empty:#?}\nand these should be: {excused:#?}");
        thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn panels_show_what_a_replay_counts_and_no_expression_fails() {
    let directory = TempDir::new().expect("a temporary directory");
    let events = company(directory.path());
    let rules = rules_with_targets(directory.path());
    let (summary, record) = replayed(directory.path(), &events, &rules);
    let mut run = Run::start_with(directory.path(), &events, &[OsStr::new("--rules"), rules.as_os_str()]);
    let prometheus = Prometheus::start(&run.address);
    let all = targets();
    let target = |panel: &str, legend: &str| -> &Target {
        let found = all.iter().find(|target| target.panel == panel && target.legend == legend);
        found.unwrap_or_else(|| panic!("no panel {panel} with {legend}"))
    };
    let expected = expected(&summary, &record);
    for (panel, legend, value) in &expected {
        let expression = target(panel, legend).of("bellwether", "EUR");
        prometheus.wait_for(&expression, |found| !found.is_empty() && is_near(found.iter().sum(), *value, legend));
    }
    for (legend, hours) in expected_hours(&record) {
        let expression = target("Time to the first answer", legend).of("bellwether", "EUR");
        prometheus.wait_for(&expression, |found| found.len() == 1 && hours.contains(&found[0]));
    }
    // Two instances add up, and ratios over both stay as they are.
    for (panel, legend, times) in
        [("Events read", "events", 2.0), ("MRR", "$currency", 2.0), ("NPS", "now", 1.0), ("CLTV", "$currency", 1.0)]
    {
        let value = expected.iter().find(|(of, its, _)| *of == panel && *its == legend).expect("it is expected").2;
        let expression = target(panel, legend).of("twice", "EUR");
        prometheus.wait_for(&expression, |found| found.len() == 1 && is_near(found[0], times * value, legend));
    }
    // Something comes in while Prometheus looks, so that there is a rate.
    run.write(&event("later", &format!("{DAY}T23:59:59.999Z")));
    for job in ["bellwether", "twice"] {
        wait_for_every_panel(&prometheus, &all, job);
    }
    check_offers(&prometheus, false, "bellwether");
    prometheus.wait_for("min(prometheus_rule_group_iterations_total)", |found| found.len() == 1 && found[0] > 3.0);
    prometheus.wait_for("sum(prometheus_rule_group_rules) > 60", |found| found.len() == 1);
    let failures = prometheus.query("sum(prometheus_rule_evaluation_failures_total)");
    assert_eq!(failures, Ok(vec![0.0]), "rules that fail");
    check_metrics(&run.metrics());
}
