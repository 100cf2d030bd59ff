//! Histograms that are set as a whole from sums that the fold keeps, where the usual ones observe one value after the other.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::Opts;
use prometheus::core::{Collector, Desc, Describer};
use prometheus::proto::{Bucket, Histogram, LabelPair, Metric, MetricFamily, MetricType};

/// A family of histograms with one label. Their counts may also fall, as those of gauges: what they count may be corrected.
#[derive(Clone)]
pub struct SetHistograms {
    desc: Desc,
    label: String,
    by_label: Arc<Mutex<BTreeMap<String, SetHistogram>>>,
}

/// One histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SetHistogram {
    /// Upper bounds, rising, each with how many values are at most that.
    pub buckets: Vec<(f64, u64)>,
    /// How many values there are.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
}

impl SetHistograms {
    /// A family without any histogram.
    ///
    /// # Errors
    ///
    /// When a name is not valid.
    pub fn new(name: &str, help: &str, label: &str) -> prometheus::Result<Self> {
        let desc = Opts::new(name, help).variable_label(label).describe()?;
        Ok(Self { desc, label: label.to_owned(), by_label: Arc::default() })
    }

    /// The histogram of a label is this one from now on.
    pub fn set(&self, label: &str, histogram: SetHistogram) {
        self.by_label.lock().unwrap_or_else(PoisonError::into_inner).insert(label.to_owned(), histogram);
    }

    fn metric(&self, label: &str, histogram: &SetHistogram) -> Metric {
        let mut pair = LabelPair::default();
        pair.set_name(self.label.clone());
        pair.set_value(label.to_owned());
        let buckets = histogram.buckets.iter().map(|(upper_bound, count)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*upper_bound);
            bucket.set_cumulative_count(*count);
            bucket
        });
        let mut told = Histogram::default();
        told.set_bucket(buckets.collect());
        told.set_sample_count(histogram.count);
        told.set_sample_sum(histogram.sum);
        let mut metric = Metric::from_label(vec![pair]);
        metric.set_histogram(told);
        metric
    }
}

impl Collector for SetHistograms {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let by_label = self.by_label.lock().unwrap_or_else(PoisonError::into_inner);
        let mut family = MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(MetricType::HISTOGRAM);
        family.set_metric(by_label.iter().map(|(label, histogram)| self.metric(label, histogram)).collect());
        vec![family]
    }
}

#[cfg(test)]
mod tests {
    use prometheus::{Registry, TextEncoder};

    use super::*;

    #[test]
    fn a_histogram_is_what_was_set_last() {
        let registry = Registry::new();
        let histograms = SetHistograms::new("stay_seconds", "Stays.", "stage").unwrap();
        registry.register(Box::new(histograms.clone())).unwrap();
        for (within, count) in [(5, 9), (1, 2)] {
            histograms.set("trial", SetHistogram { buckets: vec![(60.0, within)], count, sum: 90.0 });
        }
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        let expected = "# HELP stay_seconds Stays.\n# TYPE stay_seconds histogram\n\
            stay_seconds_bucket{stage=\"trial\",le=\"60\"} 1\nstay_seconds_bucket{stage=\"trial\",le=\"+Inf\"} 2\n\
            stay_seconds_sum{stage=\"trial\"} 90\nstay_seconds_count{stage=\"trial\"} 2\n";
        assert_eq!(text, expected);
    }
}
