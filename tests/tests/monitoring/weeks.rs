//! Alerts that compare with the past: what Prometheus remembers of it is made up, and what happens today is real.

use std::fmt::Write as _;

use crate::beside_kafka::now;
use crate::driven::{hasty_rules, wait_for_alert};
use crate::panels::Run;
use crate::prometheus::Prometheus;

const MINUTE_SECONDS: i64 = 60;
const DAY_SECONDS: i64 = 86_400;

/// Customers who look at the cancellation page on one day.
const LEAVERS: usize = 40;

/// A recorded series of the past: its name, its labels, its value, and for which seconds, each so many apart.
fn remembered(history: &mut String, name: &str, labels: &str, value: f64, seconds: std::ops::Range<i64>, apart: usize) {
    writeln!(history, "# TYPE {name} gauge").expect("text takes text");
    for second in seconds.step_by(apart) {
        writeln!(history, "{name}{{{labels}}} {value} {second}").expect("text takes text");
    }
}

/// Quiet weeks: twenty signals a day, hardly one of the rule in an hour.
fn quiet_weeks() -> String {
    let now = now().0 / 1_000;
    let week = now - 9 * DAY_SECONDS..now - 30 * MINUTE_SECONDS;
    let mut history = String::new();
    remembered(&mut history, "job:bellwether_signals_raised:increase1d", "job=\"bellwether-quiet\"", 20.0, week.clone(), 600);
    let rule = "job=\"bellwether\",rule=\"cancel-page-visit\"";
    remembered(&mut history, "job_rule:bellwether_signals_raised:increase1h", rule, 0.2, week, 600);
    history
}

/// A week ago, to the minute, no customers of this job were red.
pub fn no_red_customers(job: &str) -> String {
    let week_ago = now().0 / 1_000 - 7 * DAY_SECONDS;
    let mut history = String::new();
    let around = week_ago - 10 * MINUTE_SECONDS..week_ago + 30 * MINUTE_SECONDS;
    remembered(&mut history, "job:bellwether_red_customers:ratio", &format!("job=\"{job}\""), 0.0, around, 30);
    history
}

/// About an hour ago, no record of this job was poisoned.
pub fn no_poisoned_records(job: &str) -> String {
    let now = now().0 / 1_000;
    let mut history = String::new();
    let around = now - 70 * MINUTE_SECONDS..now - 30 * MINUTE_SECONDS;
    let labels = format!("job=\"{job}\",metric=\"poisoned_records\"");
    remembered(&mut history, "job:bellwether_whole:sum", &labels, 0.0, around, 30);
    history
}

fn event(customer: usize, number: usize, time: &str, kind: &str, data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{customer}-{number}","source":"/test","type":"{kind}","subject":"c-{customer}","time":"2025-05-{time}:00Z","data":{data}}}"#
    ) + "\n"
}

/// Customers who are there; the first of them has looked at the page, and is the only one of whom there is a signal.
fn beginning() -> String {
    let subscription = r#"{"subscription":"s","plan":"team","mrr_minor":1000,"currency":"EUR","seats":3}"#;
    let begin = |customer: usize| {
        event(customer, 0, "01T12:00", "account.created", "{}") + &event(customer, 1, "01T12:30", "subscription.started", subscription)
    };
    // In the order of their times, as they are alike for all.
    let mut lines: Vec<String> =
        (0..=LEAVERS).flat_map(|customer| begin(customer).lines().map(|line| format!("{line}\n")).collect::<Vec<_>>()).collect();
    lines.sort_by_key(|line| line.contains("subscription.started"));
    lines.concat() + &event(0, 2, "02T12:00", "cancellation.viewed", "{}")
}

#[test]
fn a_flood_and_a_silence_fire_their_alerts() {
    let directories = [(); 3].map(|()| tempfile::tempdir().expect("a temporary directory"));
    let [rules, of_flood, of_quiet] = directories.each_ref().map(tempfile::TempDir::path);
    let mut run = Run::start(of_flood, &beginning());
    let quiet = Run::start(of_quiet, &beginning());
    let jobs = [("bellwether", run.address.as_str()), ("bellwether-quiet", &quiet.address)];
    let prometheus = Prometheus::with_history(&jobs, &hasty_rules(rules), &quiet_weeks());
    let raised = "sum by (job) (bellwether_signals_total{rule=\"cancel-page-visit\", transition=\"raised\"})";
    prometheus.wait_for(raised, |found| found == [1.0, 1.0]);

    // Where some were raised each day of the week, today there is none.
    wait_for_alert(&prometheus, "bellwether-quiet", "BellwetherNoSignals");
    prometheus.wait_for("ALERTS{alertname!~\".*Target|BellwetherNoSignals\", alertstate=\"firing\"}", <[f64]>::is_empty);

    let visits = (1..=LEAVERS).map(|customer| event(customer, 2, "03T12:00", "cancellation.viewed", "{}"));
    run.write(&visits.collect::<String>());
    wait_for_alert(&prometheus, "bellwether", "BellwetherSignalFlood");
    let still = prometheus.query("ALERTS{alertname=\"BellwetherSignalFlood\", job=\"bellwether-quiet\"}");
    assert_eq!(still, Ok(Vec::new()), "nobody visits the other");
}
