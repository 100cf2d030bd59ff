//! Some rows of a table, and reading an event from one of them: values go from their columns to the fields of the event's type.

use arrow_array::RecordBatch;
use bellwether_engine::event::{CustomerKey, Event};
use bellwether_engine::event_type::EventType;
use bellwether_engine::time::Time;

use super::columns::Column;
use super::schema::{CUSTOMER, ID, JOURNAL_TIME, SOURCE, TIME, TYPE};
use crate::event::{Attribute, DATA_FIELDS, Decoder, Row, Scalar, data_fields};
use crate::intake::{DecodedEvent, DecodedLine};

/// Rows that were read together.
pub(super) struct Batch {
    pub(super) rows: usize,
    customer: Column,
    time: Column,
    kind: Column,
    source: Column,
    id: Column,
    /// In our own tables, the watermark at each row.
    journal_time: Option<Column>,
    /// The data fields that are there.
    fields: Vec<Column>,
    /// For each event type the slots of its fields, and where in `fields` they are.
    slots: Vec<Vec<(usize, usize)>>,
    /// Whether we wrote it: then users are tokens.
    is_own: bool,
}

impl Batch {
    /// Takes the columns of a batch, of which the file was found readable.
    pub(super) fn new(batch: &RecordBatch, is_own: bool) -> Self {
        let column = |name: &str| batch.column_by_name(name).and_then(Column::of);
        let attribute = |name: &str| column(name).unwrap_or(Column::Nothing);
        let mut fields = Vec::new();
        let mut place_of = [None; DATA_FIELDS];
        for field in super::schema::fields() {
            if let Some(column) = column(field.text()) {
                place_of[field as usize] = Some(fields.len());
                fields.push(column);
            }
        }
        let slots_of = |kind: EventType| {
            let places = data_fields(kind).iter().enumerate();
            places.filter_map(|(slot, field)| Some((slot, place_of[*field as usize]?))).collect()
        };
        Self {
            rows: batch.num_rows(),
            customer: attribute(CUSTOMER),
            time: attribute(TIME),
            kind: attribute(TYPE),
            source: attribute(SOURCE),
            id: attribute(ID),
            journal_time: column(JOURNAL_TIME).filter(|_| is_own),
            fields,
            slots: EventType::ALL.iter().map(|(kind, ..)| slots_of(*kind)).collect(),
            is_own,
        }
    }

    /// When a row takes its place among others: at its watermark, or else at its time.
    pub(super) fn arrival(&self, row: usize) -> Option<Time> {
        match &self.journal_time {
            Some(column) => column.instant(row),
            None => match self.time.scalar(row) {
                Scalar::Instant(time) => Some(time),
                Scalar::Text(text) => crate::timestamp::parse_time(&text).ok(),
                _ => None,
            },
        }
    }

    /// Whether its rows say where the watermark was.
    pub(super) fn has_journal_time(&self) -> bool {
        self.journal_time.is_some()
    }

    /// The event of a row, or why it is none.
    pub(super) fn event<'a>(&'a self, row: usize, decoder: &Decoder, into: &mut Row<'a>) -> DecodedLine<'a> {
        let kind = into.begin(self.kind.scalar(row));
        into.set(Attribute::Id, self.id.scalar(row));
        into.set(Attribute::Source, self.source.scalar(row));
        into.set(Attribute::Subject, self.customer.scalar(row));
        into.set(Attribute::Time, self.time.scalar(row));
        for (slot, place) in kind.into_iter().flat_map(|kind| &self.slots[kind as usize]) {
            into.set_data(*slot, self.fields[*place].scalar(row));
        }
        let hashed = |event: Event<'a>| DecodedEvent { key: CustomerKey::of(&event.customer), identity: event.identity(), event };
        decoder.decode_row(into, self.is_own, hashed)
    }
}
