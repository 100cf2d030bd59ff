//! The latest event of each family by source and id: the evidence that a signal can point at.

use std::str;

use smallvec::SmallVec;

use super::packed::{PackedReader, PackedWriter};
use crate::event::Event;
use crate::event_type::{EventType, Family};
use crate::time::Time;

/// Source and id together are kept up to this length, so that a state stays within its bound.
pub const MAX_REFERENCE_BYTES: usize = 192;

/// An event by source and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventReference {
    event_type: EventType,
    family: Family,
    /// Length of the source at the start of `text`.
    source_length: u16,
    /// Source and id, one after the other. Short ones, which are most, stand here and not elsewhere in memory.
    text: SmallVec<[u8; 31]>,
    /// Event time.
    pub time: Time,
}

impl EventReference {
    /// CloudEvents `source`.
    #[must_use]
    pub fn source(&self) -> &str {
        self.text.get(..usize::from(self.source_length)).and_then(|source| str::from_utf8(source).ok()).unwrap_or_default()
    }

    /// CloudEvents `id`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text.get(usize::from(self.source_length)..).and_then(|id| str::from_utf8(id).ok()).unwrap_or_default()
    }

    /// Its type.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        self.event_type
    }

    fn set(&mut self, event: &Event<'_>, kind: EventType) {
        self.event_type = kind;
        self.source_length = event.source.len() as u16;
        self.text.clear();
        self.text.extend_from_slice(event.source.as_bytes());
        self.text.extend_from_slice(event.id.as_bytes());
        self.time = event.time;
    }
}

/// At most one reference per family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References(Vec<EventReference>);

impl References {
    /// Remembers an event if it is the latest of its family, and its source and id are not too long to keep.
    pub fn note(&mut self, event: &Event<'_>, kind: EventType) {
        if event.source.len() + event.id.len() > MAX_REFERENCE_BYTES {
            return;
        }
        let family = kind.family();
        let known = self.0.iter_mut().find(|reference| reference.family == family);
        match known {
            Some(reference) if event.time >= reference.time => reference.set(event, kind),
            Some(_) => {}
            None => {
                let mut reference = EventReference { event_type: kind, family, source_length: 0, text: SmallVec::new(), time: event.time };
                reference.set(event, kind);
                super::make_room(&mut self.0);
                self.0.push(reference);
            }
        }
    }

    /// The latest event of a family.
    #[must_use]
    pub fn latest(&self, family: Family) -> Option<&EventReference> {
        self.0.iter().find(|reference| reference.family == family)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &EventReference> {
        self.0.iter()
    }
}

/// Ids stand side by side, behind that of the customer, and sources too: those often begin alike.
impl References {
    /// Packs everything but the ids.
    pub(super) fn pack_sources(&self, writer: &mut PackedWriter) {
        writer.put(self.0.len() as u64);
        for reference in &self.0 {
            writer.bytes.push(reference.event_type as u8);
            writer.put_text(reference.source());
            writer.put_time(reference.time);
        }
    }

    /// Packs the ids.
    pub(super) fn pack_ids(&self, writer: &mut PackedWriter) {
        self.0.iter().for_each(|reference| writer.put_text(reference.id()));
    }

    /// Reads back what [`Self::pack_sources`] wrote.
    pub(super) fn unpack_sources(reader: &mut PackedReader<'_>) -> Option<Self> {
        let source = |reader: &mut PackedReader<'_>| {
            let (event_type, _, family) = reader.take_one_of(&EventType::ALL)?;
            let text = SmallVec::from_slice(reader.take_text()?.as_bytes());
            let source_length = u16::try_from(text.len()).ok()?;
            Some(EventReference { event_type, family, source_length, text, time: reader.take_time()? })
        };
        reader.take_list(source).map(Self)
    }

    /// Reads back what [`Self::pack_ids`] wrote.
    pub(super) fn unpack_ids(&mut self, reader: &mut PackedReader<'_>) -> Option<()> {
        for reference in &mut self.0 {
            reference.text.extend_from_slice(reader.take_text()?.as_bytes());
        }
        Some(())
    }
}
