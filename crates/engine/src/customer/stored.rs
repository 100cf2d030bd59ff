//! The stored form of a customer: one byte string, packed by hand.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::packed::{Packed, PackedReader, PackedWriter};
use super::{Account, Customer, References};
use crate::contribution::Contributed;
use crate::event::CustomerKey;
use crate::event_type::EventTypes;
use crate::time::Day;

/// Packs customers one after another, in the same memory.
pub struct Packer(PackedWriter);

impl Default for Packer {
    fn default() -> Self {
        Self(PackedWriter::new())
    }
}

impl Packer {
    /// A customer in its stored form, which is what it serialises to.
    pub fn pack(&mut self, customer: &Customer) -> &[u8] {
        self.0.clear();
        customer.pack(&mut self.0);
        &self.0.bytes
    }
}

impl Serialize for Customer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(Packer::default().pack(self))
    }
}

impl<'de> Deserialize<'de> for Customer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Customer;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a packed customer")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Customer, E> {
                let mut reader = PackedReader::new(bytes);
                let customer = Customer::unpack(&mut reader).filter(|customer| reader.bytes.is_empty() && !customer.id.is_empty());
                customer.ok_or_else(|| E::custom("malformed packed bytes"))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// Ids come one after the other, and instants are told from the day on which the customer was last evaluated. The contribution is not in
/// it: it follows from the rest and the rule set under which it was made.
impl Packed for Customer {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_base(self.clock.day());
        self.references.pack_sources(writer);
        writer.put_text(&self.id);
        self.references.pack_ids(writer);
        writer.put_time(self.since);
        let rare = [self.own.is_some(), self.erased_at.is_some()];
        let flags = [
            self.created,
            self.support.is_some(),
            self.leaving.is_some(),
            self.relation.is_some(),
            self.onboarding.is_some(),
            self.ledger.is_some(),
            self.outcomes.is_some(),
            rare.contains(&true),
        ];
        writer.put_flags(flags);
        if rare.contains(&true) {
            writer.put_flags(rare);
        }
        writer.put_time(self.clock);
        writer.put_time(self.clock_due);
        writer.put_time(self.midnight_due);
        writer.put(self.seen.0);
        self.recent.pack(writer);
        self.activity.pack(writer);
        self.billing.pack(writer);
        // Next to billing, with which it shares stamps.
        self.ledger.iter().for_each(|part| part.pack(writer));
        self.account.pack(writer);
        self.health.pack(writer);
        self.journey.pack(writer);
        writer.put_list(&self.episodes);
        self.at_risk.pack(writer);
        writer.put(u64::from(self.contributed_under));
        self.support.iter().for_each(|part| part.pack(writer));
        self.leaving.iter().for_each(|part| part.pack(writer));
        self.relation.iter().for_each(|part| part.pack(writer));
        self.onboarding.iter().for_each(|part| part.pack(writer));
        self.own.iter().for_each(|part| part.pack(writer));
        self.erased_at.iter().for_each(|time| writer.put_time(*time));
        self.outcomes.iter().for_each(|part| part.pack(writer));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        reader.take_base()?;
        let mut references = References::unpack_sources(reader)?;
        let id = reader.take_name()?;
        references.unpack_ids(reader)?;
        let since = reader.take_time()?;
        let [created, has_support, has_leaving, has_relation, has_onboarding, has_ledger, has_outcomes, has_rare] = reader.take_flags()?;
        let [has_own, was_erased] = if has_rare { reader.take_flags()? } else { [false; 2] };
        let mut customer = Self {
            week_offset: Customer::week_offset(CustomerKey::of(&id)),
            id,
            references,
            since,
            created,
            clock: reader.take_time()?,
            clock_due: reader.take_time()?,
            midnight_due: reader.take_time()?,
            seen: EventTypes(reader.take()?),
            recent: Packed::unpack(reader)?,
            activity: Packed::unpack(reader)?,
            billing: Packed::unpack(reader)?,
            ledger: reader.take_part(has_ledger)?,
            account: Packed::unpack(reader)?,
            health: Packed::unpack(reader)?,
            journey: Packed::unpack(reader)?,
            episodes: reader.take_list(Packed::unpack)?,
            at_risk: Packed::unpack(reader)?,
            contributed_under: reader.take_u32()?,
            asleep: Default::default(),
            support: reader.take_part(has_support)?,
            leaving: reader.take_part(has_leaving)?,
            relation: reader.take_part(has_relation)?,
            onboarding: reader.take_part(has_onboarding)?,
            own: reader.take_part(has_own)?,
            erased_at: if was_erased { Some(reader.take_time()?) } else { None },
            outcomes: reader.take_part(has_outcomes)?,
            contributed: Contributed::default(),
            known_from: Day(0),
        };
        customer.note_missing();
        Some(customer)
    }
}

impl Packed for Account {
    fn pack(&self, writer: &mut PackedWriter) {
        for word in [&self.segment, &self.industry, &self.country, &self.owner] {
            writer.put_word(word, |writer, text| writer.put_text(text));
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let mut word = || reader.take_word(PackedReader::take_name);
        Some(Self { segment: word()?, industry: word()?, country: word()?, owner: word()? })
    }
}
