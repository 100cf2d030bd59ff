//! `bellwether schema`: the contracts of everything that is read and written, for those who subscribe.

mod asyncapi;
mod channels;
mod contracts;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::Value;

use self::contracts::contracts;
use crate::configuration::{ConfigurationFile, default_kafka};
use crate::failure::{Failure, Outcome};
use crate::terminal::{print, tell};

/// The name of the description of the topics.
const ASYNCAPI: &str = "asyncapi";

/// The name of the description of the guarded listener.
const OPENAPI: &str = "openapi";

/// Print the JSON Schema of what Bellwether reads and writes, the AsyncAPI document of its topics, or the OpenAPI document of its HTTP
///
/// Schemas are of JSON Schema 2020-12 and say what every record has. They are open: later versions may add fields, which subscribers ignore.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether schema signal-data
  bellwether schema asyncapi --config bellwether.yaml
  bellwether schema --all contracts/")]
pub struct Arguments {
    /// What to print
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(names()), required_unless_present = "all")]
    name: Option<String>,

    /// Write all of them into this directory instead
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    all: Option<PathBuf>,

    /// The configuration file, by which the AsyncAPI document names topics [default: the default names]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Prints or writes them.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    if let Some(directory) = &arguments.all {
        return write_all(directory, arguments);
    }
    let name = arguments.name.as_deref().unwrap_or(ASYNCAPI);
    let document = match contracts().find(|contract| contract.name == name) {
        Some(contract) => contract.schema(),
        None if name == OPENAPI => bellwether_console::openapi(),
        None => topics(arguments)?,
    };
    print(&format!("{document:#}"))?;
    Ok(Outcome::Done)
}

fn write_all(directory: &Path, arguments: &Arguments) -> Result<Outcome, Failure> {
    let unwritable = |path: &Path, error: std::io::Error| Failure::Run(format!("cannot write {}: {error}", path.display()));
    fs::create_dir_all(directory).map_err(|error| unwritable(directory, error))?;
    let schemas = contracts().map(|contract| (format!("{}.schema.json", contract.name), contract.schema()));
    let others = [(format!("{ASYNCAPI}.json"), topics(arguments)?), (format!("{OPENAPI}.json"), bellwether_console::openapi())];
    for (file, document) in schemas.chain(others) {
        let path = directory.join(file);
        fs::write(&path, format!("{document:#}\n")).map_err(|error| unwritable(&path, error))?;
        tell(&format!("wrote {}", path.display()));
    }
    Ok(Outcome::Done)
}

fn topics(arguments: &Arguments) -> Result<Value, Failure> {
    let Some(path) = &arguments.config else { return Ok(asyncapi::document(&default_kafka())) };
    let ConfigurationFile { name, configuration, .. } = ConfigurationFile::read(path)?;
    match configuration.kafka {
        Some(kafka) => Ok(asyncapi::document(&kafka)),
        None => Err(Failure::Usage(format!("{name} has no section `kafka`: there are no topics to describe"))),
    }
}

fn names() -> Vec<&'static str> {
    contracts().map(|contract| contract.name).chain([ASYNCAPI, OPENAPI]).collect()
}
