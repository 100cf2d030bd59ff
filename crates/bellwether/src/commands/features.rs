//! `bellwether features`: rows of features with what became of their customers, for notebooks.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use bellwether_backtest::fit::labels::LabelledRow;
use bellwether_backtest::fit::row_table::write_rows;
use bellwether_backtest::observe::row_features;
use bellwether_codec::timestamp::format_time;
use clap::{Args, ValueEnum};

use super::feature_log::LogArguments;
use crate::failure::{Failure, Outcome};
use crate::rule_text::RuleText;
use crate::sizes::count;
use crate::terminal::print;

/// Write the features of every customer at evenly spaced dates, and whether it left
///
/// Each row is a customer that paid at the date, was past the warm-up and had not given notice. Columns are customer, time, every built-in feature
/// of the customer as a whole, churned, and complete. Features are numbers; in CSV yes and no are 1 and 0, labels their place in their list,
/// and absent is empty; in Parquet they are booleans, text and null. `churned` is 1 if a churn within the horizon is known. `complete` is 1 if all of the horizon is on the log: take only these, since of
/// the others the churns are known before the stays.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether features --events events.jsonl.zst --every 28d --out features.csv
  bellwether features --journal ./bellwether-data --horizon 60d --out features.parquet")]
pub struct Arguments {
    #[command(flatten)]
    log: LogArguments,

    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// What to write [default: as the file's name ends, in .csv or .parquet]
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated values
    Csv,
    /// Parquet, with typed columns
    Parquet,
}

impl Arguments {
    fn format(&self) -> Result<Format, Failure> {
        let ends_in = |ending: &str| self.out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(ending));
        match self.format {
            Some(format) => Ok(format),
            None if ends_in("csv") => Ok(Format::Csv),
            None if ends_in("parquet") => Ok(Format::Parquet),
            None => Err(Failure::Usage(format!(
                "--out {}: write a file that ends in .csv or .parquet, or say which --format",
                self.out.display()
            ))),
        }
    }
}

/// Writes the rows.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let format = arguments.format()?;
    let file = RuleText::read(arguments.log.rules.as_deref())?.parse()?;
    let log = arguments.log.read(&file)?;
    let rows = arguments.log.labelling(&log, &file).label(log.observed()?);
    match format {
        Format::Csv => write_csv(&rows, &arguments.out).map_err(|error| Failure::writing(&arguments.out, &error))?,
        Format::Parquet => {
            let file = File::create(&arguments.out).map_err(|error| Failure::writing(&arguments.out, &error))?;
            let told = |error| Failure::Run(format!("{}: {error}", arguments.out.display()));
            write_rows(&rows, BufWriter::new(file)).map_err(told)?;
        }
    }
    let complete: Vec<LabelledRow<'_>> = rows.iter().filter(|row| row.is_complete).copied().collect();
    print(&format!(
        "{}: {} rows; {} of them have a complete horizon, and {} of those end in a churn",
        arguments.out.display(),
        count(rows.len() as u64),
        count(complete.len() as u64),
        count(complete.iter().filter(|row| row.churned()).count() as u64),
    ))?;
    Ok(Outcome::of(log.is_partial))
}

fn write_csv(rows: &[LabelledRow<'_>], path: &Path) -> io::Result<()> {
    let mut writer = csv::Writer::from_path(path)?;
    let names = row_features().map(|row| row.name);
    writer.write_record(["customer", "time"].into_iter().chain(names).chain(["churned", "complete"]))?;
    for row in rows {
        writer.write_field(row.customer)?;
        writer.write_field(format_time(row.row.at))?;
        for feature in row_features() {
            writer.write_field(row.row.value(feature.feature).map_or_else(String::new, |value| value.to_string()))?;
        }
        let labels = [row.churned(), row.is_complete].map(|label| if label { "1" } else { "0" });
        writer.write_record(labels)?;
    }
    writer.flush()
}
