//! The log, on standard error.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::environment;
use crate::failure::Failure;
use crate::terminal;

/// What is logged when nothing else is asked for.
const DEFAULT_DIRECTIVES: &str = "warn";

/// Starts the log as the environment asks for.
pub fn start() -> Result<(), Failure> {
    let directives = environment::log_directives()?.unwrap_or_else(|| DEFAULT_DIRECTIVES.to_owned());
    let filter = EnvFilter::builder()
        .parse(&directives)
        .map_err(|error| Failure::Usage(format!("{}: {error}; write for example `info` or `bellwether_live=debug`", environment::LOG)))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(terminal::has_colours()).init();
    Ok(())
}
