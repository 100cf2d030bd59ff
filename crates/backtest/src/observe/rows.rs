//! What the features of customers were at evenly spaced dates.

use bellwether_engine::expression::ValueType;
use bellwether_engine::feature::{Feature, FeatureInfo};
use bellwether_engine::time::Time;
use bellwether_engine::view::View;

/// Rows of a partition that are remembered; later ones are left out and counted. A row takes some 400 bytes.
pub const MAX_ROWS_OF_PARTITION: usize = 500_000;

/// The features of one customer at one date.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureRow {
    /// The date, a whole number of intervals after the epoch.
    pub at: Time,
    /// One bit for each feature that is known.
    known: u128,
    /// The values of those, in the order of the table.
    values: Box<[f64]>,
}

/// The built-in features of the customer as a whole, in the order of the table: the columns of a row.
pub fn row_features() -> impl Iterator<Item = &'static FeatureInfo> {
    // What a feature of an object is, its line says first: `[ticket] ...`.
    Feature::ALL.iter().filter(|row| !row.doc.starts_with('['))
}

/// Whether a feature is a number, or a boolean as 0 or 1; a label is its place in its list, which is no quantity.
#[must_use]
pub fn is_quantity(row: &FeatureInfo) -> bool {
    matches!(row.value_type, ValueType::Number | ValueType::Boolean)
}

impl FeatureRow {
    /// The features that are seen at an instant.
    #[must_use]
    pub fn of(view: &View<'_>, at: Time) -> Self {
        Self::new(at, row_features().map(|row| (row.feature, view.value(row.feature as u16))))
    }

    /// Features with their values, in the order of the table; what is not a number is not known.
    pub fn new(at: Time, features: impl IntoIterator<Item = (Feature, f64)>) -> Self {
        let mut known = 0;
        let mut values = Vec::new();
        for (feature, value) in features.into_iter().filter(|(_, value)| !value.is_nan()) {
            known |= 1_u128 << feature as u16;
            values.push(value);
        }
        Self { at, known, values: values.into() }
    }

    /// The value of a feature, if it is known.
    #[must_use]
    pub fn value(&self, feature: Feature) -> Option<f64> {
        let bit = 1_u128 << feature as u16;
        let before = (self.known & (bit - 1)).count_ones();
        if self.known & bit == 0 { None } else { self.values.get(before as usize).copied() }
    }
}
