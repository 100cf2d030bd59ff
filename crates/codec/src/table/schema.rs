//! The columns of a table of events.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Schema, TimeUnit};
use bellwether_engine::event_type::EventType;

use crate::event::{DATA_FIELDS, Field, FieldType, data_fields};

/// Which customer: the `subject` of the event.
pub(super) const CUSTOMER: &str = "customer";
/// When it happened.
pub(super) const TIME: &str = "time";
/// What happened.
pub(super) const TYPE: &str = "type";
/// The watermark at the event.
pub(super) const JOURNAL_TIME: &str = "journal_time";
/// With `id`, the identity of the event.
pub(super) const SOURCE: &str = "source";
/// With `source`, the identity of the event.
pub(super) const ID: &str = "id";

/// The columns that every table of events must have.
pub(super) const REQUIRED: [&str; 5] = [CUSTOMER, TIME, TYPE, SOURCE, ID];

/// The key of what a file says about itself: by it we know our own, in which users are tokens and `journal_time` holds.
pub(super) const OWN_KEY: &str = "bellwether.events";
/// The version of the columns.
pub(super) const OWN_VERSION: &str = "1";

/// The columns before those of data fields.
pub(super) const ATTRIBUTES: usize = 6;

/// Every data field that some event type has, in the order of the types.
pub(super) fn fields() -> Vec<Field> {
    let mut seen = [false; DATA_FIELDS];
    let all = EventType::ALL.iter().flat_map(|(kind, ..)| data_fields(*kind));
    all.copied().filter(|field| !std::mem::replace(&mut seen[*field as usize], true)).collect()
}

/// The schema of the tables that we write.
pub(super) fn schema() -> Arc<Schema> {
    let mut columns = vec![
        ArrowField::new(CUSTOMER, DataType::Utf8, false),
        ArrowField::new(TIME, data_type(FieldType::Time), false),
        ArrowField::new(TYPE, DataType::Utf8, false),
        ArrowField::new(JOURNAL_TIME, data_type(FieldType::Time), false),
        ArrowField::new(SOURCE, DataType::Utf8, false),
        ArrowField::new(ID, DataType::Utf8, false),
    ];
    assert_eq!(columns.len(), ATTRIBUTES, "attributes come first");
    columns.extend(fields().into_iter().map(|field| ArrowField::new(field.text(), data_type(field.field_type()), true)));
    Arc::new(Schema::new(columns))
}

fn data_type(field: FieldType) -> DataType {
    match field {
        FieldType::Text => DataType::Utf8,
        FieldType::Integer => DataType::Int64,
        FieldType::Number => DataType::Float64,
        FieldType::Boolean => DataType::Boolean,
        FieldType::Time => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
    }
}
