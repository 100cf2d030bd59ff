//! The command line of Bellwether: it parses what is asked for, builds what that needs, and calls the libraries.

mod bytes_text;
mod commands;
mod configuration;
mod console_server;
mod distinct_files;
mod environment;
mod failure;
mod inputs;
mod kafka;
mod log_line;
mod logging;
mod metrics_server;
mod open_signals;
mod progress;
mod replay_sink;
mod rule_text;
mod silence_text;
mod simulate;
mod sizes;
mod stop;
mod summary_text;
mod terminal;
mod text_table;

use std::process::ExitCode;

use clap::Parser;

use commands::CommandLine;
use tikv_jemallocator::Jemalloc;

/// Also serves RocksDB and librdkafka. With their many threads the C library's allocator holds more memory, and events take longer.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    match logging::start().and_then(|set_log_level| command_line.run(&set_log_level)) {
        Ok(outcome) => outcome.exit_code(),
        Err(failure) => failure.report(),
    }
}
