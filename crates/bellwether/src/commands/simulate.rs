//! `bellwether simulate`: a made-up company, to try things out on.

use std::path::PathBuf;

use bellwether_codec::contract::{Contract, of};
use clap::Args;
use clap::value_parser;

use crate::failure::{Failure, Outcome};
use crate::simulate::{EVENTS_FILE, Options, TRUTH_FILE, Totals, write_to_directory};
use crate::terminal::{print, tell};

/// The totals as a contract.
pub const CONTRACT: Contract = Contract { name: "simulation", title: "The totals of a made-up company", describe: of::<Totals> };

/// Make up a company: the events of its customers, and the truth about who left and why
///
/// Writes events.jsonl.zst and truth.csv into a directory, and prints totals as JSON. The same numbers make the same bytes. A million customers
/// need no more memory than 20,000; while they are made they need about twice the space on disk.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether simulate --customers 2000 --months 24 --seed 1 --out company
  bellwether run --events company/events.jsonl.zst --once")]
pub struct Arguments {
    /// Customers that come in the course of the log
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = value_parser!(u32).range(1..=1_000_000))]
    customers: u32,

    /// Months that the log covers
    #[arg(long, value_name = "M", default_value_t = 18, value_parser = value_parser!(u32).range(1..=1_200))]
    months: u32,

    /// Another number makes another company
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// Leave out the outage of one source, and have its events arrive when they happen
    #[arg(long)]
    no_outage: bool,

    /// The directory to write to; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Writes the company.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let Arguments { customers, months, seed, no_outage, out } = arguments;
    let options = Options { customers: *customers, months: *months, seed: *seed, outage: !no_outage, ..Options::default() };
    let totals = write_to_directory(&options, out).map_err(|error| Failure::writing(out, &error))?;
    tell(&format!("wrote {} and {}", out.join(EVENTS_FILE).display(), out.join(TRUTH_FILE).display()));
    let totals = serde_json::to_string_pretty(&totals).map_err(|error| Failure::Run(format!("the totals are not JSON: {error}")))?;
    print(&totals)?;
    Ok(Outcome::Done)
}
