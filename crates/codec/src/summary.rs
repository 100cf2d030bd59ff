//! The summary of a run: what came in, what became of it, and how the customer base stands at the end.

use std::collections::BTreeMap;

use bellwether_engine::aggregates::Aggregates;
use bellwether_engine::kpi::{KpiSettings, KpiSums, Kpis};
use bellwether_engine::partition::Header;
use bellwether_engine::time::Time;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::ByCurrency;
use crate::kpi_record::named;
use crate::rendered::SignalCounts;

/// What `--summary` writes, and the terminal shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Input lines read, rejected ones included.
    pub events: u64,
    /// Events written to the journal.
    pub journaled: u64,
    /// Rejected lines by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Events dropped as duplicates.
    pub duplicates: u64,
    /// Events whose day had left the windows.
    pub too_late: u64,
    /// Events that met a full table of a state, so that features became absent.
    pub limited: u64,
    /// Events dated before the erasure of their customer, dropped.
    pub stragglers: u64,
    /// Records and reviews left out because folding them panicked.
    pub poisoned: u64,
    /// Customers ever seen.
    pub customers: i64,
    /// Customers with a running subscription.
    pub active_customers: i64,
    /// MRR of running subscriptions, minor units by currency.
    #[schemars(with = "ByCurrency")]
    pub mrr_minor: BTreeMap<String, i64>,
    /// KPIs by name, as of journal time; absent where nothing can be divided.
    pub kpis: BTreeMap<&'static str, Option<f64>>,
    /// Signals by rule and transition; decisions as `decided`, outcomes that end nothing as `outcome`.
    pub signals: BTreeMap<String, BTreeMap<String, u64>>,
    /// Wall time of the run.
    pub wall_seconds: f64,
    /// `events` over `wall_seconds`.
    pub events_per_second: f64,
    /// Peak resident memory of the process; 0 where the system does not tell.
    pub peak_memory_bytes: u64,
}

impl Summary {
    /// Adds the aggregates of a partition.
    fn add_aggregates(&mut self, aggregates: &Aggregates) {
        self.duplicates += aggregates.duplicates;
        self.too_late += aggregates.too_late;
        self.limited += aggregates.limited;
        self.stragglers += aggregates.stragglers;
        self.poisoned += aggregates.poisoned;
        self.customers += aggregates.customers;
        self.active_customers += aggregates.active_customers;
        for (currency, mrr) in aggregates.mrr_minor.iter().filter(|(_, mrr)| **mrr != 0) {
            *self.mrr_minor.entry(String::from_utf8_lossy(&currency.0).into_owned()).or_default() += mrr;
        }
    }

    /// Adds the partitions, and computes the KPIs of all of them together.
    pub fn add_partitions<'h>(&mut self, headers: impl Iterator<Item = &'h Header>, settings: &KpiSettings) {
        let (mut sums, mut journal_time) = (KpiSums::default(), Time::MIN);
        for header in headers {
            self.add_aggregates(&header.aggregates);
            sums.merge(&header.aggregates.kpis);
            journal_time = journal_time.max(header.journal_time);
        }
        if journal_time != Time::MIN {
            self.kpis = named(&Kpis::of(&sums, journal_time.day(), settings));
        }
    }

    /// Adds counts of outputs.
    pub fn add_signals(&mut self, counts: &SignalCounts) {
        for ((rule, transition), count) in counts {
            *self.signals.entry(rule.clone()).or_default().entry((*transition).to_owned()).or_default() += count;
        }
    }

    /// Lines rejected, over all reasons.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Sets wall time, rate and peak memory.
    pub fn measure(&mut self, wall: std::time::Duration) {
        self.wall_seconds = wall.as_secs_f64();
        self.events_per_second = if self.wall_seconds > 0.0 { self.events as f64 / self.wall_seconds } else { 0.0 };
        self.peak_memory_bytes = peak_memory_bytes();
    }
}

/// Peak resident memory as Linux tells it (`VmHWM`); 0 elsewhere.
fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
