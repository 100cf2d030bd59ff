//! Outcomes from elsewhere: a CSV file of who gave notice and who left, when the log does not say it.

use std::collections::BTreeMap;
use std::io::Read;

use bellwether_codec::timestamp::parse_date_or_time;
use bellwether_engine::time::Time;
use serde::Deserialize;

/// What became of a customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// When it gave notice.
    pub notice: Option<Time>,
    /// When its service ended, or will.
    pub end: Option<Time>,
}

/// Outcomes by customer, in the order of time.
pub type Outcomes = BTreeMap<String, Vec<Outcome>>;

/// Why a file of outcomes cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutcomesError {
    /// It is not CSV, or lacks a column.
    #[error("{0}; a file of outcomes is CSV with the columns customer, notice and end")]
    Csv(#[from] csv::Error),
    /// A date is none.
    #[error("line {line}: the {column} `{text}` is no date: write 2026-03-01 or 2026-03-01T08:15:00Z, or leave it empty")]
    Date {
        /// Line in the file.
        line: u64,
        /// Which column.
        column: &'static str,
        /// What stands there.
        text: String,
    },
}

#[derive(Deserialize)]
struct Row {
    customer: String,
    notice: String,
    end: String,
}

impl Outcome {
    /// The churn time: the first of both.
    #[must_use]
    pub fn churn_at(&self) -> Option<Time> {
        self.notice.into_iter().chain(self.end).min()
    }
}

/// Reads outcomes. Further columns are not looked at; a customer may stand there more than once.
///
/// # Errors
///
/// With the first row that is wrong.
pub fn read_outcomes(input: impl Read) -> Result<Outcomes, OutcomesError> {
    let mut outcomes = Outcomes::new();
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let headers = reader.headers()?.clone();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record)? {
        let line = record.position().map_or(0, csv::Position::line);
        let row: Row = record.deserialize(Some(&headers))?;
        let outcome = Outcome { notice: date(line, "notice", &row.notice)?, end: date(line, "end", &row.end)? };
        let of_customer = outcomes.entry(row.customer).or_default();
        of_customer.push(outcome);
        of_customer.sort_by_key(Outcome::churn_at);
    }
    Ok(outcomes)
}

fn date(line: u64, column: &'static str, text: &str) -> Result<Option<Time>, OutcomesError> {
    if text.is_empty() {
        return Ok(None);
    }
    parse_date_or_time(text).map(Some).map_err(|_| OutcomesError::Date { line, column, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_names() {
        let text = "story,customer,end,notice\nx,c-1,2026-03-01,2026-02-01\ny,c-2,,\nz,c-1,2025-01-01T12:00:00Z,\n";
        let outcomes = read_outcomes(text.as_bytes()).expect("it is right");
        let times: Vec<_> = outcomes["c-1"].iter().map(|outcome| outcome.churn_at().expect("it left").day().0).collect();
        assert_eq!(times, [20_089, 20_485]);
        assert_eq!(outcomes["c-2"], [Outcome::default()]);
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let told = |text: &str| read_outcomes(text.as_bytes()).expect_err("it is wrong").to_string();
        assert!(told("customer,notice,end\nc,,soon\n").starts_with("line 2: the end `soon` is no date"));
        assert!(told("customer,notice\nc,\n").contains("missing field `end`"), "{}", told("customer,notice\nc,\n"));
        assert!(told("customer,notice,end\nc,\n").contains("line: 2"));
    }
}
