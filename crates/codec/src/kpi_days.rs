//! Days that the partitions of a process have ended one after the other, put together to one record of each.

use std::collections::BTreeMap;

use bellwether_engine::kpi::KpiDay;
use bellwether_engine::time::{Day, Time};
use serde::{Deserialize, Serialize};

use crate::kpi_record::write_line;

/// Days that some partitions have ended, and others may not have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KpiDays(BTreeMap<Day, KpiDay>);

impl KpiDays {
    /// A partition has ended days.
    pub fn add(&mut self, ended: impl IntoIterator<Item = KpiDay>) {
        for ended in ended {
            match self.0.get_mut(&ended.day) {
                Some(known) => known.merge(&ended),
                None => _ = self.0.insert(ended.day, ended),
            }
        }
    }

    /// Writes the records of the days that every partition has ended, in their order.
    /// `day_ends` tells of each partition when its present day ends.
    pub fn write_ended(&mut self, day_ends: impl Iterator<Item = Time>, into: &mut Vec<u8>) {
        let day_end = day_ends.min().unwrap_or(Time::MIN);
        if day_end == Time::MIN {
            return;
        }
        let rest = self.0.split_off(&day_end.day().before());
        for ended in std::mem::replace(&mut self.0, rest).into_values() {
            write_line(&ended, None, into);
        }
    }

    /// Whether no day waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
