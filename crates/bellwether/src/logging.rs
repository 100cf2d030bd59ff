//! The log, on standard error.

use std::io;
use std::sync::Arc;

use bellwether_console::guarded::SetLogLevel;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, reload};

use crate::environment::{self, LogFormat};
use crate::failure::Failure;
use crate::terminal;

/// What is logged when nothing else is asked for.
const DEFAULT_DIRECTIVES: &str = "warn";

/// Starts the log as the environment asks for. What it gives sets other directives later.
pub fn start() -> Result<SetLogLevel, Failure> {
    let format = environment::log_format()?;
    let directives = environment::log_directives()?.unwrap_or_else(|| DEFAULT_DIRECTIVES.to_owned());
    let filter = filter(&directives)
        .map_err(|error| Failure::Usage(format!("{}: {error}; write for example `info` or `bellwether_live=debug`", environment::LOG)))?;
    let (filter, handle) = reload::Layer::new(filter);
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(terminal::has_colours()).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(filter).with(lines).init();
    Ok(Arc::new(move |directives: &str| {
        let filter = self::filter(directives).map_err(|error| error.to_string())?;
        handle.reload(filter).map_err(|error| error.to_string())
    }))
}

/// What is told to people is not a matter of levels: where it is a part of the log, it always passes.
fn filter(directives: &str) -> Result<EnvFilter, ParseError> {
    Ok(EnvFilter::builder().parse(directives)?.add_directive(terminal::DIRECTIVE.parse()?))
}
