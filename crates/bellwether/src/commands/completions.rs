//! `bellwether completions`: the script by which a shell completes commands and options.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::CommandLine;
use crate::failure::{Failure, Outcome};
use crate::terminal::print;

/// Print the script by which your shell completes bellwether's commands and options
#[derive(Args, Debug)]
#[command(after_help = "\
Example, for bash:
  bellwether completions bash > ~/.local/share/bash-completion/completions/bellwether")]
pub struct Arguments {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut CommandLine::command(), "bellwether", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Outcome::Done)
}
