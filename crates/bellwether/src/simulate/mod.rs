//! A seeded generator of a small synthetic subscription company with planted stories, and the truth about each customer.
//!
//! Each customer lives through its days on its own stream of chances (`customer`), so that it does not depend on how many others there
//! are; the company (`world`) adds incidents and costs. Stories are data (`stories`), which the concerns (billing, activity, support, ...)
//! act upon; `delivery` is the way of what happened to us. Customers are lived through in chunks (`chunk`), whose lines are merged on disk
//! (`spool`), so that memory holds one chunk, however many customers there are.

mod activity;
mod billing;
mod calendar;
mod chunk;
mod company;
mod customer;
mod delivery;
mod event;
mod growth;
mod habits;
mod holidays;
mod leaving;
mod onboarding;
mod random;
mod relation;
mod spool;
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
use schemars::JsonSchema;
use serde::Serialize;

use calendar::{day_of, months_after};
use chunk::live_through;
use customer::Customer;
use delivery::Delivery;
use spool::{Run, merge};
use stories::Story;
use world::{Costs, Outage, World};
use writer::Writer;

/// The events of the company, as [`write_to_directory`] names the file.
pub const EVENTS_FILE: &str = "events.jsonl.zst";
/// What was planted, as [`write_to_directory`] names the file.
pub const TRUTH_FILE: &str = "truth.csv";

const COMPRESSION_LEVEL: i32 = 3;
/// Customers that are lived through at once: some 80 MB of memory.
const CHUNK: u32 = 20_000;
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
    /// Whether one source falls silent for some days. Without, the same happens, and arrives when it happens.
    pub outage: bool,
}

impl Default for Options {
    /// The company of the demo.
    fn default() -> Options {
        Options { customers: 400, months: 18, seed: 1, start: date(2024, 1, 1), outage: true }
    }
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "SimulatedTotals")]
pub struct Totals {
    /// Lines, all types together: events, and the second deliveries of some.
    pub events: u64,
    /// Lines of each type.
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
    /// The outage of a source, if there was one.
    pub outage: Option<Outage>,
}

/// Writes the events as JSON Lines in the order in which they arrive to `out`, and the truth about each customer as CSV to `truth`. Above
/// 20,000 customers runs of lines are kept in `scratch` meanwhile, about as large as the result is when compressed.
pub fn simulate(options: &Options, scratch: &Path, out: &mut dyn Write, truth: &mut dyn Write) -> io::Result<Totals> {
    simulate_in_chunks(options, CHUNK, scratch, out, truth)
}

fn simulate_in_chunks(options: &Options, chunk: u32, scratch: &Path, out: &mut dyn Write, truth: &mut dyn Write) -> io::Result<Totals> {
    let world = draw_world(options)?;
    let mut totals = Totals { customers: options.customers, outage: world.outage, ..Totals::default() };
    totals.customers_by_story.extend(Story::names().map(|name| (name, 0)));
    truth::write_header(truth)?;
    let mut writer = Writer::default();
    let mut costs = Some(Costs::new(options.seed, options.customers));
    let directory = (options.customers > chunk).then(|| tempfile::Builder::new().prefix("spool-").tempdir_in(scratch)).transpose()?;
    let mut runs = Vec::new();
    for first in (1..=options.customers.max(1)).step_by(chunk as usize) {
        let numbers = first..first.saturating_add(chunk).min(options.customers + 1);
        let customers = match &directory {
            None => live_through(numbers, costs.take(), &world, &mut |delivery| out.write_all(writer.line(&delivery.event)?))?,
            Some(directory) => {
                let path = directory.path().join(first.to_string());
                let mut run = Run::create(&path)?;
                runs.push(path);
                let put = &mut |delivery: &Delivery| run.put(delivery.key(), writer.line(&delivery.event)?);
                let customers = live_through(numbers, costs.take(), &world, put)?;
                run.finish()?;
                customers
            }
        };
        add_up(&customers, &mut totals);
        truth::write(&customers, world.log_end, truth)?;
    }
    merge(&runs, out)?;
    out.flush()?;
    truth.flush()?;
    totals.events_by_type = writer.by_type();
    totals.events = totals.events_by_type.values().sum();
    Ok(totals)
}

fn draw_world(options: &Options) -> io::Result<World> {
    if !(1..=MOST_MONTHS).contains(&options.months) || !(1970..=9_000).contains(&options.start.year()) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a log has 1 to {MOST_MONTHS} months, and starts in the years 1970 to 9000"),
        ));
    }
    let first_day = day_of(options.start);
    let mut world = World::draw(options.seed, first_day, months_after(first_day, options.months as i32));
    world.outage = world.outage.filter(|_| options.outage);
    Ok(world)
}

/// Writes [`EVENTS_FILE`] and [`TRUTH_FILE`] into a directory, which is made if it is not there.
pub fn write_to_directory(options: &Options, directory: &Path) -> io::Result<Totals> {
    fs::create_dir_all(directory)?;
    let mut events = zstd::Encoder::new(BufWriter::new(File::create(directory.join(EVENTS_FILE))?), COMPRESSION_LEVEL)?;
    let mut truth = BufWriter::new(File::create(directory.join(TRUTH_FILE))?);
    let totals = simulate(options, directory, &mut events, &mut truth)?;
    events.finish()?.flush()?;
    Ok(totals)
}

fn add_up(customers: &[Customer], totals: &mut Totals) {
    for customer in customers {
        *totals.customers_by_story.entry(customer.plot.story.name()).or_default() += 1;
        *totals.mrr_minor.entry(customer.profile.currency).or_default() += customer.history.mrr_minor;
        totals.active_customers += u32::from(customer.history.end.is_none());
        totals.ended += u32::from(customer.history.end.is_some());
        totals.notices += u32::from(customer.history.notice.is_some());
        totals.upsells += u32::from(customer.history.upsell.is_some());
    }
}
