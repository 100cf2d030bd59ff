//! Features that a rule file defines: what they gather from the events of one type, over a window of days.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::event::Event;
use crate::event_field::{FieldValue, value};
use crate::event_type::{EventType, EventTypes};
use crate::expression::{Symbol, ValueType};

/// The most own features of a rule set: what the built-in ones leave free of a set of 128, with some room for more of those.
pub const MAX_OWN_FEATURES: usize = 12;

/// The number of the first own feature; built-in ones are below.
pub const FIRST_OWN_FEATURE: u16 = 128 - MAX_OWN_FEATURES as u16;

/// The longest window of an own feature, in UTC days.
pub const MAX_OWN_WINDOW_DAYS: u8 = 112;

/// The most values that a `distinct` feature knows of a customer; with more in its window it is absent.
pub const MAX_DISTINCT_VALUES: usize = 64;

const _: () = assert!(crate::feature::Feature::ALL.len() <= FIRST_OWN_FEATURE as usize, "built-in and own features are apart");

/// A feature of a rule file.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnFeature {
    /// Its name in rules.
    pub name: Arc<str>,
    /// The events that it is made from.
    pub event: EventType,
    /// What an event must have to count; all of it.
    pub filters: Vec<Filter>,
    /// What is gathered.
    pub gather: Gather,
    /// How many UTC days it looks back, today included; 1 to [`MAX_OWN_WINDOW_DAYS`].
    pub window_days: u8,
    /// What is counted, in a word; it is shown, and decides nothing.
    pub unit: String,
    /// Its meaning; it is shown, and decides nothing.
    pub doc: String,
}

/// What an own feature makes of its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gather {
    /// How many there are.
    Count,
    /// The sum of a number, to the thousandth.
    Sum(String),
    /// How many different values a field has.
    Distinct(String),
    /// The number that the latest event has; absent without one in the window.
    Last(String),
}

/// A condition on a field of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// The field.
    pub field: String,
    /// What it must be. An event without the field does not count.
    pub test: Test,
}

/// What a field must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// One of these texts.
    OneOf(Vec<String>),
    /// A number within these bounds, themselves included.
    Between(f64, f64),
    /// True, or false.
    Is(bool),
}

impl Test {
    fn passes(&self, value: FieldValue<'_>) -> bool {
        match (self, value) {
            (Self::OneOf(texts), FieldValue::Text(text)) => texts.iter().any(|known| known == text),
            (Self::Between(least, most), FieldValue::Number(number)) => (*least..=*most).contains(&number),
            (Self::Is(wanted), FieldValue::Flag(flag)) => *wanted == flag,
            _ => false,
        }
    }
}

impl OwnFeature {
    /// What states know it by: a hash of all that decides what it counts. Its name is not in it, so a renamed feature keeps what it knows.
    #[must_use]
    pub fn definition(&self) -> u32 {
        let text = format!("{:?} {:?} {:?} {}", self.event, self.filters, self.gather, self.window_days);
        xxh3_64(text.as_bytes()) as u32
    }

    /// Whether an event counts.
    pub(crate) fn takes(&self, event: &Event<'_>) -> bool {
        self.filters.iter().all(|filter| value(event, &filter.field).is_some_and(|value| filter.test.passes(value)))
    }
}

/// The own features of a rule set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnFeatures {
    features: Vec<(u32, OwnFeature)>,
    /// The types of events that any of them is made from.
    pub(crate) events: EventTypes,
}

impl OwnFeatures {
    /// At most [`MAX_OWN_FEATURES`], with different definitions.
    #[must_use]
    pub fn new(features: Vec<OwnFeature>) -> Self {
        let mut events = EventTypes::default();
        features.iter().for_each(|feature| events.insert(feature.event));
        Self { features: features.into_iter().take(MAX_OWN_FEATURES).map(|feature| (feature.definition(), feature)).collect(), events }
    }

    /// All of them; the number of each is [`FIRST_OWN_FEATURE`] and its place.
    pub fn iter(&self) -> impl Iterator<Item = &OwnFeature> {
        self.features.iter().map(|(_, feature)| feature)
    }

    /// With the definitions by which states know them.
    pub(crate) fn definitions(&self) -> &[(u32, OwnFeature)] {
        &self.features
    }

    /// One by its number.
    #[must_use]
    pub fn get(&self, number: u16) -> Option<&OwnFeature> {
        self.features.get(usize::from(number.checked_sub(FIRST_OWN_FEATURE)?)).map(|(_, feature)| feature)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// Their symbols, for compiling expressions.
    #[must_use]
    pub fn symbols(&self) -> Vec<Symbol> {
        let symbol = |(number, feature): (u16, &OwnFeature)| Symbol {
            name: feature.name.to_string().into(),
            feature: number,
            value_type: ValueType::Number,
            clock: false,
            labels: None,
            family: Some(feature.event.family()),
        };
        (FIRST_OWN_FEATURE..).zip(self.iter()).map(symbol).collect()
    }
}
