//! Which part of a journal topic is read: from and to times of the broker, or offsets.

use std::collections::BTreeMap;
use std::str::FromStr;

use bellwether_kafka::Place;
use clap::Args;

use super::replay_journal::JournalPlace;
use crate::failure::Failure;
use crate::inputs::parse_time_argument;

/// The part of a topic that is read.
#[derive(Args, Clone, Debug, Default)]
pub struct JournalRange {
    /// Read a journal topic from here on: a time, by when records were appended; an offset; or offsets by partition, such as 0:1200,1:900
    #[arg(long, value_name = "TIME|OFFSETS", requires = "journal")]
    journal_from: Option<RangeEnd>,

    /// Read a journal topic up to here, less what stands there
    #[arg(long, value_name = "TIME|OFFSETS", requires = "journal")]
    journal_to: Option<RangeEnd>,
}

/// One end of it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RangeEnd {
    /// The same in every partition.
    Every(Place),
    /// Offsets by partition; others have none.
    Each(BTreeMap<u16, u64>),
}

impl JournalRange {
    /// Where to begin and where to end in a partition.
    pub fn of_partition(&self, number: u16) -> (Option<Place>, Option<Place>) {
        let place = |end: &Option<RangeEnd>| match end {
            None => None,
            Some(RangeEnd::Every(place)) => Some(*place),
            Some(RangeEnd::Each(offsets)) => offsets.get(&number).map(|offset| Place::Offset(*offset)),
        };
        (place(&self.journal_from), place(&self.journal_to))
    }

    /// Whether nothing is cut off.
    pub fn is_whole(&self) -> bool {
        self.journal_from.is_none() && self.journal_to.is_none()
    }

    /// Sees to it that the partitions that are named are there.
    pub fn check_partitions(&self, partitions: u16) -> Result<(), Failure> {
        for (name, end) in [("--journal-from", &self.journal_from), ("--journal-to", &self.journal_to)] {
            let Some(RangeEnd::Each(offsets)) = end else { continue };
            if let Some(number) = offsets.keys().find(|number| **number >= partitions) {
                return Err(Failure::Usage(format!("{name}: there is no partition {number}: the topic has {partitions}, from 0 on")));
            }
        }
        Ok(())
    }

    /// Sees to it that only a topic is cut.
    pub fn check(&self, place: &JournalPlace) -> Result<(), Failure> {
        if self.is_whole() || matches!(place, JournalPlace::Topic(_)) {
            return Ok(());
        }
        Err(Failure::Usage("--journal-from and --journal-to are for a topic: --to takes any log to end at a time".to_owned()))
    }
}

impl FromStr for RangeEnd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(offset) = text.parse() {
            return Ok(Self::Every(Place::Offset(offset)));
        }
        let pair = |pair: &str| {
            let (partition, offset) = pair.split_once(':')?;
            Some((partition.trim().parse().ok()?, offset.trim().parse().ok()?))
        };
        if let Some(pairs) = text.split(',').map(pair).collect::<Option<Vec<(u16, u64)>>>() {
            let mut offsets = BTreeMap::new();
            for (partition, offset) in pairs {
                if offsets.insert(partition, offset).is_some() {
                    return Err(format!("partition {partition} has two offsets"));
                }
            }
            return Ok(Self::Each(offsets));
        }
        let time = parse_time_argument(text).map_err(|error| format!("{error}, an offset, or offsets by partition like 0:1200,1:900"))?;
        Ok(Self::Every(Place::Time(time.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_read_or_explained() {
        let read = |text: &str| text.parse::<RangeEnd>();
        assert_eq!(read("1200"), Ok(RangeEnd::Every(Place::Offset(1200))));
        assert_eq!(read("0:1200, 3:9"), Ok(RangeEnd::Each([(0, 1200), (3, 9)].into())));
        assert_eq!(read("1970-01-02"), Ok(RangeEnd::Every(Place::Time(86_400_000))));
        assert_eq!(read("1970-01-01T00:00:01Z"), Ok(RangeEnd::Every(Place::Time(1_000))));
        for wrong in ["", "x", "0:", "0:1,x", "-1"] {
            assert!(read(wrong).is_err_and(|error| error.contains("offsets by partition")), "{wrong}");
        }
        assert_eq!(read("0:1,0:2"), Err("partition 0 has two offsets".to_owned()));
    }

    #[test]
    fn a_partition_without_an_offset_is_read_whole() {
        let range = JournalRange { journal_from: "1:7".parse().ok(), journal_to: "9".parse().ok() };
        assert_eq!(range.of_partition(0), (None, Some(Place::Offset(9))));
        assert!(range.check_partitions(2).is_ok() && range.check_partitions(1).is_err());
        assert_eq!(range.of_partition(1), (Some(Place::Offset(7)), Some(Place::Offset(9))));
    }
}
