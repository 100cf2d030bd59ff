//! `bellwether journal import`: history from files, before a journal goes live.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use bellwether_codec::rejection::RejectReason;
use bellwether_live::kafka::{ImportOptions, Imported, import, rules_in_force};
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::inputs::{EventArguments, ingest_clock};
use crate::kafka::Kafka;
use crate::progress::Progress;
use crate::sizes::count;
use crate::stop;
use crate::terminal::tell;

/// Fill a new journal with the history from files, before `run` begins
///
/// Files are read and merged as `run --events` does it, and each event is journaled once: after any kind of end the same command goes on where it was.
/// Their events come before everything else, so a journal in which somebody has written already is refused.
///
/// Publish the rules first: then history is decided by them. `rules publish --quiet-until TIME` keeps what is long past from being sent.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  bellwether topics create --config bellwether.yaml
  bellwether rules publish --config bellwether.yaml rules.yaml
  bellwether journal import --config bellwether.yaml --events history/ tickets.jsonl.zst")]
pub struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    #[command(flatten)]
    inputs: EventArguments,

    /// The file for refused lines [default: import-dead-letters.jsonl in the data directory]
    #[arg(long, value_name = "FILE")]
    dead_letters: Option<PathBuf>,

    /// Exit with 1 if any line was refused
    #[arg(long)]
    strict: bool,
}

/// Imports the files.
pub fn run(arguments: &Arguments) -> Result<Outcome, Failure> {
    let Kafka { configuration, connect } = Kafka::read(&arguments.config)?;
    if arguments.inputs.has_standard_input() {
        return Err(Failure::Usage("standard input cannot be read again after an interruption: give files".to_owned()));
    }
    if rules_in_force(connect.connection(), &connect.journal_start())?.is_none() {
        tell("note: no rules are published yet: this history makes states, but no signals");
    }
    let pseudonymiser = configuration.pseudonymiser()?;
    let options = ImportOptions {
        inputs: arguments.inputs.specs()?,
        decoder: arguments.inputs.decoder(pseudonymiser),
        pseudonymiser,
        dead_letters: arguments.dead_letters.clone().unwrap_or_else(|| configuration.data.join("import-dead-letters.jsonl")),
        clock: ingest_clock,
        connect,
    };
    let stop = stop::flag_of_signals()?;
    let imported = {
        let progress = Progress::start();
        import(&options, &stop, |intake, imported| progress.show(intake.bytes_read(), intake.bytes_total(), imported.lines))?
    };
    if stop.load(Ordering::Relaxed) {
        tell("stopped by a signal: what was imported is committed, and the same command goes on from here");
    }
    let Imported { lines, journaled, rejected } = imported;
    tell(&format!("{} lines read, {} events journaled", count(lines), count(journaled)));
    let code_of_skipped = RejectReason::SkippedType.code();
    let refused: u64 = rejected.iter().filter(|(reason, _)| *reason != code_of_skipped).map(|(_, number)| number).sum();
    if refused > 0 {
        let reasons: Vec<String> = rejected.iter().map(|(reason, number)| format!("{reason} {}", count(*number))).collect();
        tell(&format!("{} lines were refused ({}): see {}", count(refused), reasons.join(", "), options.dead_letters.display()));
    }
    let broke_off = rejected.contains_key(RejectReason::InputTruncated.code());
    if broke_off {
        tell("an input broke off in the middle: all up to there was imported");
    }
    Ok(Outcome::of(broke_off || (arguments.strict && refused > 0)))
}
