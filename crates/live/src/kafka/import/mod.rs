//! History from files into a journal before its first day: in the order of an embedded run, each record once. Read [`import()`] first.

mod stands;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bellwether_codec::event::{Decoder, encode_event};
use bellwether_codec::intake::{DecodedEpoch, InputPosition, InputSpec, Intake, Progress, Resume, SequencedEpoch, Sequencer};
use bellwether_codec::journal::{CONTROL_HEADER, Control, ImportProgress, WATERMARK_HEADER};
use bellwether_codec::pseudonym::Pseudonymiser;
use bellwether_codec::rejection::RejectReason;
use bellwether_engine::time::Time;
use bellwether_kafka::{Client, CommitError, KafkaError, Outgoing, Remedy, Transaction};
use serde::{Deserialize, Serialize};

use super::check::check_journal;
use super::connect::Connect;
use super::error::JournalError;
use super::options::Turn;
use super::patience::Patience;
use crate::error::LiveError;
use crate::output::OutputFile;

/// Options of an import.
pub struct ImportOptions {
    /// The clients.
    pub connect: Connect,
    /// The files.
    pub inputs: Vec<InputSpec>,
    /// How lines become events.
    pub decoder: Decoder,
    /// The key of pseudonyms, which must be that of the journal.
    pub pseudonymiser: Pseudonymiser,
    /// Where refused lines go.
    pub dead_letters: PathBuf,
    /// The real clock, against which events from the future are refused.
    pub clock: fn() -> Option<Time>,
}

/// How far an import has come: all that goes on with it needs. It stands in the journal, as JSON, within the same transaction as the events.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    next_epoch: u64,
    inputs: Vec<InputPosition>,
    sequencer: Sequencer,
    dead_letter_bytes: u64,
    totals: Imported,
}

/// What became of the lines of an import, over all of its runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Lines.
    pub lines: u64,
    /// Events written to the journal.
    pub journaled: u64,
    /// Refused lines, by reason.
    pub rejected: BTreeMap<String, u64>,
}

/// Imports until the files end, or `stop` is set. The same command goes on where an earlier one ended, in whatever way.
///
/// # Errors
///
/// When the journal has records of somebody else or of another import, when an input is not what it was, or a transaction fails.
pub fn import(options: &ImportOptions, stop: &AtomicBool, mut observe: impl FnMut(&Progress, &Imported)) -> Result<Imported, LiveError> {
    let created = check_journal(&options.connect, &options.pseudonymiser)?.created;
    // Whoever began this import before is fenced by now: nothing of it comes after what is found.
    let mut client = options.connect.control_client()?;
    let mut state = match stands::find(&options.connect, created.partitions)? {
        Some(progress) => serde_json::from_str(&progress.state).map_err(|error| unreadable(options, &error))?,
        None => State::new(created.partitions),
    };
    let resume = Resume { next_epoch: state.next_epoch, positions: state.inputs.clone() };
    let mut intake = Intake::open(&options.inputs, Some(resume), options.clock)?;
    check_inputs(&state, intake.inputs(), options)?;
    let mut dead_letters = OutputFile::open(&options.dead_letters, state.dead_letter_bytes)?;
    let progress = intake.progress();
    let mut patience = Patience::new(Turn::default().retry_wait, &Arc::default());
    let mut transaction = Transaction::default();
    while let Some(raw) = intake.next_epoch_until(stop)? {
        let epoch = DecodedEpoch::decode(raw, &options.decoder, true);
        let sequenced = state.sequencer.sequence(&epoch, (options.clock)(), epoch.raw().is_last);
        state.take(&epoch, &sequenced, &mut dead_letters)?;
        fill(&mut transaction, &options.connect.topics().journal, &epoch, &sequenced, &state);
        if !epoch.lines().is_empty() || !sequenced.ticks.is_empty() {
            commit(&mut client, &transaction, &mut patience)?;
        }
        observe(&progress, &state.totals);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(state.totals)
}

impl State {
    fn new(partitions: u16) -> Self {
        let sequencer = Sequencer::new(partitions);
        Self { next_epoch: 0, inputs: Vec::new(), sequencer, dead_letter_bytes: 0, totals: Imported::default() }
    }

    /// Goes over an epoch: its refused lines reach the disk before the transaction that counts them is written.
    fn take(&mut self, epoch: &DecodedEpoch, sequenced: &SequencedEpoch, dead_letters: &mut OutputFile) -> Result<(), LiveError> {
        self.next_epoch = epoch.raw().number + 1;
        self.inputs.clone_from(&epoch.raw().positions);
        self.totals.lines += epoch.lines().len() as u64;
        self.totals.journaled += sequenced.partitions.iter().map(|records| records.len() as u64).sum::<u64>();
        let mut line = Vec::new();
        for (index, rejection) in &sequenced.rejected {
            *self.totals.rejected.entry(rejection.reason.code().to_owned()).or_default() += 1;
            if rejection.reason != RejectReason::SkippedType {
                line.clear();
                epoch.raw().dead_letter(&epoch.raw().lines[*index as usize], rejection).write_line(&mut line);
                dead_letters.append(&line)?;
            }
        }
        dead_letters.sync()?;
        self.dead_letter_bytes = dead_letters.length();
        Ok(())
    }
}

/// The records of an epoch, after the record in the first partition that tells how far the import is with them.
fn fill(transaction: &mut Transaction, topic: &str, epoch: &DecodedEpoch, sequenced: &SequencedEpoch, state: &State) {
    transaction.clear();
    let mut push = |partition: u16, key: Option<&[u8]>, value: &[u8], headers: &[(&str, Option<&[u8]>)]| {
        let (partition, value) = (Some(i32::from(partition)), Some(value));
        transaction.push(&Outgoing { topic, partition, key, value, headers, timestamp_ms: None });
    };
    let ticks_first = sequenced.ticks.iter().filter(|(partition, _)| *partition == 0).count();
    let records = (sequenced.partitions.first().map_or(0, Vec::len) + ticks_first) as u64;
    let state = serde_json::to_string(state).expect("names, numbers and times always serialise");
    let progress = Control::Import(ImportProgress { records, state });
    push(0, None, &progress.encode(), &[(CONTROL_HEADER, Some(progress.name().as_bytes()))]);
    let mut value = Vec::new();
    for (partition, records) in (0..).zip(&sequenced.partitions) {
        for record in records {
            let Some(event) = epoch.event(record.line) else { continue };
            value.clear();
            encode_event(event, &mut value);
            push(
                partition,
                Some(event.customer.as_bytes()),
                &value,
                &[(WATERMARK_HEADER, Some(record.watermark.0.to_string().as_bytes()))],
            );
        }
    }
    for (partition, watermark) in &sequenced.ticks {
        let watermark = watermark.0.to_string();
        let headers = [(CONTROL_HEADER, Some(Control::Tick.name().as_bytes())), (WATERMARK_HEADER, Some(watermark.as_bytes()))];
        push(*partition, None, &Control::Tick.encode(), &headers);
    }
}

/// Commits, again after what passes. When nobody knows whether it counts, the journal tells at the next start.
fn commit(client: &mut dyn Client, transaction: &Transaction, patience: &mut Patience) -> Result<(), LiveError> {
    loop {
        match client.commit(transaction) {
            Ok(()) => {
                patience.restore();
                return Ok(());
            }
            Err(CommitError::NotCommitted(error)) if error.remedy == Remedy::Retry => patience.wait(&error)?,
            Err(CommitError::NotCommitted(error) | CommitError::Lost(error)) => {
                let cause = format!("{}: {}; the same command goes on from here", error.what, error.cause);
                return Err(KafkaError::new(Remedy::Stop, "importing", cause).into());
            }
        }
    }
}

/// An import has its files from its first to its last run.
fn check_inputs(state: &State, inputs: &[String], options: &ImportOptions) -> Result<(), JournalError> {
    let mut began_with: Vec<&str> = state.inputs.iter().map(|input| input.name.as_str()).collect();
    let mut given: Vec<&str> = inputs.iter().map(String::as_str).collect();
    began_with.sort_unstable();
    given.sort_unstable();
    if state.next_epoch == 0 || began_with == given {
        return Ok(());
    }
    Err(JournalError::OtherImport { topic: options.connect.topics().journal, began_with: began_with.join(", "), given: given.join(", ") })
}

fn unreadable(options: &ImportOptions, error: &serde_json::Error) -> JournalError {
    JournalError::Metadata { at: format!("the import into {}", options.connect.topics().journal), reason: error.to_string() }
}
