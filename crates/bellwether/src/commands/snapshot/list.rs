//! `bellwether snapshot list`: which snapshots there are.

use bellwether_codec::timestamp::format_time;
use bellwether_live::snapshot::{Manifest, Repository};
use clap::Args;
use comfy_table::{CellAlignment, Table, presets};

use super::instance::listing;
use super::listed::Listed;
use crate::failure::{Failure, Outcome};
use crate::sizes::{count, memory};
use crate::terminal::print;

/// List the snapshots that are kept in a place
///
/// Their tables are not read: `bellwether snapshot verify` does that.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether snapshot list --from /backup/bellwether")]
pub struct Arguments {
    /// Where the snapshots are kept: a directory or a file:// URL
    #[arg(long, value_name = "DIR|URL")]
    from: String,

    /// Only those of this journal
    #[arg(long, value_name = "ID")]
    journal: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the list.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let found = listing(&Repository::open(&arguments.from)?, arguments.journal.as_deref())?;
    if arguments.json {
        let text = serde_json::to_string_pretty(&Listed::of(&found));
        print(&text.map_err(|error| Failure::Run(error.to_string()))?)?
    } else {
        print(&table(&found.snapshots).trim_fmt())?
    }
    Ok(Outcome::Done)
}

fn table(snapshots: &[Manifest]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["journal", "partition", "fold version", "offset", "journal time", "taken at", "entries", "size"]);
    for number in [1, 2, 3, 6, 7] {
        table.column_mut(number).into_iter().for_each(|column| {
            column.set_cell_alignment(CellAlignment::Right);
        });
    }
    for manifest in snapshots {
        table.add_row([
            manifest.journal_id.clone(),
            manifest.partition.to_string(),
            manifest.fold_version.to_string(),
            count(manifest.position.offset),
            format_time(manifest.journal_time),
            format_time(manifest.created_at),
            count(manifest.entries),
            memory(manifest.bytes),
        ]);
    }
    table
}
