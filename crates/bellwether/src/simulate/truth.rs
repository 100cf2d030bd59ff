//! Writes what was planted, one customer a line: the answer sheet against which signals are measured.

use std::io::{self, Write};

use super::calendar::{Day, date_of};
use super::customer::Customer;
use super::writer::customer_id;

/// Writes `truth.csv`. A date that lies after the end of the log has not happened, and is left empty.
pub fn write(customers: &[Customer], log_end: Day, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "customer,story,decision,notice,end,upsell")?;
    for customer in customers {
        let decision = customer.plot.departure.and_then(|departure| departure.decision).filter(|decision| *decision < log_end);
        let history = customer.history;
        let [decision, notice, end, upsell] = [decision, history.notice, history.end, history.upsell].map(iso);
        writeln!(out, "{},{},{decision},{notice},{end},{upsell}", customer_id(customer.profile.number), customer.plot.story.name())?;
    }
    out.flush()
}

fn iso(day: Option<Day>) -> String {
    day.map(|day| date_of(day).to_string()).unwrap_or_default()
}
