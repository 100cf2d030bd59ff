//! `bellwether snapshot restore`: partitions of a stopped instance from their snapshots.

use std::path::PathBuf;

use bellwether_codec::state::FOLD_VERSION;
use bellwether_live::kafka;
use bellwether_live::snapshot::{Manifest, Repository, Wanted};
use bellwether_store::Position;
use clap::Args;

use super::instance::{Instance, in_words, listing};
use crate::failure::{Failure, Outcome};
use crate::sizes::count;
use crate::terminal::tell;

/// After every position.
const END: Position = Position { offset: u64::MAX, review_due: i64::MAX, customer: u128::MAX };

/// Bring the partitions of a stopped instance back from their snapshots
///
/// Each partition becomes the newest snapshot of it that is whole; damaged ones are told and passed over. Nothing is restored unless each has one.
/// What came after the snapshot is folded again from the journal at the next start.
///
/// An embedded data directory, which keeps its journal itself, cannot do that yet: there, a snapshot is restored only if it was taken at the very end
/// of the partition's journal, and --force changes nothing about it.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  bellwether snapshot restore --data state --from /backup/bellwether --partition 3")]
pub struct Arguments {
    /// The data directory of the instance
    #[arg(long, value_name = "DIR", default_value = "./bellwether-data")]
    data: PathBuf,

    /// Where the snapshots are kept: a directory or a file:// URL
    #[arg(long, value_name = "DIR|URL")]
    from: String,

    /// Id of the journal, where the instance does not keep it itself
    #[arg(long, value_name = "ID")]
    journal: Option<String>,

    /// Only this partition [default: all that have snapshots]
    #[arg(long, value_name = "N")]
    partition: Option<u16>,

    /// Go back, where a partition stands further than its snapshots
    #[arg(long)]
    force: bool,
}

/// Restores them.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let repository = Repository::open(&arguments.from)?;
    let instance = Instance::open(&arguments.data, arguments.journal.as_deref(), true)?;
    let partitions = match (arguments.partition, &instance.embedded) {
        (Some(partition), _) => vec![partition],
        (None, Some(embedded)) => (0..).take(embedded.ends.len()).collect(),
        (None, None) => with_snapshots(&repository, &instance.journal_id)?,
    };
    if partitions.is_empty() {
        return Err(Failure::Usage(format!("there are no snapshots of the journal {} in {}", instance.journal_id, arguments.from)));
    }
    let wishes = partitions.iter().map(|partition| wanted(&instance, *partition, arguments.force));
    let wishes = wishes.collect::<Result<Vec<_>, _>>()?;
    for wanted in &wishes {
        if repository.best(*wanted)?.is_none() {
            return Err(Failure::Usage(why_none(&repository, &instance, *wanted, &arguments.from)?));
        }
    }
    for wanted in wishes {
        let prepare = |manifest: &Manifest| match &instance.embedded {
            Some(_) => Ok(()),
            None => kafka::keep_rule_texts(manifest, &instance.store),
        };
        let restored = repository.restore_best_after(&instance.store, wanted, &instance.scratch(), &prepare, &|_, _| {})?;
        restored.damaged.iter().for_each(|damaged| tell(&damaged.to_string()));
        let Some(manifest) = restored.used else {
            let text = format!("partition {}: none of its snapshots that would do is whole, and it is as it was", wanted.partition);
            return Err(Failure::Run(text));
        };
        tell(&format!("partition {}: restored from {}", wanted.partition, in_words(&manifest)));
    }
    Ok(Outcome::Done)
}

fn with_snapshots(repository: &Repository, journal_id: &str) -> Result<Vec<u16>, Failure> {
    let found = listing(repository, Some(journal_id))?.snapshots;
    let mut partitions: Vec<u16> = found.iter().map(|manifest| manifest.partition).collect();
    partitions.dedup();
    Ok(partitions)
}

/// Which snapshots of a partition would do.
fn wanted(instance: &Instance, partition: u16, force: bool) -> Result<Wanted<'_>, Failure> {
    let (at_least, at_most) = match &instance.embedded {
        Some(embedded) => {
            let end = embedded.ends.get(usize::from(partition)).copied();
            let count = embedded.ends.len();
            let offset = end.ok_or_else(|| Failure::Usage(format!("there is no partition {partition}: the journal has {count}")))?;
            (Position { offset, ..Position::default() }, Position { offset, ..END })
        }
        None if force => (Position::default(), END),
        None => (instance.store.header(partition)?.map(|header| header.position).unwrap_or_default(), END),
    };
    Ok(Wanted { journal_id: &instance.journal_id, partition, fold_version: FOLD_VERSION, at_least, at_most })
}

/// Why no snapshot would do, and what to do about it.
fn why_none(repository: &Repository, instance: &Instance, wanted: Wanted<'_>, from: &str) -> Result<String, Failure> {
    let Wanted { partition, at_least, .. } = wanted;
    let newest = repository.best(Wanted { at_least: Position::default(), at_most: END, ..wanted })?;
    let Some(newest) = newest else {
        return Ok(format!("partition {partition} has no snapshot of fold version {FOLD_VERSION} in {from}; nothing was restored"));
    };
    let (here, there) = (count(at_least.offset), count(newest.position.offset));
    Ok(match &instance.embedded {
        Some(_) => format!(
            "partition {partition}: its journal ends at offset {here}, its newest snapshot is of offset {there}. An embedded data directory cannot \
             fold the rest of its journal again yet, so only a snapshot of the journal's end can be restored; nothing was. Make a new data \
             directory from the same events instead"
        ),
        None => format!(
            "partition {partition} stands at offset {here}, further than its newest snapshot, which is of offset {there}; nothing was restored. \
             Give --force to go back: what came after is folded again from the journal"
        ),
    })
}
