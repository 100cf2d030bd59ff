//! Times to the first answer of tickets as a histogram, by the month in which the tickets were opened.

use bellwether_engine::kpi::MonthSums;
use prometheus::Result;

use crate::registry::Registry;
use crate::set_histograms::{SetHistogram, SetHistograms};

const HOUR_SECONDS: f64 = 3_600.0;

/// Upper bounds of the buckets, hours; the sums know no time above the last.
const BUCKETS_HOURS: [u16; 13] = [1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336, 720];

/// Histograms that are set when they are asked for.
pub(crate) struct ResponseMetrics(SetHistograms);

impl ResponseMetrics {
    /// Registers the metric.
    pub fn register(registry: &Registry) -> Result<Self> {
        let help = "Time from the opening of a ticket to its first answer, whole hours, by month of the opening. Tickets without an answer count, and are in the last bucket alone.";
        let histograms = SetHistograms::new("bellwether_kpi_first_response_seconds", help, "month")?;
        registry.register(Box::new(histograms.clone()))?;
        Ok(Self(histograms))
    }

    /// The tickets of a month, if there are any.
    pub fn set(&self, month: &str, sums: Option<&MonthSums>) {
        let histogram = sums.map_or_else(SetHistogram::default, histogram);
        self.0.set(month, histogram);
    }
}

fn histogram(sums: &MonthSums) -> SetHistogram {
    let whole = |count: i64| u64::try_from(count).unwrap_or_default();
    let hours = &sums.first_response_hours;
    // What took three whole hours took less than four.
    let within = |bound: u16| whole(hours.range(..bound).map(|(_, count)| count).sum());
    let answered: i64 = hours.values().sum();
    SetHistogram {
        buckets: BUCKETS_HOURS.iter().map(|bound| (f64::from(*bound) * HOUR_SECONDS, within(*bound))).collect(),
        count: whole(answered.max(sums.tickets.values().sum())),
        sum: hours.iter().map(|(hours, count)| f64::from(*hours) * HOUR_SECONDS * *count as f64).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_has_what_took_less_and_the_last_has_what_waits() {
        let mut sums = MonthSums::default();
        sums.tickets.insert("email".into(), 5);
        sums.first_response_hours.extend([(0, 1), (1, 1), (3, 1), (720, 1)]);
        let SetHistogram { buckets, count, sum } = histogram(&sums);
        let counts: Vec<u64> = buckets.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!((buckets[0].0, count, sum), (HOUR_SECONDS, 5, 724.0 * HOUR_SECONDS));
    }
}
