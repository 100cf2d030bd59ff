//! States and headers as bytes: a version byte, then bincode with fixed-width integers, to which a customer is one packed byte string.
//!
//! Only what can be rebuilt from the journal is kept in this form.

pub use bellwether_engine::customer::MAX_STATE_BYTES;
use bellwether_engine::customer::{Customer, Packer};
use bellwether_engine::partition::Header;
use bincode::config::{Configuration, Fixint, Limit, LittleEndian, standard};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use crate::kpi_days::KpiDays;

/// The version of the fold: what the bytes mean and how events change them. A golden test forces it up.
pub const FOLD_VERSION: u8 = 9;

/// The largest header, in bytes: it holds every currency of ISO 4217 in every segment and retained month, and all erasures. Most have a few thousand.
const MAX_HEADER_BYTES: usize = 8 * 1024 * 1024;

/// Days that wait for the slowest partition, bytes: a header a day for a year.
const MAX_KPI_DAYS_BYTES: usize = 256 * 1024 * 1024;

/// A stored value that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Written by another version.
    #[error("the state was written by fold version {found}, this program has version {FOLD_VERSION}{}", advice(*found))]
    Version {
        /// The version byte found.
        found: u8,
    },
    /// Not what was written.
    #[error("the stored state is damaged ({0}); restore the data directory, or rebuild it from the journal")]
    Damaged(String),
    /// Over the cap.
    #[error("the state of customer `{customer}` takes {bytes} bytes, over the limit of {MAX_STATE_BYTES}")]
    TooLarge {
        /// Whose state.
        customer: String,
        /// Its size.
        bytes: usize,
    },
    /// Over the cap, and not of a customer: nobody could read it again.
    #[error("what a partition remembers beside its customers takes {bytes} bytes, over the limit of {limit}: more partitions share it")]
    Oversized {
        /// Its size.
        bytes: usize,
        /// What may be.
        limit: usize,
    },
}

fn advice(found: u8) -> &'static str {
    if found > FOLD_VERSION { ": use the program that wrote it, or a newer one" } else { "; `run` makes it anew from the journal" }
}

/// The version of the fold that wrote a state or a header; none if it is empty.
#[must_use]
pub fn fold_version_of(bytes: &[u8]) -> Option<u8> {
    bytes.first().copied()
}

/// Encodes states one after another, in the same memory.
#[derive(Default)]
pub struct StateEncoder(Packer);

impl StateEncoder {
    /// Adds a customer's state to what is in `into`, and tells how many bytes it takes. Nothing is added after an error.
    pub fn append(&mut self, customer: &Customer, into: &mut Vec<u8>) -> Result<usize, StateError> {
        let before = into.len();
        let appended = append_within::<MAX_HEADER_BYTES>(&PackedCustomer(self.0.pack(customer)), into);
        let bytes = into.len() - before;
        let within = appended.and_then(|()| {
            let too_large = || StateError::TooLarge { customer: customer.id.to_string(), bytes };
            (bytes <= MAX_STATE_BYTES).then_some(bytes).ok_or_else(too_large)
        });
        if within.is_err() {
            into.truncate(before);
        }
        within
    }
}

/// A customer in its stored form: one byte string.
struct PackedCustomer<'p>(&'p [u8]);

impl Serialize for PackedCustomer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// Encodes a customer's state, replacing what is in `into`.
pub fn encode_customer(customer: &Customer, into: &mut Vec<u8>) -> Result<(), StateError> {
    into.clear();
    StateEncoder::default().append(customer, into).map(|_| ())
}

/// Decodes a customer's state.
pub fn decode_customer(bytes: &[u8]) -> Result<Customer, StateError> {
    decode::<Customer, MAX_STATE_BYTES>(bytes)
}

/// Encodes what a partition remembers beside its customers, replacing what is in `into`.
pub fn encode_header(header: &Header, into: &mut Vec<u8>) -> Result<(), StateError> {
    encode(header, into)
}

/// Decodes a partition's header.
pub fn decode_header(bytes: &[u8]) -> Result<Header, StateError> {
    decode::<Header, MAX_HEADER_BYTES>(bytes)
}

/// Encodes days that not all partitions have ended yet.
pub fn encode_kpi_days(days: &KpiDays) -> Result<Vec<u8>, StateError> {
    let mut bytes = Vec::new();
    encode_within::<MAX_KPI_DAYS_BYTES>(days, &mut bytes)?;
    Ok(bytes)
}

/// Decodes days that not all partitions have ended yet.
pub fn decode_kpi_days(bytes: &[u8]) -> Result<KpiDays, StateError> {
    decode::<KpiDays, MAX_KPI_DAYS_BYTES>(bytes)
}

fn configuration<const LIMIT: usize>() -> Configuration<LittleEndian, Fixint, Limit<LIMIT>> {
    standard().with_fixed_int_encoding().with_limit::<LIMIT>()
}

fn encode(value: &impl Serialize, into: &mut Vec<u8>) -> Result<(), StateError> {
    encode_within::<MAX_HEADER_BYTES>(value, into)
}

fn encode_within<const LIMIT: usize>(value: &impl Serialize, into: &mut Vec<u8>) -> Result<(), StateError> {
    into.clear();
    append_within::<LIMIT>(value, into)
}

/// Adds the version and a value to what is there.
fn append_within<const LIMIT: usize>(value: &impl Serialize, into: &mut Vec<u8>) -> Result<(), StateError> {
    into.push(FOLD_VERSION);
    let bytes = bincode::serde::encode_into_std_write(value, into, configuration::<LIMIT>())
        .map_err(|error| StateError::Damaged(error.to_string()))?;
    if bytes > LIMIT { Err(StateError::Oversized { bytes, limit: LIMIT }) } else { Ok(()) }
}

fn decode<T: DeserializeOwned, const LIMIT: usize>(bytes: &[u8]) -> Result<T, StateError> {
    let (version, body) = bytes.split_first().ok_or_else(|| StateError::Damaged("it is empty".to_owned()))?;
    if *version != FOLD_VERSION {
        return Err(StateError::Version { found: *version });
    }
    let (value, read) =
        bincode::serde::decode_from_slice(body, configuration::<LIMIT>()).map_err(|error| StateError::Damaged(error.to_string()))?;
    if read != body.len() {
        return Err(StateError::Damaged(format!("{} bytes too many", body.len() - read)));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let mut bytes = Vec::new();
        let fits = [7_u8; 16];
        encode_within::<16>(&fits, &mut bytes).expect("it fits");
        assert_eq!(decode::<[u8; 16], 16>(&bytes).expect("it is read"), fits);
        let error = encode_within::<16>(&[7_u8; 17], &mut bytes).expect_err("it is too large");
        assert!(matches!(error, StateError::Oversized { bytes: 17, limit: 16 }), "{error}");
    }
}
