//! `bellwether config check`: every mistake in a configuration at once.

use std::path::PathBuf;

use clap::Args;

use crate::configuration::{Configuration, ConfigurationFile};
use crate::failure::{Failure, Outcome};
use crate::metrics_server::MetricsAddress;
use crate::sizes::memory;
use crate::terminal::print;

/// Tell every mistake in a configuration, with its line and column
///
/// Exits with 2 if there are any. Files that the configuration names are not read.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether config check bellwether.yaml")]
pub struct Arguments {
    /// The configuration file
    file: PathBuf,
}

/// Checks the file.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let file = ConfigurationFile::read(&arguments.file)?;
    print(&format!("{}: {}, no mistakes", file.name, in_words(&file.configuration)))?;
    Ok(Outcome::Done)
}

/// What a run with it would be.
fn in_words(configuration: &Configuration) -> String {
    let Configuration { data, memory_bytes, metrics, kafka, forward, .. } = configuration;
    let kind = match kafka {
        Some(kafka) => format!("a Kafka run at {} with {} sources", kafka.brokers, kafka.sources.len()),
        None => "a run without Kafka".to_owned(),
    };
    let metrics = match metrics {
        MetricsAddress::Off => "without metrics".to_owned(),
        MetricsAddress::At(address) => format!("with metrics at {address}"),
    };
    let routes = forward.as_ref().map(|forward| format!(", {} routes of signals", forward.routes.len())).unwrap_or_default();
    format!("{kind}, in {}, with {}, {metrics}{routes}", data.display(), memory(*memory_bytes))
}
