//! The stored form of a customer: one packed part that all customers have, and parts that only some have.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::packed::{Packed, PackedReader, PackedWriter};
use super::{Account, Customer, Leaving, Onboarding, Relation, Support, packed_bytes};
use crate::aggregates::Contribution;
use crate::event::CustomerKey;
use crate::event_type::EventTypes;

/// What is written, borrowed.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(serialize_with = "serialize_core")]
    core: &'a Customer,
    support: &'a Option<Box<Support>>,
    leaving: &'a Option<Box<Leaving>>,
    relation: &'a Option<Box<Relation>>,
    onboarding: &'a Option<Box<Onboarding>>,
}

/// What is read.
#[derive(Deserialize)]
struct Read {
    #[serde(deserialize_with = "packed_bytes::deserialize")]
    core: Customer,
    support: Option<Box<Support>>,
    leaving: Option<Box<Leaving>>,
    relation: Option<Box<Relation>>,
    onboarding: Option<Box<Onboarding>>,
}

fn serialize_core<S: Serializer>(core: &&Customer, serializer: S) -> Result<S::Ok, S::Error> {
    packed_bytes::serialize(*core, serializer)
}

impl Serialize for Customer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { support, leaving, relation, onboarding, .. } = self;
        Written { core: self, support, leaving, relation, onboarding }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Customer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Read { core, support, leaving, relation, onboarding } = Read::deserialize(deserializer)?;
        let mut customer = Self { support, leaving, relation, onboarding, ..core };
        if customer.id.is_empty() {
            return Err(D::Error::custom("a customer without an id"));
        }
        customer.contribution = Contribution::of(&customer);
        Ok(customer)
    }
}

/// The packed part. The contribution is not in it: it follows from the rest.
impl Packed for Customer {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_text(&self.id);
        writer.put_time(self.since);
        writer.bytes.push(u8::from(self.created));
        writer.put_time(self.clock);
        writer.put_time(self.clock_due);
        writer.put_time(self.midnight_due);
        writer.put(self.seen.0);
        self.recent.pack(writer);
        self.references.pack(writer);
        self.activity.pack(writer);
        self.billing.pack(writer);
        self.account.pack(writer);
        self.health.pack(writer);
        writer.put(self.episodes.len() as u64);
        self.episodes.iter().for_each(|episode| episode.pack(writer));
        self.at_risk.pack(writer);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let id: Box<str> = reader.take_text()?.into();
        Some(Self {
            week_offset: Customer::week_offset(CustomerKey::of(&id)),
            id,
            since: reader.take_time()?,
            created: reader.take_byte()? != 0,
            clock: reader.take_time()?,
            clock_due: reader.take_time()?,
            midnight_due: reader.take_time()?,
            seen: EventTypes(reader.take()?),
            recent: Packed::unpack(reader)?,
            references: Packed::unpack(reader)?,
            activity: Packed::unpack(reader)?,
            billing: Packed::unpack(reader)?,
            account: Packed::unpack(reader)?,
            health: Packed::unpack(reader)?,
            episodes: reader.take_list(Packed::unpack)?,
            at_risk: Packed::unpack(reader)?,
            support: None,
            leaving: None,
            relation: None,
            onboarding: None,
            contribution: Contribution::default(),
        })
    }
}

impl Packed for Account {
    fn pack(&self, writer: &mut PackedWriter) {
        for word in [&self.segment, &self.industry, &self.country, &self.owner] {
            writer.put_word(word, |writer, text| writer.put_text(text));
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let mut word = || reader.take_word(|reader| reader.take_text().map(Box::from));
        Some(Self { segment: word()?, industry: word()?, country: word()?, owner: word()? })
    }
}
