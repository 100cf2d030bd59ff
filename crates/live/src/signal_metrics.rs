//! Signals as a metric: what was published, by rule and transition.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use bellwether_codec::rendered::SignalCounts;
use bellwether_engine::outcome_counts::{MAX_COUNTED_RULES, OTHER_RULES};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Transition;
use prometheus::{IntCounterVec, Opts};

use crate::registry::Registry;

/// The metric, and which rules have series.
pub(crate) struct SignalMetrics {
    signals: IntCounterVec,
    spoken: Mutex<Spoken>,
}

#[derive(Default)]
struct Spoken {
    rules: BTreeSet<String>,
    /// The rule set whose rules were all begun.
    begun: Option<u32>,
}

impl Spoken {
    /// The name under which a rule is told. Rules come and go with rule sets, as long as the process runs.
    fn label<'r>(&mut self, rule: &'r str) -> &'r str {
        let is_told = self.rules.contains(rule) || self.rules.len() < MAX_COUNTED_RULES && self.rules.insert(rule.to_owned());
        if is_told { rule } else { OTHER_RULES }
    }
}

impl SignalMetrics {
    /// Registers the metric.
    pub fn register(registry: &Registry) -> Self {
        let help = "Signals published, by rule and transition; decided: not sent; outcome: what came of one.";
        let options = Opts::new("bellwether_signals_total", help);
        let signals = IntCounterVec::new(options, &["rule", "transition"]).expect("a valid name");
        registry.register(Box::new(signals.clone())).expect("a name of its own");
        Self { signals, spoken: Mutex::default() }
    }

    /// Outputs were published.
    pub fn published(&self, counts: &SignalCounts) {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        for ((rule, transition), count) in counts {
            self.signals.with_label_values(&[spoken.label(rule), transition]).inc_by(*count);
        }
    }

    /// Each rule in force is there before it speaks: what begins with its first burst does not increase, as Prometheus sees it.
    pub fn begin(&self, rules: &RuleSet) {
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        if spoken.begun.replace(rules.number) != Some(rules.number) {
            for rule in &rules.rules {
                self.signals.with_label_values(&[spoken.label(&rule.name), Transition::Raised.name()]).inc_by(0);
            }
        }
    }
}
