//! Metrics of what came of signals: with them live precision, recall, lead time and uplift per rule are queries.

use std::sync::{Mutex, PoisonError};

use bellwether_engine::outcome::{Group, Outcome};
use bellwether_engine::outcome_counts::{LEAD_BUCKETS_DAYS, OutcomeCounts, RuleOutcomes, WARNED_DAYS};
use bellwether_engine::time::DAY_MS;
use prometheus::{IntGauge, IntGaugeVec, Opts};

use crate::registry::Registry;
use crate::set_histograms::{SetHistogram, SetHistograms};

/// Sums over the partitions of this process; those of several instances add up. Labels are rules, and outcomes of a fixed list.
pub struct OutcomeMetrics {
    outcomes: IntGaugeVec,
    lead_seconds: SetHistograms,
    ratings: IntGaugeVec,
    churned: IntGauge,
    caught: IntGauge,
    caught_by_rule: IntGaugeVec,
    warned: IntGaugeVec,
    forgotten: IntGauge,
    unknown_feedback: IntGauge,
    /// What was set last: most commits change nothing here.
    last: Mutex<OutcomeCounts>,
}

impl OutcomeMetrics {
    /// Registers every metric.
    ///
    /// # Panics
    ///
    /// If two metrics have one name, which is a defect of this file.
    #[must_use]
    pub fn register(registry: &Registry) -> Self {
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help).expect("a valid name");
            registry.register(Box::new(gauge.clone())).expect("a name of its own");
            gauge
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels).expect("a valid name");
            registry.register(Box::new(gauges.clone())).expect("a name of its own");
            gauges
        };
        let lead_seconds = SetHistograms::new("bellwether_outcome_lead_seconds", "Leads of true and late episodes, by rule.", "rule")
            .expect("a valid name");
        registry.register(Box::new(lead_seconds.clone())).expect("a name of its own");
        Self {
            outcomes: gauges(
                "bellwether_outcomes",
                "Episodes whose outcome is known, since the journal was created, by rule; group: told, held_out to compare with, or untold (shadow mode, history).",
                &["rule", "group", "outcome"],
            ),
            lead_seconds,
            ratings: gauges("bellwether_signal_ratings", "What people thought of signals, by rule.", &["rule", "useful"]),
            churned: gauge(
                "bellwether_churned_customers",
                "Churns of customers that paid and were past the warm-up; a notice counts when it is given, also one that is withdrawn later.",
            ),
            caught: gauge("bellwether_caught_customers", "Those churns with a true at-risk episode before."),
            caught_by_rule: gauges(
                "bellwether_caught_customers_by_rule",
                "The same by rule; one churn may count for several rules.",
                &["rule"],
            ),
            warned: gauges(
                "bellwether_warned_customers",
                "Those churns warned of at least so many days before, without a break.",
                &["days"],
            ),
            forgotten: gauge("bellwether_forgotten_outcomes", "Episodes whose outcome will never be known: one customer had too many."),
            unknown_feedback: gauge("bellwether_unknown_feedback", "Feedback about signals that no episode in the state has told."),
            last: Mutex::default(),
        }
    }

    /// The partitions of this process stand so.
    pub fn set(&self, counts: &OutcomeCounts) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == *counts {
            return;
        }
        // Rules of partitions that others own now go to zero; a scrape meanwhile never finds a rule missing.
        let gone = last.rules.keys().filter(|rule| !counts.rules.contains_key(*rule));
        gone.for_each(|rule| self.set_rule(rule, &RuleOutcomes::default()));
        let gone = last.churn.caught_by_rule.keys().filter(|rule| !counts.churn.caught_by_rule.contains_key(*rule));
        gone.for_each(|rule| self.caught_by_rule.with_label_values(&[rule]).set(0));
        counts.rules.iter().for_each(|(rule, one)| self.set_rule(rule, one));
        let churn = &counts.churn;
        self.churned.set(whole(churn.churned));
        self.caught.set(whole(churn.caught));
        churn.caught_by_rule.iter().for_each(|(rule, count)| self.caught_by_rule.with_label_values(&[rule]).set(whole(*count)));
        for (days, count) in WARNED_DAYS.iter().zip(churn.warned) {
            self.warned.with_label_values(&[&days.to_string()]).set(whole(count));
        }
        self.forgotten.set(whole(counts.forgotten));
        self.unknown_feedback.set(whole(counts.unknown_feedback));
        *last = counts.clone();
    }

    fn set_rule(&self, rule: &str, one: &RuleOutcomes) {
        for (group, outcomes) in Group::ALL.iter().zip(&one.groups) {
            for (outcome, count) in Outcome::ALL.iter().zip(outcomes) {
                self.outcomes.with_label_values(&[rule, group.name(), outcome.name()]).set(whole(*count));
            }
        }
        let mut up_to = 0;
        let buckets = LEAD_BUCKETS_DAYS.iter().zip(one.leads).map(|(days, count)| {
            up_to += count;
            ((days * DAY_MS / 1_000) as f64, up_to)
        });
        let buckets = buckets.collect();
        let histogram = SetHistogram { buckets, count: one.leads.iter().sum(), sum: one.lead_sum_seconds as f64 };
        self.lead_seconds.set(rule, histogram);
        for (useful, count) in [("true", one.useful), ("false", one.not_useful)] {
            self.ratings.with_label_values(&[rule, useful]).set(whole(count));
        }
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use bellwether_engine::outcome::Verdict;
    use prometheus::TextEncoder;

    use super::*;

    #[test]
    fn precision_lead_and_uplift_are_series_of_a_rule() {
        let registry = Registry::new();
        let metrics = OutcomeMetrics::register(&registry);
        let mut counts = OutcomeCounts::default();
        for (outcome, group, lead_days) in
            [(Outcome::True, Group::Told, Some(20)), (Outcome::Late, Group::Told, Some(3)), (Outcome::False, Group::HeldOut, None)]
        {
            counts.judged("silence", &Verdict { outcome, lead_ms: lead_days.map(|days| days * DAY_MS), group });
        }
        counts.rated("silence", true);
        metrics.set(&counts);
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        for line in [
            r#"bellwether_outcomes{group="told",outcome="true",rule="silence"} 1"#,
            r#"bellwether_outcomes{group="told",outcome="late",rule="silence"} 1"#,
            r#"bellwether_outcomes{group="held_out",outcome="false",rule="silence"} 1"#,
            r#"bellwether_outcome_lead_seconds_bucket{rule="silence",le="604800"} 1"#,
            r#"bellwether_outcome_lead_seconds_bucket{rule="silence",le="2592000"} 2"#,
            r#"bellwether_outcome_lead_seconds_bucket{rule="silence",le="+Inf"} 2"#,
            r#"bellwether_outcome_lead_seconds_sum{rule="silence"} 1987200"#,
            r#"bellwether_signal_ratings{rule="silence",useful="true"} 1"#,
        ] {
            assert!(text.contains(&format!("{line}\n")), "no `{line}` in\n{text}");
        }
        metrics.set(&OutcomeCounts::default());
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        let of_rule = text.lines().filter(|line| line.contains("silence"));
        assert!(of_rule.clone().count() > 10 && of_rule.clone().all(|line| line.ends_with(" 0")), "what is gone counts nothing:\n{text}");
    }
}
