//! What an operator gets: files are linted, rendered and held against the schemas of the programs that read them, and the guide's commands are run.

mod blocks;
mod chart;
mod chart_console;
mod chart_forward;
mod configuration;
mod files;
mod generator;
mod grafana;
mod guide;
mod operator;
mod support;
