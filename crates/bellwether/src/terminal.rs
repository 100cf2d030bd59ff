//! Where text goes: data to standard output, words for people to standard error.

use std::io::{self, IsTerminal, Write};

use tracing::dispatcher;

use crate::environment::{self, LogFormat};
use crate::failure::Failure;

/// Lets what is told through the log pass its filter.
pub const DIRECTIVE: &str = "bellwether::terminal=info";

/// Tells people something. If standard error is closed, nobody is there to be told. Where the log is JSON, it is a line of the log, so that every
/// line is JSON.
pub fn tell(text: &str) {
    if is_json() {
        tracing::info!("{text}");
    } else {
        drop(writeln!(io::stderr(), "{text}"));
    }
}

/// The same of what ends the process.
pub fn tell_failure(text: &str) {
    if is_json() {
        tracing::error!("{text}");
    } else {
        drop(writeln!(io::stderr(), "error: {text}"));
    }
}

/// A failure may come before there is a log.
fn is_json() -> bool {
    dispatcher::has_been_set() && matches!(environment::log_format(), Ok(LogFormat::Json))
}

/// Writes data to standard output, and a newline.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    let written = writeln!(output, "{text}").and_then(|()| output.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::NobodyReads,
        _ => Failure::Run(format!("cannot write to standard output: {error}")),
    })
}

/// Whether a person watches standard error.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Whether standard error may have colours.
pub fn has_colours() -> bool {
    is_watched() && !environment::refuses_colours()
}
