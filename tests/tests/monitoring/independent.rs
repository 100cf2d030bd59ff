//! What panels must show, by ways that share nothing with the metrics: SQL over the events, and a walk through what subscribers were told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use bellwether_tests::product::succeeded;
use bellwether_tests::python::{JUDGE, python};
use bellwether_tests::recomputed::Numbers;
use serde_json::Value;

/// Panel, legend, and the sum of what it must show.
pub type Shown = (&'static str, &'static str, f64);

/// Panels about KPIs, from the recomputation at the end of the day, whose month and last whole month are these.
pub fn of_events(numbers: &Numbers, events: &str, month: &str, last: &str) -> Vec<Shown> {
    let get = |name: &str| numbers.get(name).copied().unwrap_or_default() as f64;
    let (kpi, share) = (|name: &str| get(&format!("kpi/{name}")) / 1e6, |name: &str| get(&format!("money/EUR/{name}")) / 1e6);
    // Hundredths of a minor unit, of which there are a hundred in a euro.
    let amount = |name: &str| get(&format!("money/EUR/{name}")) / 1e4;
    let sum = |start: &str, end: &str| -> f64 {
        let named = numbers.iter().filter(|(name, _)| name.starts_with(start) && name.ends_with(end));
        named.map(|(_, value)| *value as f64).sum()
    };
    let events_by_id: BTreeSet<String> = events.lines().map(identity).collect();
    vec![
        ("NPS", "now", kpi("nps")),
        ("NPS over time", "decision makers", kpi("nps_decision_makers")),
        ("CES", "now", kpi("ces")),
        ("CSAT", "now", kpi("csat")),
        ("Net retention", "month", share("net_retention")),
        ("Net retention", "year", share("net_retention_year")),
        ("Gross retention", "month", share("gross_retention")),
        ("Gross retention", "year", share("gross_retention_year")),
        ("MRR", "$currency", sum("mrr_minor/", "/EUR") / 100.0),
        ("MRR by segment", "{{segment}}", sum("mrr_minor/", "/EUR") / 100.0),
        ("MRR by plan", "{{plan}}", sum("plan_mrr_minor/", "/EUR") / 100.0),
        ("MRR by currency", "{{currency}}", sum("mrr_minor/", "") / 100.0),
        ("Current customers", "customers", kpi("current_customers")),
        ("Current customers", "active plans", kpi("active_plans")),
        ("Customers by segment", "{{segment}}", sum("current_customers/", "")),
        ("Subscriptions by plan", "{{plan}}, trial: {{trial}}", sum("plan_subscriptions/", "") + sum("plan_trials/", "")),
        ("CLTV", "$currency", amount("cltv_minor")),
        ("CAC", "$currency", amount("cac_minor")),
        ("ARPA", "$currency", amount("arpa_minor")),
        ("Retention cost per customer", "$currency", amount("crc_minor")),
        ("Churn rate", "month", kpi("customer_churn")),
        ("Churn rate", "quarter", kpi("customer_churn_quarter")),
        ("Churn rate", "annualised", kpi("customer_churn_annualised")),
        ("Churn rate", "annualised, from the month", kpi("customer_churn_month_annualised")),
        ("Revenue churn", "month", share("revenue_churn")),
        ("Revenue churn", "quarter", share("revenue_churn_quarter")),
        ("Revenue churn", "annualised", share("revenue_churn_annualised")),
        ("Active users", "now", kpi("active_user_ratio")),
        ("Renewal rate", "now", kpi("renewal_rate")),
        ("Renewal rate", "by due date", kpi("renewal_rate_due")),
        ("Activation rate", "now", kpi("activation_rate")),
        ("Onboardings", "{{state}}", sum("onboarding/", "")),
        ("Expansion leads, this month", "leads", get(&format!("flow/{month}/leads"))),
        ("Tickets opened, last whole month, by channel", "{{channel}}", sum(&format!("tickets/{last}/"), "")),
        ("Campaigns", "{{step}}", sum("campaign/", "")),
        ("Customers seen", "customers", sum("customers/", "")),
        ("Events read", "events", events.lines().count() as f64),
        ("Duplicates", "events", (events.lines().count() - events_by_id.len()) as f64),
    ]
}

/// What makes an event the same as another.
fn identity(line: &str) -> String {
    let event: Value = serde_json::from_str(line).expect("JSON");
    format!("{}\0{}\0{}", event["subject"], event["source"], event["id"])
}

/// How long the median onboarding, first value and activation took in days, of those that are done.
pub fn median_days(numbers: &Numbers, process: &str) -> f64 {
    let mut days: Vec<(i64, i64)> = Vec::new();
    for (name, count) in numbers {
        let parts: Vec<&str> = name.split('/').collect();
        if let [of, _, "done", after] = parts[..]
            && of == process
        {
            days.push((after.parse().expect("days"), *count));
        }
    }
    days.sort_unstable();
    let (all, mut passed) = (days.iter().map(|(_, count)| count).sum::<i64>(), 0);
    let median = days.iter().find(|(_, count)| {
        passed += count;
        2 * passed >= all
    });
    median.unwrap_or_else(|| panic!("nobody is done with {process}")).0 as f64
}

/// What subscribers were told, and what was decided beside it.
#[derive(Default)]
pub struct Told {
    /// Raised signals by rule.
    pub raised: BTreeMap<String, f64>,
    /// Signals that are open: id of the raise, rule, customer, severity.
    pub open: Vec<Open>,
    /// Outcomes of episodes by group, rule and outcome.
    outcomes: BTreeMap<(String, String, String), f64>,
    /// Leads of episodes with an outcome that was right or late, by rule, days.
    pub leads: BTreeMap<String, Vec<f64>>,
}

/// An open signal.
pub struct Open {
    pub id: String,
    pub rule: String,
    pub kind: String,
    pub customer: String,
    pub severity: String,
}

impl Told {
    /// Reads the signals of a file, and the decisions beside it.
    pub fn read(signals: &Path) -> Self {
        let mut told = Self::default();
        let mut open = BTreeMap::new();
        let text = |path: &Path| fs::read_to_string(path).expect("it is written");
        let mut judged = BTreeSet::new();
        for line in text(signals).lines().chain(text(Path::new(&format!("{}.decisions", signals.display()))).lines()) {
            let output: Value = serde_json::from_str(line).expect("JSON");
            let word = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned();
            let (data, customer) = (&output["data"], word(&output["subject"]));
            let (rule, kind) = (word(&data["rule"]), word(&output["type"]));
            let episode = (customer.clone(), rule.clone(), word(&data["object"]));
            // It is told again at the end of an episode that had its outcome before.
            if data["outcome"].is_string() && judged.insert((episode.clone(), word(&data["raised_at"]))) {
                *told.outcomes.entry((word(&data["group"]), rule.clone(), word(&data["outcome"]))).or_default() += 1.0;
                let is_lead = data["group"] == "told" && data["outcome"] != "false";
                if let Some(lead) = data["lead_days"].as_f64().filter(|_| is_lead) {
                    told.leads.entry(rule.clone()).or_default().push(lead);
                }
            }
            match kind.as_str() {
                "bellwether.signal.raised.v1" => {
                    *told.raised.entry(rule.clone()).or_default() += 1.0;
                    let one =
                        Open { id: word(&output["id"]), rule, kind: word(&data["kind"]), customer, severity: word(&data["severity"]) };
                    open.insert(episode, one);
                }
                "bellwether.signal.escalated.v1" | "bellwether.signal.eased.v1" => {
                    open.get_mut(&episode).expect("it is open").severity = word(&data["severity"]);
                }
                "bellwether.signal.cleared.v1" | "bellwether.signal.expired.v1" | "bellwether.signal.resolved.v1" => {
                    open.remove(&episode).expect("it is open");
                }
                _ => {}
            }
        }
        told.open = open.into_values().collect();
        told
    }

    /// Open signals by one of their words.
    pub fn open_by(&self, word: impl Fn(&Open) -> &String) -> BTreeMap<String, f64> {
        let mut counts = BTreeMap::new();
        self.open.iter().for_each(|open| *counts.entry(word(open).clone()).or_default() += 1.0);
        counts
    }

    /// Outcomes of the group that was told.
    pub fn outcomes(&self) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        let told = self.outcomes.iter().filter(|((group, ..), _)| group == "told");
        told.for_each(|((_, _, outcome), count)| *sums.entry(outcome.clone()).or_default() += count);
        sums
    }

    /// The share of a rule's true outcomes in a group, of those that are true or false.
    fn true_share(&self, group: &str, rule: &str) -> Option<f64> {
        let count =
            |outcome: &str| self.outcomes.get(&(group.to_owned(), rule.to_owned(), outcome.to_owned())).copied().unwrap_or_default();
        let all = count("true") + count("false");
        (all > 0.0).then(|| count("true") / all)
    }

    fn by_rule(&self, value: impl Fn(&str) -> Option<f64>) -> BTreeMap<String, f64> {
        let rules: BTreeSet<&String> = self.outcomes.keys().map(|(_, rule, _)| rule).collect();
        rules.into_iter().filter_map(|rule| value(rule).map(|value| (rule.clone(), value))).collect()
    }

    /// Precision by rule.
    pub fn precision(&self) -> BTreeMap<String, f64> {
        self.by_rule(|rule| self.true_share("told", rule))
    }

    /// How much likelier those leave who were held out than those who were told, by rule.
    pub fn uplift(&self) -> BTreeMap<String, f64> {
        self.by_rule(|rule| Some(self.true_share("held_out", rule)? - self.true_share("told", rule)?))
    }
}

/// What became of churns, and which of them were warned of, as shares.
pub struct Warnings {
    pub recall: f64,
    pub recall_by_rule: BTreeMap<String, f64>,
    pub warned_by_days: BTreeMap<String, f64>,
}

impl Warnings {
    /// Judges the signals by the events alone.
    pub fn of(events: &Path, signals: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("backtest/warned.py");
        let output = Command::new(python(&JUDGE)).arg("-B").arg(script).args([events, signals]).output().expect("Python starts");
        succeeded(&output);
        let judged: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let number = |value: &Value| value.as_f64().expect("a number");
        let churned = number(&judged["churned"]);
        assert!(churned > 10.0, "only {churned} churns");
        let shares = |value: &Value, of: f64| {
            value.as_object().expect("shares").iter().map(|(name, value)| (name.clone(), number(value) / of)).collect()
        };
        Self {
            recall: number(&judged["caught"]) / churned,
            recall_by_rule: shares(&judged["caught_by_rule"], churned),
            warned_by_days: shares(&judged["warned"], 1.0),
        }
    }
}
