//! Backtests of logs that are written out: what each alarm comes to is counted by hand.

use std::fmt::Write;
use std::ops::Range;

use serde_json::{Value, json};

use super::support::{Scratch, run};

/// One rule, that speaks of five quiet days.
const QUIET: &str = "signals:\n  - { name: quiet, kind: at_risk, when: days_since_login >= 5, summary: quiet }\n";

/// A log that is written down. Day 0 is 2024-01-01.
#[derive(Default)]
pub struct Log {
    events: Vec<(i64, Value)>,
}

impl Log {
    /// Something that happened to a customer.
    pub fn add(&mut self, customer: &str, day: i64, kind: &str, data: Value) -> &mut Self {
        let time = bellwether_codec::timestamp::format_time(bellwether_engine::time::Time((19_723 + day) * 86_400_000));
        let id = format!("{}", self.events.len());
        let event =
            json!({ "specversion": "1.0", "id": id, "source": "/t", "type": kind, "subject": customer, "time": time, "data": data });
        self.events.push((day, event));
        self
    }

    /// It pays 100 a month from a day on.
    pub fn starts(&mut self, customer: &str, day: i64) -> &mut Self {
        self.add(customer, day, "subscription.started", json!({ "subscription": "s", "mrr_minor": 10_000, "currency": "EUR" }))
    }

    /// Once on each of these days.
    pub fn logs_in(&mut self, customer: &str, days: Range<i64>) -> &mut Self {
        days.for_each(|day| _ = self.add(customer, day, "login", json!({ "user": "u" })));
        self
    }

    /// On a day.
    pub fn gives_notice(&mut self, customer: &str, day: i64) -> &mut Self {
        self.add(customer, day, "cancellation.requested", json!({}))
    }

    /// Its subscription ends on a day.
    pub fn ends(&mut self, customer: &str, day: i64) -> &mut Self {
        self.add(customer, day, "subscription.ended", json!({ "subscription": "s" }))
    }

    /// In the order of time.
    pub fn text(&mut self) -> String {
        self.events.sort_by_key(|(day, _)| *day);
        self.events.iter().fold(String::new(), |mut text, (_, event)| {
            writeln!(text, "{event}").expect("text can be written");
            text
        })
    }
}

/// Four customers: one that gives notice, one that withdraws it and gives it again, one whose first alarm was over before, and one that stays.
fn leavers() -> String {
    let mut log = Log::default();
    log.starts("stays", 0).logs_in("stays", 0..301);
    log.starts("a", 0).logs_in("a", 0..41).gives_notice("a", 65).ends("a", 125);
    log.starts("b", 0).logs_in("b", 0..61).gives_notice("b", 75);
    log.add("b", 77, "cancellation.withdrawn", json!({})).gives_notice("b", 120).ends("b", 140);
    log.starts("c", 0).logs_in("c", 0..41).logs_in("c", 50..61).gives_notice("c", 80).ends("c", 120);
    log.text()
}

/// The report on a log with a rule file.
#[track_caller]
fn report(events: &str, rules: &str, more: &[&str]) -> Value {
    let scratch = Scratch::new();
    let (events, rules, json) = (scratch.file("events.jsonl", events), scratch.file("rules.yaml", rules), scratch.path("report.json"));
    run(&[&["backtest", "--events", &events, "--rules", &rules, "--json", &json], more].concat()).exits(0);
    serde_json::from_slice(&scratch.read("report.json")).expect("the report is JSON")
}

/// Signals, true, late, false, withdrawn; then the median lead in days.
fn counts(report: &Value) -> (Vec<u64>, f64) {
    let overall = &report["overall"];
    let counted = ["signals", "true", "late", "false", "withdrawn"].map(|name| overall[name].as_u64().expect("a count"));
    (counted.to_vec(), overall["lead_days"]["median"].as_f64().expect("there are leads"))
}

#[test]
fn alarms_are_as_right_whichever_churn_they_are_judged_by() {
    let of = |more: &[&str]| counts(&report(&leavers(), QUIET, more));
    // Raised on days 45 (a), 65 (b), 45 and 65 (c). The notice resolves what is open, on days 65, 75 and 80.
    let expected = vec![4, 3, 0, 1, 1];
    assert_eq!(of(&[]), (expected.clone(), 20.0));
    assert_eq!(of(&["--churn-at", "end"]), (expected.clone(), 75.0));
    assert_eq!(of(&["--churn-at", "paid-end"]), (expected.clone(), 75.0));
    let scratch = Scratch::new();
    let crm = scratch.file("crm.csv", "customer,notice,end\na,,2024-05-05\nb,,2024-05-20\nc,,2024-04-30\n");
    assert_eq!(of(&["--outcomes", &crm]), (expected, 75.0));
}

#[test]
fn a_rule_file_says_how_it_is_judged() {
    let of = |settings: &str, more: &[&str]| {
        let report = report(&leavers(), &format!("settings: {{ {settings} }}\n{QUIET}"), more);
        let log = &report["log"];
        (log["churn_at"].clone(), log["horizon_days"].as_f64(), log["min_lead_days"].as_f64(), report["overall"]["true"].as_u64())
    };
    assert_eq!(of("churn: end, horizon: 76d, min_lead: 60d", &[]), ("end".into(), Some(76.0), Some(60.0), Some(1)));
    let more = ["--churn-at", "notice", "--horizon", "90d", "--min-lead", "14d"];
    assert_eq!(of("churn: end, horizon: 76d, min_lead: 60d", &more), ("notice".into(), Some(90.0), Some(14.0), Some(3)));
}

#[test]
fn what_is_read_behind_the_end_of_the_period_is_not_counted() {
    let mut log = Log::default();
    ["a", "b", "c"].iter().for_each(|customer| _ = log.starts(customer, 0).logs_in(customer, 0..1_000));
    let text = log.text();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[300] = "broken";
    lines[2_900] = "broken";
    for _ in 0..5 {
        // Day 152: three starts and 153 days of three logins, of which one is broken.
        let log = &report(&lines.join("\n"), QUIET, &["--to", "2024-06-01"])["log"];
        assert_eq!((&log["refused"], &log["events"]), (&1.into(), &461.into()));
    }
    assert_eq!(report(&lines.join("\n"), QUIET, &[])["log"]["refused"], 2);
}

#[test]
fn a_customer_that_speaks_for_us_makes_advocacy_true() {
    let rules = "signals:\n  - { name: regular, kind: advocacy, when: logins_28d >= 20, summary: regular }\n";
    let of = |kind: &str, data: Value| {
        let mut log = Log::default();
        log.starts("c", 0).logs_in("c", 0..200).add("c", 60, kind, data);
        let report = report(&log.text(), rules, &[]);
        let figures = report["by_rule"][0].clone();
        [figures["signals"].clone(), figures["true"].clone(), figures["false"].clone()].map(|count| count.as_u64().expect("a count"))
    };
    assert_eq!(of("lead.recorded", json!({ "kind": "referral" })), [1, 1, 0]);
    assert_eq!(of("lead.recorded", json!({ "kind": "sales" })), [1, 0, 1]);
    assert_eq!(of("campaign.converted", json!({ "campaign": "k" })), [1, 1, 0]);
    assert_eq!(of("campaign.opened", json!({ "campaign": "k" })), [1, 0, 1]);
}

#[test]
fn upsell_is_judged_by_what_is_paid() {
    let rules = "signals:\n  - { name: regular, kind: upsell, when: logins_28d >= 20, summary: regular }\n";
    let of = |mrr_minor: i64, day: i64| {
        let mut log = Log::default();
        let changed = json!({ "subscription": "s", "mrr_minor": mrr_minor, "currency": "EUR" });
        log.starts("c", 0).logs_in("c", 0..200).add("c", day, "subscription.changed", changed);
        let report = report(&log.text(), rules, &[]);
        ["signals", "true", "false"].map(|name| report["by_rule"][0][name].as_u64().expect("a count"))
    };
    // Raised on day 28, when the warm-up is over.
    assert_eq!(of(10_500, 118), [1, 1, 0]);
    assert_eq!(of(10_499, 118), [1, 0, 1]);
    assert_eq!(of(10_500, 119), [1, 0, 1]);
}

#[test]
fn a_notice_that_is_given_again_is_no_new_churn() {
    let mut log = Log::default();
    log.starts("stays", 0).logs_in("stays", 0..301);
    log.starts("a", 0).logs_in("a", 0..41).gives_notice("a", 65).gives_notice("a", 100).ends("a", 125);
    assert_eq!(counts(&report(&log.text(), QUIET, &[])), (vec![1, 1, 0, 0, 0], 20.0));
}
