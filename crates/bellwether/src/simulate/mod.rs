//! A seeded generator of a small synthetic subscription company with planted stories, and the truth about each customer.
//!
//! Each customer lives through its days on its own stream of chances (`customer`), so that it does not depend on how many others there
//! are; the company (`world`) adds incidents and costs. Stories are data (`stories`), which the concerns (billing, activity, support, ...)
//! act upon. Memory holds the customers and one day of events.

mod activity;
mod billing;
mod calendar;
mod company;
mod customer;
mod event;
mod growth;
mod habits;
mod leaving;
mod onboarding;
mod random;
mod relation;
mod stories;
mod support;
mod surveys;
mod team;
mod truth;
mod world;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use jiff::civil::{Date, date};
use serde::Serialize;

use calendar::{day_of, months_after};
use customer::Customer;
use stories::Story;
use world::{Costs, World};
use writer::Writer;

/// The events of the company, as [`write_to_directory`] names the file.
pub const EVENTS_FILE: &str = "events.jsonl.zst";
/// What was planted, as [`write_to_directory`] names the file.
pub const TRUTH_FILE: &str = "truth.csv";

const COMPRESSION_LEVEL: i32 = 3;
/// Longer logs than a century are a typing error.
const MOST_MONTHS: u32 = 1_200;

/// Which company to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many customers come in the course of the log.
    pub customers: u32,
    /// How many months the log covers.
    pub months: u32,
    /// The same seed makes the same bytes.
    pub seed: u64,
    /// The first day of the log.
    pub start: Date,
}

impl Default for Options {
    /// The company of the demo.
    fn default() -> Options {
        Options { customers: 400, months: 18, seed: 1, start: date(2024, 1, 1) }
    }
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Events, all types together.
    pub events: u64,
    /// Events of each type.
    pub events_by_type: BTreeMap<&'static str, u64>,
    /// Customers, all of which start within the log.
    pub customers: u32,
    /// Customers of each story.
    pub customers_by_story: BTreeMap<&'static str, u32>,
    /// Customers that still have a subscription at the end of the log.
    pub active_customers: u32,
    /// Subscriptions that ended within the log.
    pub ended: u32,
    /// Notices within the log that were not withdrawn.
    pub notices: u32,
    /// Customers that bought more.
    pub upsells: u32,
    /// Monthly recurring revenue at the end of the log, in minor units by currency.
    pub mrr_minor: BTreeMap<&'static str, i64>,
}

/// Writes the events as JSON Lines in time order to `out`, and the truth about each customer as CSV to `truth`.
pub fn simulate(options: &Options, out: &mut dyn Write, truth: &mut dyn Write) -> io::Result<Totals> {
    if !(1..=MOST_MONTHS).contains(&options.months) || !(1970..=9_000).contains(&options.start.year()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a log has 1 to {MOST_MONTHS} months, and starts in the years 1970 to 9000"),
        ));
    }
    let first_day = day_of(options.start);
    let world = World::draw(options.seed, first_day, months_after(first_day, options.months as i32));
    let mut customers: Vec<Customer> = (1..=options.customers).map(|number| Customer::draw(number, &world)).collect();
    let mut costs = Costs::new(options.seed, options.customers);
    let mut writer = Writer::new(out);
    let mut day_events = Vec::new();
    for today in world.first_day..world.log_end {
        day_events.clear();
        costs.live(today, &world, &mut day_events);
        for customer in &mut customers {
            customer.live(today, &world, &mut day_events);
        }
        day_events.sort_by_key(|event| (event.time, event.customer, event.sequence));
        for event in &day_events {
            writer.write(event)?;
        }
    }
    truth::write(&customers, world.log_end, truth)?;
    Ok(add_up(&customers, writer.finish()?))
}

/// Writes [`EVENTS_FILE`] and [`TRUTH_FILE`] into a directory, which is made if it is not there.
pub fn write_to_directory(options: &Options, directory: &Path) -> io::Result<Totals> {
    fs::create_dir_all(directory)?;
    let mut events = zstd::Encoder::new(BufWriter::new(File::create(directory.join(EVENTS_FILE))?), COMPRESSION_LEVEL)?;
    let mut truth = BufWriter::new(File::create(directory.join(TRUTH_FILE))?);
    let totals = simulate(options, &mut events, &mut truth)?;
    events.finish()?.flush()?;
    Ok(totals)
}

fn add_up(customers: &[Customer], events_by_type: BTreeMap<&'static str, u64>) -> Totals {
    let mut totals =
        Totals { events: events_by_type.values().sum(), events_by_type, customers: customers.len() as u32, ..Totals::default() };
    totals.customers_by_story.extend(Story::names().map(|name| (name, 0)));
    for customer in customers {
        *totals.customers_by_story.entry(customer.plot.story.name()).or_default() += 1;
        *totals.mrr_minor.entry(customer.profile.currency).or_default() += customer.history.mrr_minor;
        totals.active_customers += u32::from(customer.history.end.is_none());
        totals.ended += u32::from(customer.history.end.is_some());
        totals.notices += u32::from(customer.history.notice.is_some());
        totals.upsells += u32::from(customer.history.upsell.is_some());
    }
    totals
}
