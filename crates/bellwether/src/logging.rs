//! The log, on standard error.

use std::io;
use std::sync::Arc;

use bellwether_console::guarded::SetLogLevel;
use tracing_subscriber::EnvFilter;

use crate::environment;
use crate::failure::Failure;
use crate::terminal;

/// What is logged when nothing else is asked for.
const DEFAULT_DIRECTIVES: &str = "warn";

/// Starts the log as the environment asks for. What it gives sets other directives later.
pub fn start() -> Result<SetLogLevel, Failure> {
    let directives = environment::log_directives()?.unwrap_or_else(|| DEFAULT_DIRECTIVES.to_owned());
    let filter = EnvFilter::builder()
        .parse(&directives)
        .map_err(|error| Failure::Usage(format!("{}: {error}; write for example `info` or `bellwether_live=debug`", environment::LOG)))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(terminal::has_colours());
    let subscriber = subscriber.with_filter_reloading();
    let handle = subscriber.reload_handle();
    subscriber.init();
    Ok(Arc::new(move |directives: &str| {
        let filter = EnvFilter::builder().parse(directives).map_err(|error| error.to_string())?;
        handle.reload(filter).map_err(|error| error.to_string())
    }))
}
