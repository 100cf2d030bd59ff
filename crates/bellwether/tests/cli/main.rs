//! The binary as its users meet it: arguments, exit codes, files and streams.

mod backtest;
mod bad_input;
mod config;
mod demo;
mod erase;
mod evaluation;
mod explain;
mod help;
mod journals;
mod live;
mod logs;
mod outputs;
mod priority;
mod reasons;
mod renamed;
mod rewriting;
mod rules;
mod runs;
mod schemas;
mod silences;
mod snapshots;
mod stopping;
mod support;
mod tables;
mod terminal;
mod usage;
