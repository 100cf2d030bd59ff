//! `bellwether journal rewrite`: a data directory from others, with another number of partitions, merged history, and erased bytes gone.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use bellwether_backtest::journal::Journal;
use bellwether_backtest::merged::{Entry, Logs};
use bellwether_live::error::LiveError;
use bellwether_live::journal_directory::JournalDirectory;
use bellwether_live::rewriting::Rewriting;
use clap::{Args, value_parser};

use super::super::replay_journal::Directory;
use super::super::run::{self, MAX_PARTITIONS};
use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::inputs::{EventArguments, ingest_clock};
use crate::sizes::count;
use crate::stop;
use crate::summary_text;
use crate::terminal::tell;

/// Write the journal of an embedded run anew: with other partitions, with history merged in, without what was erased
///
/// Makes a new data directory and leaves the old ones as they are. Records come in the order of time; rules take effect where they did in the
/// first journal. All is decided again, so that the signals file within the new directory holds every signal from the start: those of each customer
/// are what they were, unless history came in. What is of a customer from before it was erased is left out, and the erasure becomes a hash.
///
/// Then give the new directory to `run`, which goes on in it, and remove the old one. Dead letters stay there.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  bellwether journal rewrite --journal ./bellwether-data --partitions 16 --to ./wider
  bellwether journal rewrite --journal ./bellwether-data --events history/ --to ./with-history")]
pub struct Arguments {
    /// Data directories of embedded runs
    #[arg(long, value_name = "DIR", num_args = 1.., required = true)]
    journal: Vec<PathBuf>,

    #[command(flatten)]
    inputs: EventArguments,

    /// Journal partitions of the new one [default: as many as the first has]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=MAX_PARTITIONS))]
    partitions: Option<u16>,

    /// The data directory to make
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Writes the new directory.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    if arguments.to.exists() {
        return Err(Failure::Usage(format!("--to {}: it is there already", arguments.to.display())));
    }
    let journals = arguments.journal.iter().map(|data| JournalDirectory::open(data)).collect::<Result<Vec<_>, _>>()?;
    let pseudonymiser = environment::pseudonymiser()?;
    let key_id = format!("{:016x}", pseudonymiser.key_id());
    for (journal, data) in journals.iter().zip(&arguments.journal) {
        if journal.pseudonym_key_id() != key_id {
            return Err(LiveError::PseudonymKey { data: data.clone() }.into());
        }
    }
    let partitions = arguments.partitions.or_else(|| journals.first().map(JournalDirectory::partitions));
    let unfinished = arguments.to.with_added_extension("unfinished");
    let journals: Vec<Directory> = journals.into_iter().map(Directory).collect();
    let logs = Logs {
        journals: journals.iter().map(|journal| journal as &dyn Journal).collect(),
        files: if arguments.inputs.events.is_empty() { Vec::new() } else { arguments.inputs.specs()? },
        decoder: arguments.inputs.decoder(pseudonymiser),
        with_controls: true,
        ingest_clock: ingest_clock(),
    };
    let mut options = run::options_as_found(&unfinished, None)?;
    options.partitions = partitions;
    let mut rewriting = Rewriting::begin(options)?;
    let stop = stop::flag_of_signals()?;
    let merged = logs.read(&stop, |entry, time| match entry {
        Entry::Event(event, key) => rewriting.event(event, key, time).map_err(Failure::from),
        Entry::Rules(rules) => rewriting.rules(&rules.text).map_err(Failure::from),
        Entry::Erased(erasure) => rewriting.erased(*erasure, time).map_err(Failure::from),
        Entry::SourceSilent(source) | Entry::SourceResumed(source) => {
            Err(Failure::Usage(format!("the journal tells that the source {} was silent, as embedded ones never do", source.source)))
        }
    })?;
    if stop.load(Ordering::Relaxed) {
        return Err(Failure::Run(format!("stopped by a signal: remove {}, which is not whole", unfinished.display())));
    }
    let journals: Vec<JournalDirectory> = journals.into_iter().map(|journal| journal.0).collect();
    let summary = rewriting.finish(&journals, merged.positions)?;
    fs::rename(&unfinished, &arguments.to).map_err(|error| Failure::writing(&arguments.to, &error))?;
    tell(&summary_text::in_words(&summary));
    if merged.erased > 0 {
        tell(&format!("{} records of erased customers were left out", count(merged.erased)));
    }
    if merged.refused > 0 {
        tell(&format!("{} lines of files were refused", count(merged.refused)));
    }
    if merged.broke_off {
        tell("a file broke off in the middle: all up to there was taken in");
    }
    Ok(Outcome::of(merged.broke_off))
}
