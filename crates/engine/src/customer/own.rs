//! What a customer's state keeps for the own features of the rule set.

use super::last_word::{LastWord, Stamp};
use super::name_hash;
use super::packed::{Packed, PackedReader, PackedWriter};
use crate::event::Event;
use crate::event_field::{FieldValue, value};
use crate::own_feature::{Gather, MAX_DISTINCT_VALUES, MAX_OWN_FEATURES, MAX_OWN_WINDOW_DAYS, OwnFeature, OwnFeatures};
use crate::time::Day;

/// Sums are kept in thousandths, so that they do not depend on the order in which events come.
const THOUSANDTHS: f64 = 1_000.0;

/// What is known for each own feature, in the order of the rule set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Own(Vec<Tally>);

/// What is known for one of them.
#[derive(Clone, Debug, PartialEq)]
struct Tally {
    definition: u32,
    /// The last day that it does not know in full, as its feature was defined then; the first of all days for none.
    unknown_until: Day,
    gathered: Gathered,
}

#[derive(Clone, Debug, PartialEq)]
enum Gathered {
    /// Sums by day, ascending.
    Days(Vec<(Day, i64)>),
    /// Hashes of values with the latest day of each, and the last day on which one found no room.
    Values(Vec<(u32, Day)>, Day),
    /// The latest number.
    Last(LastWord<f64>),
}

impl Own {
    /// A customer that is new knows everything from its first event on.
    pub(crate) fn of_new_customer(features: &OwnFeatures) -> Self {
        Self(features.definitions().iter().map(|(definition, feature)| Tally::new(*definition, feature, Day(0))).collect())
    }

    /// Takes over the features of another rule set: what is defined as before is kept, what is new starts absent, the rest goes.
    pub(crate) fn adopt(&mut self, features: &OwnFeatures, today: Day) {
        let mut before = std::mem::take(&mut self.0);
        let tally = |(definition, feature): &(u32, OwnFeature)| {
            let known = before.iter().position(|tally| tally.definition == *definition);
            known.map_or_else(|| Tally::new(*definition, feature, today), |index| before.swap_remove(index))
        };
        self.0 = features.definitions().iter().map(tally).collect();
    }

    /// Counts an event. Returns the places of the features that may have changed, one bit each.
    pub(crate) fn fold(&mut self, features: &OwnFeatures, event: &Event<'_>, stamp: Stamp, today: Day) -> u16 {
        let kind = event.event_type();
        let mut changed = 0;
        for (place, (tally, (definition, feature))) in self.0.iter_mut().zip(features.definitions()).enumerate() {
            if feature.event == kind && tally.definition == *definition && feature.takes(event) && tally.add(feature, event, stamp, today) {
                changed |= 1 << place;
            }
        }
        changed
    }

    /// How many days and values are kept.
    pub(super) fn entries(&self) -> usize {
        self.0.iter().map(Tally::entries).sum()
    }

    /// Lets go of what is known for the feature that takes the most room, as of today. Returns its place, if any takes room.
    pub(super) fn shed(&mut self, features: &OwnFeatures, today: Day) -> Option<usize> {
        let (place, tally) =
            self.0.iter_mut().enumerate().max_by_key(|(_, tally)| tally.entries()).filter(|(_, tally)| tally.entries() > 0)?;
        let (_, feature) = features.definitions().get(place)?;
        *tally = Tally::new(tally.definition, feature, today);
        Some(place)
    }

    /// The value of the feature at a place.
    pub(crate) fn value(&self, place: usize, feature: &OwnFeature, today: Day) -> Option<f64> {
        let tally = self.0.get(place).filter(|tally| tally.gathered.is_for(&feature.gather))?;
        let window = i64::from(feature.window_days);
        let age = |day: Day| i64::from(today.0) - i64::from(day.0);
        let is_known = |last_unknown: Day| last_unknown == Day(0) || age(last_unknown) >= window;
        match &tally.gathered {
            Gathered::Last(number) => {
                let day = number.time()?.day();
                number.get().copied().filter(|_| age(day) < window)
            }
            _ if !is_known(tally.unknown_until) => None,
            Gathered::Days(days) => {
                let sum = days.iter().filter(|(day, _)| age(*day) < window).fold(0_i64, |sum, (_, of_day)| sum.saturating_add(*of_day));
                Some(if feature.gather == Gather::Count { sum as f64 } else { sum as f64 / THOUSANDTHS })
            }
            Gathered::Values(values, overflow) => {
                is_known(*overflow).then(|| values.iter().filter(|(_, day)| age(*day) < window).count() as f64)
            }
        }
    }
}

impl Gathered {
    fn is_for(&self, gather: &Gather) -> bool {
        match self {
            Self::Days(_) => matches!(gather, Gather::Count | Gather::Sum(_)),
            Self::Values(..) => matches!(gather, Gather::Distinct(_)),
            Self::Last(_) => matches!(gather, Gather::Last(_)),
        }
    }
}

impl Tally {
    fn new(definition: u32, feature: &OwnFeature, unknown_until: Day) -> Self {
        let gathered = match feature.gather {
            Gather::Count | Gather::Sum(_) => Gathered::Days(Vec::new()),
            Gather::Distinct(_) => Gathered::Values(Vec::new(), Day(0)),
            Gather::Last(_) => Gathered::Last(LastWord::default()),
        };
        Self { definition, unknown_until, gathered }
    }

    fn entries(&self) -> usize {
        match &self.gathered {
            Gathered::Days(days) => days.len(),
            Gathered::Values(values, _) => values.len(),
            Gathered::Last(_) => 0,
        }
    }

    fn add(&mut self, feature: &OwnFeature, event: &Event<'_>, stamp: Stamp, today: Day) -> bool {
        let day = event.time.day();
        let left_window = |day: Day| i64::from(today.0) - i64::from(day.0) >= i64::from(feature.window_days);
        if left_window(day) {
            return false;
        }
        match (&mut self.gathered, &feature.gather) {
            (Gathered::Days(days), Gather::Count) => add_to(days, day, 1, left_window),
            (Gathered::Days(days), Gather::Sum(field)) => {
                let Some(FieldValue::Number(number)) = value(event, field) else { return false };
                add_to(days, day, (number * THOUSANDTHS).round() as i64, left_window);
            }
            (Gathered::Values(values, overflow), Gather::Distinct(field)) => {
                let Some(hash) = value(event, field).map(hash_of) else { return false };
                if let Some((_, latest)) = values.iter_mut().find(|(known, _)| *known == hash) {
                    *latest = (*latest).max(day);
                } else {
                    if values.len() == MAX_DISTINCT_VALUES {
                        values.retain(|(_, day)| !left_window(*day));
                    }
                    if values.len() < MAX_DISTINCT_VALUES {
                        values.push((hash, day));
                    } else {
                        *overflow = (*overflow).max(day);
                    }
                }
            }
            (Gathered::Last(last), Gather::Last(field)) => {
                let Some(FieldValue::Number(number)) = value(event, field) else { return false };
                return last.set(stamp, number);
            }
            _ => return false,
        }
        true
    }
}

fn add_to(days: &mut Vec<(Day, i64)>, day: Day, amount: i64, left_window: impl Fn(Day) -> bool) {
    match days.binary_search_by_key(&day, |(known, _)| *known) {
        Ok(index) => days[index].1 = days[index].1.saturating_add(amount),
        Err(_) => {
            days.retain(|(known, _)| !left_window(*known));
            let index = days.partition_point(|(known, _)| *known < day);
            days.insert(index, (day, amount));
        }
    }
}

fn hash_of(value: FieldValue<'_>) -> u32 {
    match value {
        FieldValue::Text(text) => name_hash(text),
        FieldValue::User(user) => (user.0 ^ user.0 >> 32) as u32,
        FieldValue::Number(number) => name_hash(&number.to_string()),
        FieldValue::Flag(flag) => u32::from(flag),
    }
}

impl Packed for Own {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_list(&self.0);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let tallies = reader.take_list(Tally::unpack)?;
        (tallies.len() <= MAX_OWN_FEATURES).then_some(Self(tallies))
    }
}

impl Packed for Tally {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.bytes.extend_from_slice(&self.definition.to_le_bytes());
        writer.put_day(self.unknown_until);
        match &self.gathered {
            Gathered::Days(days) => {
                writer.bytes.push(0);
                writer.put(days.len() as u64);
                for (day, sum) in days {
                    writer.put_day(*day);
                    writer.put_signed(*sum);
                }
            }
            Gathered::Values(values, overflow) => {
                writer.bytes.push(1);
                writer.put(values.len() as u64);
                for (hash, day) in values {
                    writer.bytes.extend_from_slice(&hash.to_le_bytes());
                    writer.put_day(*day);
                }
                writer.put_day(*overflow);
            }
            Gathered::Last(number) => {
                writer.bytes.push(2);
                writer.put_word(number, |writer, number| writer.put_float(*number));
            }
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let definition = u32::from_le_bytes(reader.take_array()?);
        let unknown_until = reader.take_day()?;
        let gathered = match reader.take_byte()? {
            0 => {
                let days = reader.take_list(|reader| Some((reader.take_day()?, reader.take_signed()?)))?;
                let ahead = 2;
                let sorted = days.is_sorted_by(|one, next| one.0 < next.0) && days.len() <= usize::from(MAX_OWN_WINDOW_DAYS) + ahead;
                Gathered::Days(Some(days).filter(|_| sorted)?)
            }
            1 => Gathered::Values(
                reader.take_list(|reader| Some((u32::from_le_bytes(reader.take_array()?), reader.take_day()?)))?,
                reader.take_day()?,
            ),
            2 => Gathered::Last(reader.take_word(PackedReader::take_float)?),
            _ => return None,
        };
        Some(Self { definition, unknown_until, gathered })
    }
}
