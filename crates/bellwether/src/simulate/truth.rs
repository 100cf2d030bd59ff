//! Writes what was planted, one customer a line: the answer sheet against which signals are measured.

use std::io::{self, Write};

use super::calendar::{Day, date_of};
use super::customer::Customer;
use super::writer::customer_id;

/// The first line of `truth.csv`.
pub fn write_header(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "customer,story,start,decision,notice,end,upsell")
}

/// Writes the lines of some customers. A date that lies after the end of the log has not happened, and is left empty.
pub fn write(customers: &[Customer], log_end: Day, out: &mut dyn Write) -> io::Result<()> {
    for customer in customers {
        let decision = customer.plot.departure.and_then(|departure| departure.decision).filter(|decision| *decision < log_end);
        let history = customer.history;
        let dates = [Some(customer.profile.start), decision, history.notice, history.end, history.upsell].map(iso);
        writeln!(out, "{},{},{}", customer_id(customer.profile.number), customer.plot.story.name(), dates.join(","))?;
    }
    Ok(())
}

fn iso(day: Option<Day>) -> String {
    day.map(|day| date_of(day).to_string()).unwrap_or_default()
}
