//! `bellwether snapshot list`: which snapshots there are.

use bellwether_codec::timestamp::format_time;
use bellwether_live::snapshot::{Listing, Manifest, Repository};
use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::instance::listing;
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
        print(&as_json(&found)?)?
    } else {
        print(&table(&found.snapshots).trim_fmt())?
    }
    Ok(Outcome::Done)
}

/// A manifest without what is kept beside it, which may be long.
fn as_json(found: &Listing) -> Result<String, Failure> {
    let brief = |manifest: &Manifest| {
        let mut value = serde_json::to_value(manifest)?;
        if let Some(object) = value.as_object_mut() {
            object.remove("attachment");
            object.insert("name".to_owned(), manifest.name().into());
        }
        Ok(value)
    };
    let snapshots = found.snapshots.iter().map(brief).collect::<Result<Vec<Value>, serde_json::Error>>();
    let damaged: Vec<_> = found.damaged.iter().map(|damaged| json!({ "name": damaged.name, "reason": damaged.reason })).collect();
    let text = snapshots.and_then(|snapshots| serde_json::to_string_pretty(&json!({ "snapshots": snapshots, "damaged": damaged })));
    text.map_err(|error| Failure::Run(error.to_string()))
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
