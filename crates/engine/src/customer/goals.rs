//! What a customer wants to reach with the product: goals by what they are measured by.

use super::last_word::{LastWord, Stamp};
use super::packed::{Packed, PackedReader, PackedWriter};
use crate::time::Time;

/// Goals remembered per customer: the one that was spoken of longest ago makes room.
pub const MAX_GOALS: usize = 4;

/// The goals of a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Goals(Vec<Goal>);

/// The goal of one metric.
#[derive(Clone, Debug, PartialEq)]
struct Goal {
    /// The hash of the metric's name.
    metric: u32,
    target: LastWord<f64>,
    value: LastWord<f64>,
}

impl Goals {
    /// A goal was set, or moved on. A new target begins at nothing, unless a value is told with it.
    pub fn tell(&mut self, stamp: Stamp, metric: u32, target: Option<f64>, value: Option<f64>) {
        let goal = self.of_metric(metric);
        if target.is_some() && goal.target.set_some(stamp, target) && value.is_none() {
            goal.value.set(stamp, 0.0);
        }
        goal.value.set_some(stamp, value);
        if self.0.len() > MAX_GOALS {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, goal)| (goal.told_at(), goal.metric));
            _ = oldest.map(|(index, _)| index).map(|index| self.0.remove(index));
        }
    }

    /// Value over target of the goal that was set last.
    #[must_use]
    pub fn progress(&self) -> Option<f64> {
        let latest = self.0.iter().filter(|goal| goal.target.get().is_some()).max_by_key(|goal| (goal.target.time(), goal.metric))?;
        Some(latest.value.get()? / latest.target.get()?)
    }

    fn of_metric(&mut self, metric: u32) -> &mut Goal {
        let place = self.0.iter().position(|goal| goal.metric == metric);
        let index = place.unwrap_or_else(|| {
            self.0.push(Goal { metric, target: LastWord::default(), value: LastWord::default() });
            self.0.len() - 1
        });
        &mut self.0[index]
    }
}

impl Goal {
    fn told_at(&self) -> Option<Time> {
        self.target.time().max(self.value.time())
    }
}

impl Packed for Goals {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_list(&self.0);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        reader.take_list(Goal::unpack).map(Self)
    }
}

impl Packed for Goal {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.bytes.extend_from_slice(&self.metric.to_le_bytes());
        writer.put_word(&self.target, |writer, target| writer.put_float(*target));
        writer.put_word(&self.value, |writer, value| writer.put_float(*value));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self {
            metric: u32::from_le_bytes(reader.take_array()?),
            target: reader.take_word(PackedReader::take_float)?,
            value: reader.take_word(PackedReader::take_float)?,
        })
    }
}
