//! Outputs of a partition rendered to the bytes that leave the process, and counted.

use std::collections::BTreeMap;

use bellwether_engine::kpi::KpiDay;
use bellwether_engine::outcome::OUTCOME_REASON;
use bellwether_engine::signal::Output;

use crate::signal::write_output;

/// Counts of outputs by (rule, transition name); decisions under `decided`, and outcomes that end nothing under `outcome`.
pub type SignalCounts = BTreeMap<(String, &'static str), u64>;

/// Counts an output.
pub fn count(output: &Output, counts: &mut SignalCounts) {
    let (signal, transition) = match output {
        Output::Signal(signal) => (signal, signal.transition.name()),
        Output::Decision(signal, reason) if **reason == *OUTCOME_REASON => (signal, "outcome"),
        Output::Decision(signal, _) => (signal, "decided"),
        Output::Kpis(_) => return,
    };
    *counts.entry((signal.rule.name.clone(), transition)).or_default() += 1;
}

/// Lines ready to be appended, in order.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// Lines of the signals file.
    pub signals: Vec<u8>,
    /// Lines of the decisions file.
    pub decisions: Vec<u8>,
    /// What they are.
    pub counts: SignalCounts,
    /// Days that ended.
    pub kpis: Vec<KpiDay>,
}

impl Rendered {
    /// Renders outputs behind what is here already, leaving `outputs` empty.
    pub fn take(&mut self, outputs: &mut Vec<Output>) {
        for output in outputs.drain(..) {
            count(&output, &mut self.counts);
            let lines = match &output {
                Output::Signal(_) => &mut self.signals,
                Output::Decision(..) => &mut self.decisions,
                Output::Kpis(ended) => {
                    self.kpis.push((**ended).clone());
                    continue;
                }
            };
            // Writing to a vector cannot fail, and every value of a signal is representable in JSON.
            write_output(&output, lines).expect("a signal renders to memory");
        }
    }

    /// Appends another piece.
    pub fn append(&mut self, mut other: Rendered) {
        self.signals.append(&mut other.signals);
        self.decisions.append(&mut other.decisions);
        self.kpis.append(&mut other.kpis);
        for (key, count) in other.counts {
            *self.counts.entry(key).or_default() += count;
        }
    }
}
