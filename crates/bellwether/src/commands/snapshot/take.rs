//! `bellwether snapshot take`: a snapshot of every partition.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use bellwether_live::kafka;
use bellwether_live::snapshot::{Repository, STRAY_AGE_MS, TakeOptions, Taken};
use clap::Args;

use super::instance::{Instance, in_words, now};
use crate::failure::{Failure, Outcome};
use crate::sizes::count;
use crate::terminal::tell;

/// Take a snapshot of every partition of a stopped instance
///
/// A partition that has a snapshot at its position is left out. A command that was interrupted is simply given again.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether snapshot take --data state --to /backup/bellwether --keep 7")]
pub struct Arguments {
    /// The data directory of the instance
    #[arg(long, value_name = "DIR", default_value = "./bellwether-data")]
    data: PathBuf,

    /// Where to keep the snapshots: a directory, made if need be, or a file:// URL
    #[arg(long, value_name = "DIR|URL")]
    to: String,

    /// Id of the journal, where the instance does not keep it itself
    #[arg(long, value_name = "ID")]
    journal: Option<String>,

    /// Then keep the newest N snapshots of each partition, and remove older ones [default: all]
    #[arg(long, value_name = "N")]
    keep: Option<NonZeroUsize>,
}

/// Takes them.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let instance = Instance::open(&arguments.data, arguments.journal.as_deref(), false)?;
    let repository = Repository::create(&arguments.to)?;
    let created_at = now()?;
    let embedded = instance.embedded.as_ref().map(|embedded| embedded.attachment(&instance.store)).transpose()?;
    let attachment = |rule_set| match &embedded {
        Some(attachment) => Ok(attachment.clone()),
        None => kafka::rule_texts(rule_set, &instance.store),
    };
    let scratch = instance.scratch();
    let options = TakeOptions { journal_id: &instance.journal_id, scratch: &scratch, created_at, attachment: &attachment };
    for partition in instance.store.partitions() {
        match repository.take(&instance.store, partition, &options)? {
            Taken::New(manifest) => tell(&format!("partition {partition}: taken at {}", in_words(&manifest))),
            Taken::Present(manifest) => tell(&format!("partition {partition}: there is one at {}", in_words(&manifest))),
            Taken::Nothing => {}
        }
    }
    if let Some(keep) = arguments.keep {
        let pruned = repository.prune(&instance.journal_id, keep, created_at.plus_ms(-STRAY_AGE_MS))?;
        tell(&format!("{} older snapshots removed", count(pruned.snapshots)));
    }
    Ok(Outcome::Done)
}
