//! Panels against the truth: a run over a fixed input is scraped, and what panels show is what a replay of the same events counts.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, Stdio};

use bellwether_tests::product::{binary, succeeded};
use serde_json::Value;
use tempfile::TempDir;

use crate::dashboards::{Target, targets};
use crate::prometheus::{Prometheus, check_metrics, scraped};

/// The day whose record is compared; in the middle of a month.
const DAY: &str = "2025-05-15";

/// Upper bounds of the buckets of times to the first answer, hours.
const RESPONSE_BUCKETS_HOURS: [f64; 13] = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 24.0, 48.0, 72.0, 168.0, 336.0, 720.0];

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
        let mut command = binary();
        // One partition: all customers stand where the last event is.
        command.args(["run", "--events", "-", "--partitions", "1", "--metrics", "127.0.0.1:0", "--data"]).arg(directory.join("data"));
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
fn replayed(directory: &Path, events: &str) -> (Value, Value) {
    let at = |name: &str| directory.join(name);
    let replay = |name: &str, events: &str, file: &str| {
        fs::write(at(name), events).expect("the events can be written");
        let mut command = binary();
        command.args(["replay", "--partitions", "1", "--events"]).arg(at(name)).arg("--signals").arg(at("signals.jsonl"));
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

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Panel, legend, and what it must show.
fn expected(summary: &Value, record: &Value) -> Vec<(&'static str, &'static str, f64)> {
    let kpi = |name: &str| number(&record["kpis"][name]);
    let euros = record["currencies"].as_array().into_iter().flatten().find(|money| money["currency"] == "EUR").expect("euros");
    let money = |name: &str| number(&euros[name]);
    let raised = summary["signals"].as_object().into_iter().flatten().filter_map(|(_, counts)| counts["raised"].as_f64()).sum();
    vec![
        ("NPS", "now", kpi("nps")),
        ("NPS", "target", number(&record["targets"]["nps"])),
        ("CES", "now", kpi("ces")),
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

#[test]
fn panels_show_what_a_replay_counts_and_no_expression_fails() {
    let directory = TempDir::new().expect("a temporary directory");
    let events = company(directory.path());
    let (summary, record) = replayed(directory.path(), &events);
    let run = Run::start(directory.path(), &events);
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
    for target in &all {
        for job in ["bellwether", "twice"] {
            let answer = prometheus.query(&target.of(job, "EUR"));
            assert!(answer.is_ok(), "{}: {}: {answer:?}", target.dashboard, target.panel);
        }
    }
    prometheus.wait_for("min(prometheus_rule_group_iterations_total)", |found| found.len() == 1 && found[0] > 3.0);
    prometheus.wait_for("sum(prometheus_rule_group_rules) > 60", |found| found.len() == 1);
    let failures = prometheus.query("sum(prometheus_rule_evaluation_failures_total)");
    assert_eq!(failures, Ok(vec![0.0]), "rules that fail");
    check_metrics(&run.metrics());
}
