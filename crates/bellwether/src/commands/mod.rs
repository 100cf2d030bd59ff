//! The commands, one file each.

mod backtest;
mod completions;
mod config;
mod demo;
mod dlq;
mod erase;
mod explain;
mod feature_log;
mod features;
mod fit;
mod forward;
mod journal;
mod journal_range;
mod open_table;
mod pseudonym;
mod replay;
mod replay_journal;
mod rules;
mod run;
mod run_kafka;
mod schema;
mod silence;
mod simulate;
mod snapshot;
mod topics;

use bellwether_console::guarded::SetLogLevel;
use clap::{Parser, Subcommand};

use crate::environment;
use crate::failure::{Failure, Outcome};

/// Reads what your customers do, and warns you before they leave
///
/// Bellwether reads events of a subscription business (logins, tickets, invoices, surveys, visits to the cancellation page), keeps a small state for
/// each customer, and writes signals: this customer is at risk, that one is ready to buy more, and why.
///
/// New here? `bellwether demo` shows it at work on a simulated company.
#[derive(Parser, Debug)]
#[command(name = "bellwether", version, max_term_width = 110, after_long_help = environment::help())]
#[command(arg_required_else_help = true, propagate_version = true)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Demo(demo::Arguments),
    Run(run::Arguments),
    Replay(replay::Arguments),
    Backtest(Box<backtest::Arguments>),
    Explain(Box<explain::Arguments>),
    Features(Box<features::Arguments>),
    Fit(Box<fit::Arguments>),
    Forward(forward::Arguments),
    Simulate(simulate::Arguments),
    #[command(subcommand)]
    Rules(rules::Command),
    #[command(subcommand)]
    Silence(silence::Command),
    #[command(subcommand)]
    Config(config::Command),
    Schema(schema::Arguments),
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    #[command(subcommand)]
    Topics(topics::Command),
    #[command(subcommand)]
    Journal(journal::Command),
    #[command(subcommand)]
    Dlq(dlq::Command),
    Erase(erase::Arguments),
    Pseudonym(pseudonym::Arguments),
    Completions(completions::Arguments),
}

impl CommandLine {
    /// Does what is asked for.
    pub fn run(self, set_log_level: &SetLogLevel) -> Result<Outcome, Failure> {
        match self.command {
            Command::Demo(arguments) => demo::run(&arguments, set_log_level),
            Command::Run(arguments) => run::run(arguments, set_log_level),
            Command::Replay(arguments) => replay::run(arguments),
            Command::Backtest(arguments) => backtest::run(&arguments),
            Command::Explain(arguments) => explain::run(&arguments),
            Command::Features(arguments) => features::run(&arguments),
            Command::Fit(arguments) => fit::run(&arguments),
            Command::Forward(arguments) => forward::run(&arguments),
            Command::Simulate(arguments) => simulate::run(&arguments),
            Command::Rules(command) => rules::run(command),
            Command::Silence(command) => silence::run(command),
            Command::Config(command) => config::run(command),
            Command::Schema(arguments) => schema::run(&arguments),
            Command::Snapshot(command) => snapshot::run(command),
            Command::Topics(command) => topics::run(command),
            Command::Journal(command) => journal::run(command),
            Command::Dlq(command) => dlq::run(command),
            Command::Erase(arguments) => erase::run(&arguments),
            Command::Pseudonym(arguments) => pseudonym::run(&arguments),
            Command::Completions(arguments) => completions::run(&arguments),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::CommandLine;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }
}
