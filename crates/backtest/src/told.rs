//! What shards have put out, and writing it in their order.

use std::collections::BTreeMap;

use bellwether_codec::kpi_days::KpiDays;
use bellwether_codec::rendered::Rendered;
use bellwether_codec::summary::Summary;
use bellwether_engine::time::Time;

use crate::replay::Sink;

/// What a shard has put out up to some record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub rendered: Rendered,
    /// When its present UTC day ends: the sums of the days before are among what is rendered.
    pub day_end: Time,
}

/// Writes what the shards have put out, and counts it.
pub(crate) struct Writer<'s, K> {
    pub sink: &'s mut K,
    signals: Summary,
    days: KpiDays,
}

impl<'s, K: Sink> Writer<'s, K> {
    pub fn new(sink: &'s mut K) -> Self {
        Self { sink, signals: Summary::default(), days: KpiDays::default() }
    }

    /// Writes what each shard has put out, in their order.
    pub fn write(&mut self, told: Vec<Told>) -> std::io::Result<()> {
        let day_ends: Vec<Time> = told.iter().map(|told| told.day_end).collect();
        for Told { mut rendered, .. } in told {
            self.signals.add_signals(&rendered.counts);
            // Putting days together costs a tenth of a replay, which most do not ask for.
            if self.sink.wants_kpis() {
                self.days.add(rendered.kpis.drain(..));
            }
            self.sink.append(&rendered)?;
        }
        let mut lines = Vec::new();
        self.days.write_ended(day_ends.into_iter(), &mut lines);
        if lines.is_empty() { Ok(()) } else { self.sink.append_kpis(&lines) }
    }

    /// Counts of all that was written, by rule and transition.
    pub fn signals(self) -> BTreeMap<String, BTreeMap<String, u64>> {
        self.signals.signals
    }
}
