//! `bellwether config print`: a configuration as it is understood.

use std::path::PathBuf;

use bellwether_codec::yaml::print_settings;
use clap::Args;

use crate::configuration::{ConfigurationFile, ROOT, host_name};
use crate::failure::{Failure, Outcome};
use crate::terminal::print;

/// Show a configuration as it is understood: with variables replaced and defaults filled in
///
/// Secrets are shown as ***.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether config print bellwether.yaml")]
pub struct Arguments {
    /// The configuration file
    file: PathBuf,
}

/// Prints it.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let file = ConfigurationFile::read(&arguments.file)?;
    let text = print_settings(&file.root, &ROOT, &[("kafka.instance", host_name())]);
    print(text.trim_end())?;
    Ok(Outcome::Done)
}
