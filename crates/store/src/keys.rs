//! The keys: partition (u16) | kind (u8) | rest, big endian, so that byte order is the order of the tuples.

use crate::values::{Malformed, array};

/// The largest partition that may be stored; the number after it marks what belongs to the whole process.
pub const MAX_PARTITION: u16 = u16::MAX - 1;

/// The partition number under which process-level entries are kept; sorts after every real partition.
const PROCESS: u16 = u16::MAX;

/// The rest of the meta key that holds the format version.
const FORMAT_NAME: &[u8] = b"format";

/// What an entry is. The numbers are on disk: never change or reuse one, only add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Position and opaque body of a partition; the rest is empty, so it is the first entry of its partition.
    Header = 1,
    /// Opaque state of a customer; rest = customer (u128).
    State = 2,
    /// When a customer is due for review; rest = customer (u128), so a new due time overwrites the old one in place.
    Timer = 3,
    /// Opaque block of journal records; rest = offset of its first record (u64).
    JournalBlock = 4,
    /// Opaque progress of an input of the process; rest = its name (UTF-8).
    Input = 5,
    /// What the store says about itself; rest = a name.
    Meta = 6,
    /// Reserved for erasures; nothing is written under it yet, but it moves and goes with its partition already.
    Erasure = 7,
}

/// No key of a kind within a partition is smaller than this.
pub(crate) fn start(partition: u16, kind: Kind) -> [u8; 3] {
    prefix(checked(partition), kind)
}

/// The smallest key after all keys of a kind within a partition.
pub(crate) fn end(partition: u16, kind: Kind) -> [u8; 3] {
    let [high, low, kind] = prefix(partition, kind);
    [high, low, kind + 1]
}

/// Bounds of all keys that a partition's fold has made: everything but the journal, which it was made from.
pub(crate) fn fold_spans(partition: u16) -> [([u8; 3], [u8; 3]); 2] {
    let span = |first, last| (start(partition, first), end(partition, last));
    [span(Kind::Header, Kind::Timer), span(Kind::Erasure, Kind::Erasure)]
}

/// Kind of a key that the fold of a partition has made, or why it is none.
pub(crate) fn fold_kind_of(key: &[u8], partition: u16) -> Result<Kind, Malformed> {
    if partition_of(key)? != Some(partition) {
        return Err(Malformed("the key belongs to another partition"));
    }
    let kinds = [Kind::Header, Kind::State, Kind::Timer, Kind::Erasure];
    let kind = kinds.into_iter().find(|kind| key.get(2) == Some(&(*kind as u8)));
    let kind = kind.ok_or(Malformed("the key is of no kind that a fold makes"))?;
    match kind {
        Kind::Header if key.len() > 3 => return Err(Malformed("the key of the header goes on")),
        Kind::State | Kind::Timer => drop(customer_of(key)?),
        _ => {}
    }
    Ok(kind)
}

pub(crate) fn header(partition: u16) -> [u8; 3] {
    start(partition, Kind::Header)
}

pub(crate) fn state(partition: u16, customer: u128) -> [u8; 19] {
    with_rest(start(partition, Kind::State), &customer.to_be_bytes())
}

pub(crate) fn timer(partition: u16, customer: u128) -> [u8; 19] {
    with_rest(start(partition, Kind::Timer), &customer.to_be_bytes())
}

pub(crate) fn journal_block(partition: u16, first_offset: u64) -> [u8; 11] {
    with_rest(start(partition, Kind::JournalBlock), &first_offset.to_be_bytes())
}

pub(crate) fn input(name: &str) -> Vec<u8> {
    [&prefix(PROCESS, Kind::Input), name.as_bytes()].concat()
}

/// Bounds of all input keys.
pub(crate) fn inputs() -> ([u8; 3], [u8; 3]) {
    (prefix(PROCESS, Kind::Input), end(PROCESS, Kind::Input))
}

pub(crate) fn format_version() -> Vec<u8> {
    [&prefix(PROCESS, Kind::Meta), FORMAT_NAME].concat()
}

/// Partition of a key, whatever its kind; `None` for what belongs to the process.
pub(crate) fn partition_of(key: &[u8]) -> Result<Option<u16>, Malformed> {
    let bytes = key.first_chunk::<2>().ok_or(Malformed("the key is too short for a partition"))?;
    let partition = u16::from_be_bytes(*bytes);
    Ok((partition != PROCESS).then_some(partition))
}

/// Customer of a state or timer key.
pub(crate) fn customer_of(key: &[u8]) -> Result<u128, Malformed> {
    array(rest_of(key)?, "the key does not end in a customer of 16 bytes").map(u128::from_be_bytes)
}

/// First offset of a journal block's key.
pub(crate) fn first_offset_of(key: &[u8]) -> Result<u64, Malformed> {
    array(rest_of(key)?, "the key does not end in an offset of 8 bytes").map(u64::from_be_bytes)
}

/// Name of an input's key.
pub(crate) fn input_name_of(key: &[u8]) -> Result<String, Malformed> {
    let name = std::str::from_utf8(rest_of(key)?).map_err(|_| Malformed("the input's name is not UTF-8"))?;
    Ok(name.to_owned())
}

/// A key in hexadecimal, its three parts set apart: `0003|02|00..2a`.
pub(crate) fn describe(key: &[u8]) -> String {
    let mut text = String::with_capacity(2 * key.len() + 2);
    for (index, byte) in key.iter().enumerate() {
        if index == 2 || index == 3 {
            text.push('|');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// First three bytes of every key of a kind within a partition.
fn prefix(partition: u16, kind: Kind) -> [u8; 3] {
    let [high, low] = partition.to_be_bytes();
    [high, low, kind as u8]
}

fn rest_of(key: &[u8]) -> Result<&[u8], Malformed> {
    key.get(3..).ok_or(Malformed("the key is too short for a partition and a kind"))
}

fn checked(partition: u16) -> u16 {
    assert!(partition <= MAX_PARTITION, "partition {partition} is reserved for the process, the largest is {MAX_PARTITION}");
    partition
}

fn with_rest<const REST: usize, const KEY: usize>(prefix: [u8; 3], rest: &[u8; REST]) -> [u8; KEY] {
    let mut key = [0; KEY];
    key[..3].copy_from_slice(&prefix);
    key[3..].copy_from_slice(rest);
    key
}

#[cfg(test)]
mod tests;
