//! Packed values as byte strings inside what serde writes.

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

use super::packed::{Packed, PackedReader, PackedWriter};

/// Writes a packed value as a byte string.
pub(crate) fn serialize<T: Packed, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut writer = PackedWriter::default();
    value.pack(&mut writer);
    serializer.serialize_bytes(&writer.bytes)
}

/// Reads a byte string that holds one packed value and nothing else.
pub(crate) fn deserialize<'de, T: Packed, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Bytes<T>(std::marker::PhantomData<T>);
    impl<T: Packed> Visitor<'_> for Bytes<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("packed bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
            let mut reader = PackedReader::new(bytes);
            T::unpack(&mut reader).filter(|_| reader.bytes.is_empty()).ok_or_else(|| E::custom("malformed packed bytes"))
        }
    }
    deserializer.deserialize_bytes(Bytes(std::marker::PhantomData))
}
