//! From one line of JSON to an [`Event`], and back into the normalised form that the journal keeps.
//!
//! Lines of the usual kind are read by `plain`, or by what `shape` knows of the lines before, and all others, the wrong ones among them, by
//! serde_json into the same slots, so that there is one judge of what is JSON.
//!
//! One pass and no intermediate tree: `envelope` reads the attributes and, knowing the type by then, only the data fields of that type
//! (`fields`); `families` makes the body of them by the conversions in `values`, which say precisely what is wrong.

mod depth;
mod encode;
mod envelope;
mod families;
mod field_type;
mod fields;
mod flat;
mod names;
mod parts;
mod plain;
mod quotes;
mod row;
mod scalar;
mod schema;
mod shape;
mod values;
mod words;

pub use depth::MAX_DEPTH;
pub use encode::{encode_event, encode_event_indented};
pub use schema::EventSchema;
pub use values::{REASON_MAX_BYTES, TEXT_MAX_BYTES};

pub(crate) use depth::check as check_depth;
pub(crate) use field_type::{DATA_FIELDS, FieldType, data_fields};
pub(crate) use flat::{Value, flatten};
pub(crate) use names::Field;
pub(crate) use parts::{Attribute, Parts, data_field_names, text_of};
pub(crate) use row::Columns;
pub(crate) use scalar::{Scalar, quote};

use bellwether_engine::erasure::ErasureKey;
use bellwether_engine::event::{Body, CustomerKey, Event, Text};
use bellwether_engine::event_type::EventType;
use bellwether_engine::time::Time;
use bellwether_engine::trace_parent::TraceParent;

use crate::intake::{DecodedEvent, DecodedLine};
use crate::pseudonym::Pseudonymiser;
use crate::rejection::{RejectReason, Rejection};
use envelope::{Envelope, Kind};
use quotes::Quotes;
use shape::Shapes;
use values::Values;

/// The customer under which the company's own costs are recorded.
pub const COMPANY: &str = "_company";

/// Decodes lines of CloudEvents JSON, or plain JSON with the same attribute names.
///
/// What is read leniently: unknown attributes and data fields, `null` and empty text (absent), ids given as integers, choices in any case, a
/// byte order mark. A name that stands twice in one object is an error, for a reader that takes the first would disagree with one that
/// takes the last.
///
/// Data must be an object in `data`. Those in `data_base64` are refused, since no event would have them.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    pseudonymiser: Pseudonymiser,
    skip_unknown_types: bool,
}

/// Where lines are read into, one after the other: making the room anew costs as much as reading a short line.
pub(crate) struct Scratch<'a> {
    envelope: Envelope<'a>,
    quotes: Quotes,
    is_plain: bool,
    shapes: Shapes,
}

impl Scratch<'_> {
    pub(crate) fn new() -> Self {
        Self { envelope: Envelope::new(), quotes: Quotes::default(), is_plain: false, shapes: Shapes::default() }
    }

    /// Takes a look at the text of the lines that follow.
    pub(crate) fn look_at(&mut self, text: &str) {
        self.is_plain = self.quotes.look_at(text);
    }
}

/// How `user` fields are written.
#[derive(Clone, Copy)]
enum Users<'d> {
    /// As producers know them; the event gets their tokens.
    Plain(&'d Pseudonymiser),
    /// As tokens, in our own journal.
    Tokens,
}

impl Decoder {
    /// A decoder that pseudonymises user ids in this way.
    #[must_use]
    pub fn new(pseudonymiser: Pseudonymiser) -> Self {
        Self { pseudonymiser, skip_unknown_types: false }
    }

    /// The key under which ids of erased customers are remembered.
    #[must_use]
    pub fn erasure_key(&self) -> ErasureKey {
        self.pseudonymiser.erasure_key()
    }

    /// Whether events of unknown types are [`RejectReason::SkippedType`] instead of [`RejectReason::UnknownType`].
    #[must_use]
    pub fn skip_unknown_types(self, skip: bool) -> Self {
        Self { skip_unknown_types: skip, ..self }
    }

    /// Decodes one line of raw input, whose bytes need not be UTF-8.
    ///
    /// # Errors
    /// When it is no valid event.
    pub fn decode<'a>(&self, line: &'a [u8]) -> Result<Event<'a>, Rejection> {
        self.decode_text(text_of(line)?)
    }

    /// Decodes one line of raw input: user ids are pseudonymised.
    ///
    /// # Errors
    /// When it is no valid event.
    pub fn decode_text<'a>(&self, line: &'a str) -> Result<Event<'a>, Rejection> {
        self.decode_line(line, Users::Plain(&self.pseudonymiser))
    }

    /// Decodes one line of the normalised form that [`encode_event`] writes: users are tokens already.
    ///
    /// # Errors
    /// When it is no valid event.
    pub fn decode_journal<'a>(&self, line: &'a str) -> Result<Event<'a>, Rejection> {
        self.decode_line(line, Users::Tokens)
    }

    /// Decodes one of many lines of raw input, as [`Self::decode_text`] does. The line begins at `start` in the text that was looked at.
    #[inline]
    pub(crate) fn decode_next<'a>(&self, (start, line): (usize, &'a str), scratch: &mut Scratch<'a>) -> DecodedLine<'a> {
        let envelope = &mut scratch.envelope;
        envelope.clear();
        let plain = (scratch.is_plain && !line.starts_with(MARK)).then_some((&scratch.quotes, start));
        envelope.read(without_mark(line), plain, &mut scratch.shapes)?;
        let (kind, attributes) = self.prepared(envelope)?;
        // Hashed before the event is built, and that where it stays: moving events about is dear.
        let (key, identity) = attributes.hashed();
        let body = families::body(kind, &mut envelope.data, Users::Plain(&self.pseudonymiser))?;
        Ok(DecodedEvent { event: attributes.with(body), key, identity })
    }

    fn decode_line<'a>(&self, line: &'a str, users: Users<'_>) -> Result<Event<'a>, Rejection> {
        let (mut envelope, mut quotes) = (Envelope::new(), Quotes::default());
        let line = without_mark(line);
        let is_plain = quotes.look_at(line);
        envelope.read_alone(line, is_plain.then_some((&quotes, 0)))?;
        self.event(&mut envelope, users)
    }

    /// Validates what was read, whatever it was read from.
    fn event<'a>(&self, envelope: &mut Envelope<'a>, users: Users<'_>) -> Result<Event<'a>, Rejection> {
        let (kind, attributes) = self.prepared(envelope)?;
        Ok(attributes.with(families::body(kind, &mut envelope.data, users)?))
    }

    /// Validates all but the data, which are ready then.
    #[inline]
    fn prepared<'a>(&self, envelope: &mut Envelope<'a>) -> Result<(EventType, Attributes<'a>), Rejection> {
        let kind = self.known_kind(&envelope.kind, envelope.attributes.prefix)?;
        let attributes = attributes(kind, &mut envelope.attributes)?;
        envelope.settle_data(kind)?;
        let traceparent = envelope.traceparent.and_then(|text| TraceParent::parse(text.as_bytes()));
        Ok((kind, Attributes { traceparent, ..attributes }))
    }

    fn known_kind(&self, kind: &Kind<'_>, prefix: &str) -> Result<EventType, Rejection> {
        match kind {
            Kind::Known(kind) => Ok(*kind),
            Kind::Unknown(name) if self.skip_unknown_types => Err(Rejection::new(RejectReason::SkippedType, envelope::unknown_type(name))),
            Kind::Unknown(name) => Err(Rejection::new(RejectReason::UnknownType, envelope::unknown_type(name))),
            Kind::Missing => Err(Rejection::new(RejectReason::MissingField, format!("{prefix}type is missing"))),
            Kind::NoText(found) => Err(Rejection::new(
                RejectReason::WrongType,
                format!("type: expected the name of an event type, found {}", found.describe()),
            )),
        }
    }
}

/// What every event has besides its body.
struct Attributes<'a> {
    time: Time,
    source: Text<'a>,
    id: Text<'a>,
    customer: Text<'a>,
    traceparent: Option<TraceParent<'a>>,
}

impl<'a> Attributes<'a> {
    /// The key of the customer, and the identity of the event.
    #[inline]
    fn hashed(&self) -> (CustomerKey, u64) {
        (CustomerKey::of(&self.customer), Event::identity_of(&self.source, &self.id))
    }

    #[inline]
    fn with(self, body: Body<'a>) -> Event<'a> {
        let Self { time, source, id, customer, traceparent } = self;
        Event { time, source, id, customer, traceparent, body }
    }
}

/// Takes and validates them but for the trace, for an event of this type.
#[inline]
fn attributes<'a>(kind: EventType, values: &mut impl Values<'a>) -> Result<Attributes<'a>, Rejection> {
    let id = values.identifier(Field::Id)?;
    let source = values.text(Field::Source)?;
    let customer = values.identifier(Field::Subject)?;
    if has_control(&customer) {
        return Err(values.out_of_range(Field::Subject, "contains a control character"));
    }
    if kind == EventType::CostRecorded && customer != COMPANY {
        return Err(values.out_of_range(Field::Subject, "must be `_company` for cost.recorded"));
    }
    Ok(Attributes { time: values.event_time(Field::Time)?, source, id, customer, traceparent: None })
}

/// The byte order mark that some editors put at the start of a file.
const MARK: char = '\u{feff}';

/// A line without a byte order mark.
fn without_mark(line: &str) -> &str {
    line.strip_prefix(MARK).unwrap_or(line)
}

/// Whether a text has control characters. Ordinary bytes are looked at many at a time.
fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) && text.chars().any(char::is_control)
}
