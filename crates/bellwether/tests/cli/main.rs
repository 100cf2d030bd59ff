//! The binary as its users meet it: arguments, exit codes, files and streams.

mod bad_input;
mod config;
mod help;
mod journals;
mod live;
mod rules;
mod runs;
mod silences;
mod snapshots;
mod support;
mod usage;
