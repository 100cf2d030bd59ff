//! The manifest of a snapshot: what it is of, how to know that it is whole, and what the caller keeps beside it.

use bellwether_engine::time::Time;
use bellwether_store::Position;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::error::SnapshotError;

/// The longest manifest, bytes; most of it is the attachment.
pub const MAX_MANIFEST_BYTES: usize = 4 << 20;

/// The longest journal id, bytes: it is a part of a path.
const MAX_JOURNAL_ID_BYTES: usize = 128;

/// What a snapshot is of. As JSON it is the snapshot's second object, written when the first one is whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The journal that the partition was folded from.
    pub journal_id: String,
    /// The partition.
    pub partition: u16,
    /// The version of the fold that made the states.
    pub fold_version: u8,
    /// How far the partition was applied.
    #[serde(with = "position_as_json")]
    pub position: Position,
    /// Journal time of the partition at that position.
    #[serde(rename = "journal_time_ms")]
    pub journal_time: Time,
    /// When the snapshot was taken, by the clock of whoever took it.
    #[serde(rename = "created_at_ms")]
    pub created_at: Time,
    /// Entries in the table.
    pub entries: u64,
    /// Length of the table.
    pub bytes: u64,
    /// XXH3 of the table, 128 bits, in hexadecimal.
    pub checksum: String,
    /// What the caller keeps beside it, such as the texts of the rules in force.
    pub attachment: serde_json::Value,
}

impl Manifest {
    /// The name of the snapshot, under which its two objects differ by their ending alone.
    #[must_use]
    pub fn name(&self) -> String {
        let Self { journal_id, partition, fold_version, position, checksum, .. } = self;
        format!("{journal_id}/{partition:05}/{fold_version}/{:020}-{checksum}", position.offset)
    }

    pub(super) fn table(&self) -> Path {
        Path::from(format!("{}.sst", self.name()))
    }

    pub(super) fn to_json(&self) -> Result<Vec<u8>, SnapshotError> {
        let json = serde_json::to_vec_pretty(self).expect("a manifest is plain data");
        match json.len() {
            bytes if bytes > MAX_MANIFEST_BYTES => {
                Err(SnapshotError::ManifestTooLong { partition: self.partition, bytes, limit: MAX_MANIFEST_BYTES })
            }
            _ => Ok(json),
        }
    }
}

/// The id, if it can be a part of a path on any system.
pub(super) fn checked_journal_id(id: &str) -> Result<&str, SnapshotError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_name = (1..=MAX_JOURNAL_ID_BYTES).contains(&id.len()) && id.bytes().all(is_plain) && !id.starts_with('.');
    if is_name { Ok(id) } else { Err(SnapshotError::JournalId { id: id.to_owned() }) }
}

/// The path of everything of a partition and a fold version.
pub(super) fn partition_prefix(journal_id: &str, partition: u16, fold_version: u8) -> Result<String, SnapshotError> {
    Ok(format!("{}/{partition:05}/{fold_version}", checked_journal_id(journal_id)?))
}

/// A position with its customer in hexadecimal, because JSON's numbers are too small for it.
mod position_as_json {
    use bellwether_store::Position;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    #[derive(Serialize, Deserialize)]
    struct Json {
        offset: u64,
        review_due_ms: i64,
        customer: String,
    }

    pub fn serialize<S: Serializer>(position: &Position, serializer: S) -> Result<S::Ok, S::Error> {
        let Position { offset, review_due, customer } = *position;
        Json { offset, review_due_ms: review_due, customer: format!("{customer:032x}") }.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Position, D::Error> {
        let Json { offset, review_due_ms, customer } = Json::deserialize(deserializer)?;
        let customer = u128::from_str_radix(&customer, 16).map_err(D::Error::custom)?;
        Ok(Position { offset, review_due: review_due_ms, customer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_keeps_its_json_and_its_name() {
        let manifest = Manifest {
            journal_id: "j-1".to_owned(),
            partition: 7,
            fold_version: 1,
            position: Position { offset: u64::MAX, review_due: -5, customer: u128::MAX },
            journal_time: Time::MIN,
            created_at: Time(1_767_225_600_000),
            entries: 3,
            bytes: 1_000,
            checksum: "ab".repeat(16),
            attachment: serde_json::json!({ "rules": "signals: []" }),
        };
        let json = String::from_utf8(manifest.to_json().unwrap()).unwrap();
        let expected = r#"{"journal_id":"j-1","partition":7,"fold_version":1,"position":{"offset":18446744073709551615,"review_due_ms":-5,"customer":"ffffffffffffffffffffffffffffffff"},"journal_time_ms":-9223372036854775808,"created_at_ms":1767225600000,"entries":3,"bytes":1000,"checksum":"abababababababababababababababab","attachment":{"rules":"signals: []"}}"#;
        assert_eq!(json.split_whitespace().collect::<String>(), expected.split_whitespace().collect::<String>());
        assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
        assert_eq!(manifest.table().as_ref(), format!("j-1/00007/1/18446744073709551615-{}.sst", manifest.checksum));
    }

    #[test]
    fn a_journal_id_is_a_plain_name() {
        for id in ["test", "7c9e6679-7425-40de-944b-e07fc1f90ae7", "a.b_c"] {
            assert_eq!(checked_journal_id(id).unwrap(), id);
        }
        for id in ["", "a/b", "..", ".hidden", "a b", "ä", &"x".repeat(129)] {
            assert!(checked_journal_id(id).is_err(), "{id}");
        }
    }
}
