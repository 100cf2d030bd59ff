//! The way through the journey: since when a customer is in its stage, how long it was in others, and the sums of that over customers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::customer::{Packed, PackedReader, PackedWriter, name_hash};
use crate::feature::QUADRANTS;
use crate::time::{SECOND_MS, Time};

/// The most stages that a journey may have.
pub const MAX_STAGES: usize = 12;

/// The short hash by which states know the name of a stage; the names of one journey differ in it.
#[must_use]
pub fn stage_hash(name: &str) -> u16 {
    name_hash(name) as u16
}

/// A customer's way through the stages. The stage itself stands in its health.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journey {
    /// Hash of the name of its stage: a stage that moves within the settings is still the same.
    name: u16,
    /// When it came into its stage; none where the settings have no stages.
    entered: Option<Time>,
    stays: Vec<Stay>,
}

/// The times a customer was in a stage that it has left again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stay {
    /// [`stage_hash`] of the name of the stage.
    pub stage: u16,
    /// How often it was left.
    pub times: u32,
    /// How long the customer was in it, all times together.
    pub seconds: u64,
}

impl Journey {
    /// The customer is in a stage as of `now`.
    pub(crate) fn enter(&mut self, stage: u16, now: Time) {
        let Some(entered) = self.entered else {
            (self.name, self.entered) = (stage, Some(now));
            return;
        };
        if stage == self.name {
            return;
        }
        let seconds = u64::try_from(now.since_ms(entered) / SECOND_MS).unwrap_or(0);
        let left = self.name;
        (self.name, self.entered) = (stage, Some(now));
        let index = self.stays.iter().position(|stay| stay.stage == left).unwrap_or_else(|| {
            // Stages of former settings give way, the shortest first.
            if self.stays.len() == MAX_STAGES {
                let shortest = self.stays.iter().enumerate().min_by_key(|(_, stay)| stay.seconds).map_or(0, |(index, _)| index);
                self.stays.remove(shortest);
            }
            self.stays.push(Stay { stage: left, ..Stay::default() });
            self.stays.len() - 1
        });
        let stay = &mut self.stays[index];
        stay.times = stay.times.saturating_add(1);
        stay.seconds = stay.seconds.saturating_add(seconds);
    }

    /// When the customer came into its stage.
    #[must_use]
    pub fn entered(&self) -> Option<Time> {
        self.entered
    }

    /// The stages that the customer has left, in the order in which it first left them.
    #[must_use]
    pub fn stays(&self) -> &[Stay] {
        &self.stays
    }
}

impl Packed for Journey {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_optional_time(self.entered);
        if self.entered.is_none() {
            return;
        }
        writer.bytes.extend_from_slice(&self.name.to_le_bytes());
        writer.put_list(&self.stays);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let entered = reader.take_optional_time()?;
        if entered.is_none() {
            return Some(Self::default());
        }
        let name = u16::from_le_bytes(reader.take_array()?);
        let stays: Vec<Stay> = reader.take_list(Packed::unpack)?;
        (stays.len() <= MAX_STAGES).then_some(Self { name, entered, stays })
    }
}

impl Packed for Stay {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.bytes.extend_from_slice(&self.stage.to_le_bytes());
        writer.put(u64::from(self.times));
        writer.put(self.seconds);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self { stage: u16::from_le_bytes(reader.take_array()?), times: reader.take_u32()?, seconds: reader.take()? })
    }
}

/// What one customer adds to [`JourneySums`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JourneyPart {
    /// An index into [`QUADRANTS`].
    pub quadrant: Option<u8>,
    /// When it came into its stage: as long as this is the same, so are its stays.
    pub entered: Option<Time>,
    /// The stages that it has left.
    pub stays: Vec<Stay>,
}

/// Sums over the customers of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JourneySums {
    /// Customers by quadrant, an index into [`QUADRANTS`].
    pub quadrants: [i64; QUADRANTS.len()],
    /// How often stages were left and how many seconds customers had been in them, by [`stage_hash`].
    pub stays: BTreeMap<u16, (i64, i64)>,
}

impl JourneySums {
    /// Adds those of another partition.
    pub fn merge(&mut self, other: &Self) {
        self.quadrants.iter_mut().zip(other.quadrants).for_each(|(sum, count)| *sum += count);
        for (stage, (times, seconds)) in &other.stays {
            let sum = self.stays.entry(*stage).or_default();
            *sum = (sum.0 + times, sum.1.saturating_add(*seconds));
        }
    }

    /// Adds the part of a customer, or takes it away where `sign` is -1.
    pub(crate) fn add(&mut self, part: &JourneyPart, sign: i64) {
        if let Some(count) = part.quadrant.and_then(|quadrant| self.quadrants.get_mut(usize::from(quadrant))) {
            *count += sign;
        }
        for stay in &part.stays {
            let (times, seconds) = self.stays.entry(stay.stage).or_default();
            *times += sign * i64::from(stay.times);
            *seconds = seconds.saturating_add(sign * i64::try_from(stay.seconds).unwrap_or(i64::MAX));
            if *times == 0 {
                self.stays.remove(&stay.stage);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{DAY_MS, Day};

    fn day(number: i64) -> Time {
        Time(number * DAY_MS)
    }

    #[test]
    fn time_in_stages_adds_up_and_a_return_is_another_time() {
        let mut journey = Journey::default();
        for (stage, at) in [(1, 10), (1, 12), (2, 15), (1, 16), (2, 20)] {
            journey.enter(stage, day(at));
        }
        assert_eq!(journey.entered(), Some(day(20)));
        let seconds = |days: u64| days * 86_400;
        let stays = [Stay { stage: 1, times: 2, seconds: seconds(9) }, Stay { stage: 2, times: 1, seconds: seconds(1) }];
        assert_eq!(journey.stays(), stays);
    }

    #[test]
    fn stages_of_former_settings_give_way() {
        let mut journey = Journey::default();
        (0..40).for_each(|stage| journey.enter(stage, day(i64::from(stage) * i64::from(stage))));
        assert_eq!(journey.stays().len(), MAX_STAGES);
        assert!(journey.stays().iter().any(|stay| stay.stage == 38) && !journey.stays().iter().any(|stay| stay.stage == 3));
    }

    #[test]
    fn it_is_kept_exactly() {
        let mut journey = Journey::default();
        (0..9).for_each(|stage| journey.enter(stage % 4, day(i64::from(stage)).plus_ms(1_500)));
        for journey in [Journey::default(), journey] {
            let mut writer = PackedWriter::new();
            writer.put_base(Day(9));
            journey.pack(&mut writer);
            let mut reader = PackedReader::new(&writer.bytes);
            reader.take_base();
            assert_eq!(Journey::unpack(&mut reader), Some(journey));
            assert!(reader.bytes.is_empty());
        }
    }

    #[test]
    fn sums_go_back_to_nothing() {
        let mut sums = JourneySums::default();
        let stays = vec![Stay { stage: 1, times: 2, seconds: 90 }];
        let part = JourneyPart { quadrant: Some(3), entered: None, stays };
        sums.add(&part, 1);
        assert_eq!((sums.quadrants, sums.stays.get(&1)), ([0, 0, 0, 1], Some(&(2, 90))));
        sums.add(&part, -1);
        assert_eq!(sums, JourneySums::default());
    }
}
