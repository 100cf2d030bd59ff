//! Where text goes: data to standard output, words for people to standard error.

use std::io::{self, IsTerminal, Write};

use crate::environment;
use crate::failure::Failure;

/// Tells people something. If standard error is closed, nobody is there to be told.
pub fn tell(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
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
