//! `bellwether features`: rows of features with what became of their customers, for notebooks.

use std::io;
use std::path::{Path, PathBuf};

use bellwether_backtest::fit::labels::{LabelledRow, churns};
use bellwether_backtest::observe::row_features;
use bellwether_codec::timestamp::format_time;
use clap::Args;

use super::feature_log::LogArguments;
use crate::failure::{Failure, Outcome};
use crate::rule_text::RuleText;
use crate::sizes::count;
use crate::terminal::print;

/// Write the features of every customer at evenly spaced dates, and whether it left
///
/// Each row is a customer that paid at the date, was past the warm-up and had not given notice. Columns are customer, time, every built-in feature
/// of the customer as a whole, churned, and complete. Features are numbers; yes and no are 1 and 0, labels their place in their list, and absent is
/// empty. `churned` is 1 if a churn within the horizon is known. `complete` is 1 if all of the horizon is on the log: take only these, since of
/// the others the churns are known before the stays.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether features --events events.jsonl.zst --every 28d --out features.csv
  bellwether features --journal ./bellwether-data --horizon 60d --out features.csv")]
pub struct Arguments {
    #[command(flatten)]
    log: LogArguments,

    /// The file to write, as CSV
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
}

/// Writes the rows.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    if arguments.out.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("csv")) {
        return Err(Failure::Usage(format!("--out {}: write a file that ends in .csv", arguments.out.display())));
    }
    let file = RuleText::read(arguments.log.rules.as_deref())?.parse()?;
    let log = arguments.log.read(&file)?;
    let rows = arguments.log.labelling(&log, &file).label(log.observed()?);
    write(&rows, &arguments.out).map_err(|error| Failure::writing(&arguments.out, &error))?;
    let complete: Vec<LabelledRow<'_>> = rows.iter().filter(|row| row.is_complete).copied().collect();
    print(&format!(
        "{}: {} rows; {} of them have a complete horizon, and {} of those end in a churn",
        arguments.out.display(),
        count(rows.len() as u64),
        count(complete.len() as u64),
        count(churns(&complete) as u64),
    ))?;
    Ok(Outcome::of(log.is_partial))
}

fn write(rows: &[LabelledRow<'_>], path: &Path) -> io::Result<()> {
    let mut writer = csv::Writer::from_path(path)?;
    let names = row_features().map(|row| row.name);
    writer.write_record(["customer", "time"].into_iter().chain(names).chain(["churned", "complete"]))?;
    for row in rows {
        writer.write_field(row.customer)?;
        writer.write_field(format_time(row.row.at))?;
        for feature in row_features() {
            writer.write_field(row.row.value(feature.feature).map_or_else(String::new, |value| value.to_string()))?;
        }
        let labels = [row.churned, row.is_complete].map(|label| if label { "1" } else { "0" });
        writer.write_record(labels)?;
    }
    writer.flush()
}
