//! What can go wrong in a replay, and whose fault it is.

use std::path::PathBuf;

use bellwether_codec::intake::IntakeError;

/// A replay that could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The inputs.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The journal.
    #[error("cannot replay the journal: {0}")]
    Journal(String),
    /// The file that a log is spilled to.
    #[error(
        "there are more customers than fit into memory, and the log cannot be spilled to {}: {error}; name a directory with more room by \
         --scratch, or give more memory by --memory",
        .directory.display()
    )]
    Spill {
        /// Where it is to be.
        directory: PathBuf,
        /// What went wrong.
        error: std::io::Error,
    },
    /// The output file or pipe.
    #[error("cannot write the signals: {0}")]
    Output(std::io::Error),
    /// Too many records panic the fold: a defect of the program, or of its rules.
    #[error("more than {limit} records could not be folded; this is a defect of the program: please report it with the log lines above")]
    TooManyPoisoned {
        /// The limit.
        limit: usize,
    },
}
