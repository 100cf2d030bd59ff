//! `bellwether config schema`: what may stand in a configuration, for editors.

use bellwether_codec::yaml::json_schema;
use clap::Args;

use crate::configuration::ROOT;
use crate::failure::{Failure, Outcome};
use crate::terminal::print;

/// Print the JSON Schema of configurations, by which editors complete and check them
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether config schema > bellwether.schema.json")]
pub struct Arguments {}

/// Prints it.
pub fn run(_: &Arguments) -> Result<Outcome, Failure> {
    print(&format!("{:#}", json_schema("Bellwether configuration", &ROOT)))?;
    Ok(Outcome::Done)
}
