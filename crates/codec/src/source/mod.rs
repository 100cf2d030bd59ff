//! Records of a Kafka topic to events, whoever produced them: CloudEvents in either mode, plain JSON, or foreign JSON by a mapping.
//!
//! Read [`SourceDecoder::decode`] first. `lines` has the formats whose value is an event by itself, `binary` those with attributes in
//! headers, `mapped` (with `convert` and `filter`) the foreign ones; all of them end in the one validation of [`crate::event`].
//! `directory` knows whose user a user is. `mapping_file` reads mappings from YAML.

mod binary;
mod convert;
mod directory;
mod directory_file;
mod filter;
mod lines;
mod mapped;
mod mapping;
mod mapping_file;
mod required;

use std::sync::Arc;

use bellwether_engine::event::Event;
use bellwether_engine::trace_parent::TraceParent;

pub use directory::{CustomerDirectory, DEFAULT_MAX_USERS, DirectoryCounts};
pub use directory_file::DirectoryFileError;
pub use filter::{Condition, Test};
pub use mapping::{Conversion, Exponent, FieldMapping, Mapping, Origin, Otherwise, ValueMap};
pub use mapping_file::{MAPPING, read_mapping};

use crate::event::Decoder;
use crate::rejection::{RejectReason, Rejection};

/// A record as a consumer of Kafka gets it.
#[derive(Clone, Copy, Debug)]
pub struct SourceRecord<'a> {
    /// The topic it was read from.
    pub topic: &'a str,
    /// The partition of the topic.
    pub partition: i32,
    /// Its offset in the partition.
    pub offset: u64,
    /// Its timestamp in milliseconds since 1970, where it has one.
    pub timestamp_ms: Option<i64>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Names and values of its headers.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

/// What a record is, unless it is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceEvent<'a> {
    /// An event.
    Event(Event<'a>),
    /// Nothing for us, by the filter of its source, as a tombstone, or as an event of an unknown type where those are skipped. To be
    /// counted.
    Skipped,
}

/// How the records of a source are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SourceFormat {
    /// [`SourceFormat::Binary`] where a record has the headers of CloudEvents, else [`SourceFormat::Plain`], which reads structured
    /// CloudEvents too.
    #[default]
    Auto,
    /// CloudEvents in structured mode: the value is a JSON object with all attributes.
    Structured,
    /// CloudEvents in binary mode: attributes in `ce_` headers, the value is the data. Without `ce_subject` the key is the subject.
    Binary,
    /// JSON with the attribute names of CloudEvents. A missing `id` is `topic-partition-offset`, a missing `source` the topic.
    Plain,
    /// JSON of any shape.
    Mapped(Box<Mapping>),
}

/// What a record without a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tombstones {
    /// [`SourceEvent::Skipped`].
    #[default]
    Skip,
    /// Refused.
    Reject,
}

/// Decodes the records of one source. In every format but [`SourceFormat::Mapped`], an event without a time has the time of its record.
#[derive(Clone, Debug)]
pub struct SourceDecoder {
    format: SourceFormat,
    decoder: Decoder,
    tombstones: Tombstones,
    directory: Option<Arc<CustomerDirectory>>,
}

impl SourceDecoder {
    /// A decoder of this format, which skips tombstones and knows no users.
    #[must_use]
    pub fn new(format: SourceFormat, decoder: Decoder) -> Self {
        Self { format, decoder, tombstones: Tombstones::default(), directory: None }
    }

    /// What to make of records without a value.
    #[must_use]
    pub fn tombstones(self, tombstones: Tombstones) -> Self {
        Self { tombstones, ..self }
    }

    /// Looks customers of users up here, and writes down whose users the events of this source tell.
    #[must_use]
    pub fn directory(self, directory: Arc<CustomerDirectory>) -> Self {
        Self { directory: Some(directory), ..self }
    }

    /// Decodes a record.
    ///
    /// # Errors
    /// When it is no valid event. The detail names the field, the header or the JSON Pointer that is to blame, and what was found there.
    pub fn decode<'a>(&self, record: &SourceRecord<'a>) -> Result<SourceEvent<'a>, Rejection> {
        let decoded = match &self.format {
            SourceFormat::Auto if binary::has_attributes(record) => binary::decode(&self.decoder, record),
            SourceFormat::Binary => binary::decode(&self.decoder, record),
            _ if record.value.is_none() => return self.tombstone(),
            SourceFormat::Structured => lines::decode_structured(&self.decoder, record),
            SourceFormat::Auto | SourceFormat::Plain => lines::decode_plain(&self.decoder, record),
            SourceFormat::Mapped(mapping) => match mapped::decode(&self.decoder, mapping, self.directory.as_deref(), record).transpose() {
                Some(decoded) => decoded,
                None => return Ok(SourceEvent::Skipped),
            },
        };
        match decoded {
            Ok(mut event) => {
                event.traceparent = event.traceparent.or_else(|| record.traceparent());
                if let Some(directory) = &self.directory {
                    directory.learn_from(&event);
                }
                Ok(SourceEvent::Event(event))
            }
            Err(rejection) if rejection.reason == RejectReason::SkippedType => Ok(SourceEvent::Skipped),
            Err(rejection)
                if rejection.reason == RejectReason::MissingField && record.value.is_none() && !binary::has_attributes(record) =>
            {
                self.tombstone()
            }
            Err(rejection) => Err(rejection),
        }
    }

    fn tombstone<'a>(&self) -> Result<SourceEvent<'a>, Rejection> {
        match self.tombstones {
            Tombstones::Skip => Ok(SourceEvent::Skipped),
            Tombstones::Reject => Err(Rejection::new(RejectReason::MissingField, "the record has no value (a tombstone)")),
        }
    }
}

impl<'a> SourceRecord<'a> {
    /// The value of the first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers.iter().find(|(known, _)| *known == name).and_then(|(_, value)| *value)
    }

    /// The trace of a record whose event names none: that of the event as a header, or that of who wrote the record.
    fn traceparent(&self) -> Option<TraceParent<'a>> {
        ["ce_traceparent", "traceparent"].into_iter().find_map(|name| TraceParent::parse(self.header(name)?))
    }

    /// An identity where the producer gives none: `topic-partition-offset`.
    #[must_use]
    pub fn position_id(&self) -> String {
        format!("{}-{}-{}", self.topic, self.partition, self.offset)
    }

    /// The value without the prefix of five bytes (zero and a number of a schema) that serialisers with a schema registry write before JSON.
    fn json_bytes(&self) -> &'a [u8] {
        const PREFIX_BYTES: usize = 5;
        match self.value {
            Some([0, rest @ ..]) if rest.len() >= PREFIX_BYTES => &rest[PREFIX_BYTES - 1..],
            Some(value) => value,
            None => &[],
        }
    }
}
