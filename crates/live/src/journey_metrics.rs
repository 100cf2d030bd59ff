//! Metrics of the journey: customers by stage and by quadrant, and how long customers were in the stages that they have left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use bellwether_engine::feature::QUADRANTS;
use bellwether_engine::journey::MAX_STAGES;
use bellwether_engine::partition::Header;
use bellwether_engine::rule_set::RuleSet;
use prometheus::{IntGaugeVec, Opts};

use crate::registry::Registry;

/// Stages that are told at once, with those of rule sets that are in force no longer. One rule set has at most [`MAX_STAGES`].
const MAX_TOLD_STAGES: usize = 4 * MAX_STAGES;

/// The metrics, and how each partition stands that this process owns.
pub struct JourneyMetrics {
    customers: IntGaugeVec,
    stays: IntGaugeVec,
    seconds: IntGaugeVec,
    quadrants: IntGaugeVec,
    board: Mutex<BTreeMap<u16, Standing>>,
    /// Names of stages that were told.
    told: Mutex<BTreeSet<String>>,
}

/// One partition.
struct Standing {
    /// Customers, times left and seconds stayed, by the name of the stage.
    stages: BTreeMap<String, [i64; 3]>,
    quadrants: [i64; QUADRANTS.len()],
}

impl JourneyMetrics {
    /// Registers the metrics.
    ///
    /// # Panics
    ///
    /// If another metric has one of the names, which is a defect of this file.
    #[must_use]
    pub fn register(registry: &Registry) -> Self {
        let gauges = |name: &str, help: &str, label: &str| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), &[label]).expect("a valid name");
            registry.register(Box::new(gauges.clone())).expect("a name of its own");
            gauges
        };
        let stays = "How often customers have left the stage; those who are in it are not counted.";
        let seconds = "Seconds that customers had been in the stage when they left it; over bellwether_stage_stays it is the mean stay.";
        let quadrants = gauges("bellwether_customers_by_quadrant", "Customers by quadrant of experience and outcomes.", "quadrant");
        QUADRANTS.iter().for_each(|quadrant| quadrants.with_label_values(&[quadrant]).set(0));
        Self {
            customers: gauges("bellwether_customers_by_stage", "Customers by journey stage.", "stage"),
            stays: gauges("bellwether_stage_stays", stays, "stage"),
            seconds: gauges("bellwether_stage_stay_seconds", seconds, "stage"),
            quadrants,
            board: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// A partition stands so after a commit, under these rules.
    pub fn settled(&self, partition: u16, header: &Header, rules: &RuleSet) {
        let sums = &header.aggregates;
        let names = rules.settings.stage_names();
        let mut stages: BTreeMap<String, [i64; 3]> = names.iter().map(|name| ((*name).to_owned(), [0; 3])).collect();
        for (name, customers) in names.iter().zip(sums.customers_by_stage) {
            stages.entry((*name).to_owned()).or_default()[0] = customers;
        }
        for stage in &rules.settings.stages {
            let (times, seconds) = sums.journey.stays.get(&stage.hash).copied().unwrap_or_default();
            let [_, stays, stayed] = stages.entry(stage.name.to_string()).or_default();
            (*stays, *stayed) = (times, seconds);
        }
        self.board().insert(partition, Standing { stages, quadrants: sums.journey.quadrants });
        self.sum_up();
    }

    /// A partition is no longer this process's.
    pub fn gone(&self, partition: u16) {
        self.board().remove(&partition);
        self.sum_up();
    }

    /// Stages that no rules name any more stay, at zero: a series that ends is taken for one that is lost.
    fn sum_up(&self) {
        let board = self.board();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stages: BTreeMap<String, [i64; 3]> = told.iter().map(|name| (name.clone(), [0; 3])).collect();
        let mut quadrants = [0; QUADRANTS.len()];
        for standing in board.values() {
            for (name, counts) in &standing.stages {
                stages.entry(name.clone()).or_default().iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
            quadrants.iter_mut().zip(standing.quadrants).for_each(|(sum, count)| *sum += count);
        }
        let is_named = |name: &String| board.values().any(|standing| standing.stages.contains_key(name));
        if stages.len() > MAX_TOLD_STAGES {
            for name in told.iter().filter(|name| !is_named(name)) {
                let gauges = [&self.customers, &self.stays, &self.seconds];
                gauges.into_iter().for_each(|gauges| _ = gauges.remove_label_values(&[name]));
                stages.remove(name);
            }
            told.clear();
        }
        for (name, [customers, stays, seconds]) in stages {
            let name = name.as_str();
            told.insert(name.to_owned());
            self.customers.with_label_values(&[name]).set(customers);
            self.stays.with_label_values(&[name]).set(stays);
            self.seconds.with_label_values(&[name]).set(seconds);
        }
        QUADRANTS.iter().zip(quadrants).for_each(|(name, count)| self.quadrants.with_label_values(&[name]).set(count));
    }

    fn board(&self) -> std::sync::MutexGuard<'_, BTreeMap<u16, Standing>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
