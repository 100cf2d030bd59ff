//! What can stop a run, and what to do about it.

use std::path::{Path, PathBuf};

use bellwether_codec::intake::IntakeError;
use bellwether_codec::state::StateError;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::time::Time;
use bellwether_kafka::{AdminError, KafkaError};
use bellwether_store::StoreError;

use crate::kafka::JournalError;
use crate::snapshot::SnapshotError;

/// A run that had to stop. Nothing that was committed is lost, and the same command goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// Somebody asked to stop while Kafka did not do what it was asked to. No failure: what is not committed comes again with the next start.
    #[error("asked to stop")]
    Stopped,
    /// Folding panicked in a partition whose store is behind what is committed. Its worker goes back to the store and writes at each commit from then on.
    #[error("partition {partition} has to be folded again from its store")]
    FoldAgain {
        /// The partition.
        partition: u16,
    },
    /// The inputs.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The place of the snapshots.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The topics.
    #[error(transparent)]
    Topics(#[from] AdminError),
    /// A setting that does not work.
    #[error("the configuration is wrong: {0}")]
    Settings(String),
    /// The journal, what is committed of it, and the store do not belong together.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A stored state.
    #[error("partition {partition}: {error}")]
    State {
        /// The partition.
        partition: u16,
        /// What is wrong.
        error: StateError,
    },
    /// A stored partition whose rules are lost.
    #[error("partition {partition} is under rule set {rule_set}, whose text is not in the store: the state cannot be used")]
    RuleText {
        /// The partition.
        partition: u16,
        /// The number of the rule set.
        rule_set: u32,
    },
    /// A partition that is damaged whenever it is made anew.
    #[error(
        "partition {partition} is damaged again, though its state was dropped and made anew {times} times: {error}; check the disk and the memory of this machine, or report a defect of the program with the log lines above"
    )]
    DamagedAgain {
        /// The partition.
        partition: u16,
        /// How often its state was dropped.
        times: u32,
        /// What is wrong now.
        error: Box<LiveError>,
    },
    /// More damaged stores than are kept.
    #[error(
        "the store is damaged ({reason}), and {kept} damaged ones have been moved aside in {data} before: check the disk, remove them, and start again; states come back from snapshots and the journal"
    )]
    ManyDamaged {
        /// The data directory.
        data: PathBuf,
        /// Damaged stores in it.
        kept: usize,
        /// What is wrong with the present one.
        reason: String,
    },
    /// A file that we write.
    #[error("cannot write {path}: {error}; make room or mend the permissions, then start again with the same command")]
    Output {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file that we wrote has become shorter.
    #[error(
        "{path} has {found} bytes, but {committed} are committed: it was cut or replaced. Restore it, or start anew with another --data directory and --signals file"
    )]
    OutputTooShort {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
        /// The committed length.
        committed: u64,
    },
    /// A file that we would write to has content that is not ours.
    #[error(
        "{path} has {found} bytes, and {}: they would be lost. {}",
        if *committed == 0 { "none of them is from this data directory".to_owned() } else { format!("{committed} bytes of another file are committed") },
        other_file(path, *committed)
    )]
    ForeignOutput {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
        /// The committed length, of the file that was written to before.
        committed: u64,
    },
    /// The journal has another number of partitions than asked for.
    #[error("the journal in {data} has {found} partitions, not {asked}: leave --partitions out, or give another --data directory")]
    Partitions {
        /// The data directory.
        data: PathBuf,
        /// Partitions of the journal.
        found: u16,
        /// Partitions asked for.
        asked: u16,
    },
    /// User ids of this journal are pseudonymised with another key.
    #[error(
        "the journal in {data} was written with another pseudonym key: its users would not be recognised. Give the key it was made with, or another --data directory"
    )]
    PseudonymKey {
        /// The data directory.
        data: PathBuf,
    },
    /// The rules are quiet until another time than those before.
    #[error(
        "the rules are quiet until {}, those of this data directory until {}: the time goes with its first rules and stays (--quiet-until, or `quiet_until` in the rule file)",
        time_or_never(*given), time_or_never(*known)
    )]
    QuietUntil {
        /// The time of the given rules; `Time::MIN` without one.
        given: Time,
        /// The time of those in force.
        known: Time,
    },
    /// Something stored by us does not read back.
    #[error("the data directory is damaged: {0}; restore it from a backup, or delete it to start anew from the inputs")]
    Damaged(String),
    /// Too many records panic the fold.
    #[error(
        "partition {partition}: more than {limit} records or reviews could not be folded; this is a defect of the program: please report it with the log lines above"
    )]
    TooManyPoisoned {
        /// The partition.
        partition: u16,
        /// The limit.
        limit: usize,
    },
}

fn other_file(path: &Path, committed: u64) -> String {
    let name = path.display();
    if committed == 0 {
        return format!("Name another file, move {name} away, or go on with the data directory that it is from (--data)");
    }
    format!(
        "Name the file as before; if {name} is that file under a new name, cut it to its first {committed} bytes; else begin with another --data directory"
    )
}

fn time_or_never(time: Time) -> String {
    if time == Time::MIN { "no time".to_owned() } else { format_time(time) }
}
