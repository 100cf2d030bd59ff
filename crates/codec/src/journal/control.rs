//! Records that control the fold, or tell of the journal itself.

use bellwether_engine::silence::Families;
use bellwether_engine::time::Time;
use serde::{Deserialize, Serialize};

use crate::rejection::{RejectReason, Rejection};

/// What a control record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Control {
    /// The first record of every partition.
    #[serde(rename = "journal.created")]
    Created(Created),
    /// A rule set takes effect.
    #[serde(rename = "rules.published")]
    Rules(PublishedRules),
    /// How far an import of history is; the fold goes over it.
    #[serde(rename = "import.progress")]
    Import(ImportProgress),
    /// Time has passed.
    #[serde(rename = "tick")]
    Tick,
    /// A source has fallen silent: nothing can be said of customers by what it does not deliver.
    #[serde(rename = "source.silent")]
    SourceSilent(SourceState),
    /// A source delivers again.
    #[serde(rename = "source.resumed")]
    SourceResumed(SourceState),
    /// What a purge leaves of a `customer.erased`.
    #[serde(rename = "customer.erased")]
    Erased(PurgedErasure),
}

/// What a journal is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Its id, made at random.
    pub journal: String,
    /// How many partitions it has; this number decides where a customer's events go.
    pub partitions: u16,
    /// Which key its user ids are pseudonymised with.
    pub pseudonym_key_id: String,
}

/// A rule set under its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedRules {
    /// One up from the rule set before; lower or equal ones are ignored.
    pub number: u32,
    /// The rule file.
    pub text: String,
}

/// An erasure without the customer's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgedErasure {
    /// The keyed hash of the id, in hexadecimal.
    #[serde(with = "hexadecimal")]
    pub hash: u128,
    /// What is dated up to this time is dropped, milliseconds since the epoch.
    pub time: Time,
}

mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{value:032x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        u128::from_str_radix(&String::deserialize(deserializer)?, 16).map_err(serde::de::Error::custom)
    }
}

/// A source that has fallen silent, or resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// Its name in the configuration.
    pub source: String,
    /// The families of events that it was seen to deliver.
    pub families: Vec<String>,
}

impl SourceState {
    /// The families, as the fold knows them; of others it knows nothing.
    #[must_use]
    pub fn families(&self) -> Families {
        Families::named(self.families.iter().map(String::as_str))
    }
}

/// What an import of history writes into the first partition before the records of each of its transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportProgress {
    /// How many records of the transaction follow in this partition.
    pub records: u64,
    /// What the import needs to go on behind them; it alone reads this.
    pub state: String,
}

impl Control {
    /// Its type, as the header and the value name it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Control::Created(_) => "journal.created",
            Control::Rules(_) => "rules.published",
            Control::Import(_) => "import.progress",
            Control::Tick => "tick",
            Control::SourceSilent(_) => "source.silent",
            Control::SourceResumed(_) => "source.resumed",
            Control::Erased(_) => "customer.erased",
        }
    }

    /// The value of its record.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text and numbers always serialise")
    }

    /// Reads the value of a control record.
    ///
    /// # Errors
    ///
    /// When it is none that this version knows.
    pub fn decode(value: &[u8]) -> Result<Self, Rejection> {
        serde_json::from_slice(value).map_err(|error| Rejection::new(RejectReason::InvalidJson, format!("control record: {error}")))
    }
}
