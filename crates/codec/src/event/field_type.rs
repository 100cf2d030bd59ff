//! What the data fields of all event types hold, for tables, in which each field is a column.

use bellwether_engine::event_type::EventType;

use super::families;
use super::names::Field;

/// How many names there are, those of attributes too: a bound for tables by field.
pub(crate) const DATA_FIELDS: usize = Field::Useful as usize + 1;

/// What a field holds. A name means the same in every event type that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldType {
    Text,
    Integer,
    Number,
    Boolean,
    Time,
}

impl Field {
    /// What it holds.
    pub(crate) fn field_type(self) -> FieldType {
        match self {
            Field::Count | Field::Seats | Field::MrrMinor | Field::AmountMinor | Field::Attempt => FieldType::Integer,
            Field::Value | Field::Used | Field::Limit | Field::Score | Field::ScaleMin | Field::ScaleMax | Field::Target => {
                FieldType::Number
            }
            Field::Ok | Field::Trial | Field::Final | Field::Marketing | Field::Useful => FieldType::Boolean,
            Field::Time | Field::Effective | Field::PeriodEnd | Field::Due | Field::Expires | Field::Until => FieldType::Time,
            _ => FieldType::Text,
        }
    }
}

/// The data fields of an event type, in the order of their slots.
pub(crate) fn data_fields(kind: EventType) -> &'static [Field] {
    families::field_names(kind)
}
