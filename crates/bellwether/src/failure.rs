//! How a command ends: done, with findings, or with a failure that says whose fault it is.

use std::fmt;
use std::process::ExitCode;

use bellwether_backtest::error::ReplayError;
use bellwether_backtest::export::ExportError;
use bellwether_codec::intake::IntakeError;
use bellwether_codec::state::{FOLD_VERSION, StateError};
use bellwether_forward::ForwardError;
use bellwether_kafka::Remedy;
use bellwether_live::error::LiveError;
use bellwether_live::snapshot::SnapshotError;
use bellwether_store::StoreError;

use crate::terminal::tell_failure;

/// A command that did what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to object to.
    Done,
    /// Done, and there are findings: failed rule tests, refused input, an input that broke off, a damaged snapshot, dead letters of a forwarding.
    Findings,
}

/// A command that did not do what it was asked to.
#[derive(Debug)]
pub enum Failure {
    /// The command line, the environment or a rule file is wrong, or what the command is to go on with does not belong together: nothing was
    /// done, and the same command fails again until somebody has acted.
    Usage(String),
    /// The work could not be finished.
    Run(String),
    /// Nobody reads standard output any more, which is no reason to complain.
    NobodyReads,
}

impl Outcome {
    /// Findings, if there are any.
    pub fn of(has_findings: bool) -> Self {
        if has_findings { Self::Findings } else { Self::Done }
    }

    /// The exit code of the process.
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Findings => ExitCode::from(1),
        }
    }
}

impl Failure {
    /// Tells the person at the terminal, and gives the exit code of the process.
    pub fn report(self) -> ExitCode {
        let (code, message) = match self {
            Self::Usage(message) => (2, message),
            Self::Run(message) => (3, message),
            Self::NobodyReads => return ExitCode::SUCCESS,
        };
        tell_failure(&message);
        ExitCode::from(code)
    }

    /// A file that we cannot write.
    pub fn writing(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::Run(format!("cannot write {}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) | Self::Run(message) => formatter.write_str(message),
            Self::NobodyReads => formatter.write_str("nobody reads standard output"),
        }
    }
}

impl From<LiveError> for Failure {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::Intake(error) => error.into(),
            LiveError::Snapshot(error) => error.into(),
            // A service manager that started it again would only have the two take turns.
            LiveError::Kafka(error) if error.remedy == Remedy::Leave => Self::Usage(error.to_string()),
            LiveError::Journal(error) if error.needs_operator() => Self::Usage(error.to_string()),
            // States of a newer program: this one never can.
            LiveError::State { error: StateError::Version { found }, .. } if found > FOLD_VERSION => Self::Usage(error.to_string()),
            LiveError::Partitions { .. }
            | LiveError::PseudonymKey { .. }
            | LiveError::QuietUntil { .. }
            | LiveError::ForeignOutput { .. }
            | LiveError::OutputTooShort { .. }
            | LiveError::Settings(_)
            | LiveError::ManyDamaged { .. }
            | LiveError::DamagedAgain { .. }
            | LiveError::TooManyPoisoned { .. } => Self::Usage(error.to_string()),
            error => Self::Run(error.to_string()),
        }
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Place { .. } | SnapshotError::JournalId { .. } => Self::Usage(error.to_string()),
            error => Self::Run(error.to_string()),
        }
    }
}

impl From<ForwardError> for Failure {
    fn from(error: ForwardError) -> Self {
        match error {
            ForwardError::SecretFile { .. } | ForwardError::Changed { .. } => Self::Usage(error.to_string()),
            ForwardError::Kafka(ref kafka) if kafka.remedy == Remedy::Leave => Self::Usage(error.to_string()),
            error => Self::Run(error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Run(error.to_string())
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Intake(error) => error.into(),
            ReplayError::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Self::NobodyReads,
            error => Self::Run(error.to_string()),
        }
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Replay(error) => error.into(),
            error => Self::Run(error.to_string()),
        }
    }
}

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Unreadable(_) | IntakeError::Changed(_) | IntakeError::Ambiguous(_) => Self::Usage(error.to_string()),
            error => Self::Run(error.to_string()),
        }
    }
}
