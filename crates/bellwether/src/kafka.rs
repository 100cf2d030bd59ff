//! What every command beside Kafka begins with: the configuration, and clients for it.

use std::path::Path;

use bellwether_live::kafka::Connect;

use crate::configuration::{Configuration, ConfigurationFile, host_name};
use crate::failure::Failure;

/// A configuration with a section `kafka`, and clients for it.
pub struct Kafka {
    /// The configuration.
    pub configuration: Configuration,
    /// The clients.
    pub connect: Connect,
}

impl Kafka {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let ConfigurationFile { name, configuration, .. } = ConfigurationFile::read(path)?;
        let missing = || Failure::Usage(format!("{name} has no section `kafka`: this command works beside Kafka only"));
        let settings = configuration.kafka.as_ref().ok_or_else(missing)?;
        let connect = Connect::new(settings, &host_name()).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Self { configuration, connect })
    }
}
