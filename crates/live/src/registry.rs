//! The registry of metrics that also knows those which have no series yet, so that their reference page is complete.

use std::sync::{Mutex, PoisonError};

use prometheus::core::Collector;
use prometheus::proto::{MetricFamily, MetricType};

/// A registry that can be described.
#[derive(Default)]
pub struct Registry {
    registry: prometheus::Registry,
    described: Mutex<Vec<Described>>,
}

/// What is known of a metric before it has any series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its name, with the unit last, and `_total` if it is a counter.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Its help text.
    pub help: String,
}

impl Registry {
    /// Without any metric.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a metric.
    ///
    /// # Errors
    ///
    /// When there is another metric of that name.
    pub fn register(&self, collector: Box<dyn Collector>) -> prometheus::Result<()> {
        let kind = collector.collect().first().map_or("untyped", |family| kind(family.get_field_type()));
        let described = collector.desc().into_iter().map(|desc| Described {
            name: desc.fq_name.clone(),
            kind,
            labels: desc.variable_labels.clone(),
            help: desc.help.clone(),
        });
        let described: Vec<Described> = described.collect();
        self.registry.register(collector)?;
        self.described.lock().unwrap_or_else(PoisonError::into_inner).extend(described);
        Ok(())
    }

    /// The metrics that have series, with their values.
    #[must_use]
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    /// All metrics, by name.
    #[must_use]
    pub fn described(&self) -> Vec<Described> {
        let mut described = self.described.lock().unwrap_or_else(PoisonError::into_inner).clone();
        described.sort_by(|one, other| one.name.cmp(&other.name));
        described
    }
}

fn kind(kind: MetricType) -> &'static str {
    match kind {
        MetricType::COUNTER => "counter",
        MetricType::GAUGE => "gauge",
        MetricType::HISTOGRAM => "histogram",
        MetricType::SUMMARY => "summary",
        MetricType::UNTYPED => "untyped",
    }
}
