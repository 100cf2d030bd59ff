//! Properties that are handed on to the client library. Any value may be a secret, so none is ever shown.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use bellwether_codec::yaml::{MASK, Node, Reader, Settings};
use serde_json::Value;

/// A property of librdkafka.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientProperty {
    /// Its name, such as `security.protocol`.
    pub name: String,
    /// Its value.
    pub value: PropertyValue,
}

/// Where the value of a property comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum PropertyValue {
    /// From the configuration.
    Given(String),
    /// From a file.
    File(PathBuf),
}

/// A file with the value of a property that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("client_files: cannot read {}, the value of {name}: {error}", path.display())]
pub struct ClientFileError {
    /// The property.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// What the system says.
    pub error: std::io::Error,
}

/// What the product sets by itself, with the setting to use instead.
const RESERVED: [(&str, &str); 26] = [
    ("bootstrap.servers", "use `brokers`"),
    ("metadata.broker.list", "use `brokers`"),
    ("group.id", "use `application`"),
    ("client.id", "use `application` and `instance`"),
    ("transactional.id", "use `application` and `instance`"),
    ("group.instance.id", "use `static_membership` and `instance`"),
    ("enable.auto.commit", "offsets are committed in transactions"),
    ("enable.auto.offset.store", "offsets are committed in transactions"),
    ("auto.offset.reset", "a missing offset is read from the start"),
    ("isolation.level", "only committed records are read"),
    ("enable.idempotence", "the producer is transactional"),
    ("acks", "the producer is transactional"),
    ("partitioner", "keys are partitioned as Java does it"),
    ("enable.partition.eof", "the product needs to know the ends"),
    ("allow.auto.create.topics", "topics are made by `bellwether topics create`"),
    ("auto.commit.enable", "offsets are committed in transactions"),
    ("delivery.report.only.error", "reports are asked for where they are needed"),
    ("group.protocol", "partitions move by the classic protocol, cooperatively"),
    ("message.timeout.ms", "it is bound to the timeout of transactions"),
    ("partition.assignment.strategy", "partitions move by the classic protocol, cooperatively"),
    ("plugin.library.paths", "the client runs no code from elsewhere"),
    ("request.required.acks", "the producer is transactional"),
    ("retry.backoff.max.ms", "it tells what of a transaction may have been sent twice"),
    ("retry.backoff.ms", "it tells what of a transaction may have been sent twice"),
    ("socket.timeout.ms", "it is bound to the timeout of transactions"),
    ("transaction.timeout.ms", "what is open for longer than that is known to be dead"),
];

impl ClientProperty {
    /// Its value; that of a file is read now, without the line end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn resolve(&self) -> Result<String, ClientFileError> {
        match &self.value {
            PropertyValue::Given(value) => Ok(value.clone()),
            PropertyValue::File(path) => match fs::read_to_string(path) {
                Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => Err(ClientFileError { name: self.name.clone(), path: path.clone(), error }),
            },
        }
    }
}

impl fmt::Debug for ClientProperty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={:?}", self.name, self.value)
    }
}

impl fmt::Debug for PropertyValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PropertyValue::Given(_) => formatter.write_str(MASK),
            PropertyValue::File(path) => write!(formatter, "{}", path.display()),
        }
    }
}

/// Reads `client` and `client_files`.
pub(super) fn read_client(reader: &mut Reader<'_>, settings: &Settings<'_>) -> Vec<ClientProperty> {
    let mut properties: Vec<ClientProperty> = Vec::new();
    for (field, what) in [("client", "the client properties"), ("client_files", "the files of client properties")] {
        let Some(node) = settings.get(field) else { continue };
        let fields = reader.open_fields(node, what);
        for (key, name, node) in &fields.entries {
            if let Some((_, instead)) = RESERVED.iter().find(|(reserved, _)| reserved == name) {
                reader.error_with_help(&key.place, format!("`{name}` is set by Bellwether"), *instead);
            }
            if properties.iter().any(|known| known.name == *name) {
                reader.error(&key.place, format!("`{name}` stands in `client` too"));
            }
            let value = if field == "client" { given(reader, name, node) } else { file(reader, node) };
            properties.extend(value.map(|value| ClientProperty { name: (*name).to_owned(), value }));
        }
    }
    properties
}

fn given(reader: &mut Reader<'_>, name: &str, node: &Node) -> Option<PropertyValue> {
    match reader.scalar(node)? {
        Value::String(text) => Some(PropertyValue::Given(text)),
        Value::Null => {
            reader.error(&node.place, format!("`{name}` has no value"));
            None
        }
        other => Some(PropertyValue::Given(other.to_string())),
    }
}

fn file(reader: &mut Reader<'_>, node: &Node) -> Option<PropertyValue> {
    reader.text(node, "the path of a file").map(|path| PropertyValue::File(path.into()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bellwether_kafka::RESERVED_PROPERTIES;

    use super::RESERVED;

    #[test]
    fn what_the_client_would_refuse_at_the_start_is_told_with_its_place() {
        let told: BTreeSet<&str> = RESERVED.iter().map(|(name, _)| *name).collect();
        assert_eq!(told.len(), RESERVED.len(), "a property comes twice");
        assert_eq!(told, RESERVED_PROPERTIES.iter().copied().collect());
    }
}
