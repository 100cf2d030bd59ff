//! What can go wrong with the inputs as a whole: always the operator's to mend, never retried.

use std::fmt;

/// Why intake cannot start or go on. Damage inside an input is not here: it becomes a flawed line.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Inputs that are missing, unreadable or of an unknown kind; nothing was read.
    #[error("cannot read the input:{}", listed(.0))]
    Unreadable(Vec<InputProblem>),
    /// Files that are not the ones this data directory was fed from.
    #[error(
        "the input is not what this data directory was fed from:{}\nEither restore the file, or give another --data directory to start afresh",
        listed(.0)
    )]
    Changed(Vec<InputProblem>),
    /// Files that have other names now, and could be more than one of those that were read before.
    #[error(
        "it is not certain which input of before is meant:{}\nGive the files under the names under which they were read, leave out what is not to be read, or give another --data directory to start afresh",
        listed(.0)
    )]
    Ambiguous(Vec<InputProblem>),
    /// A table that cannot be read on.
    #[error("cannot read on in the input:\n  {0}")]
    Table(InputProblem),
    /// The operating system refused a thread.
    #[error("cannot start the thread that reads the input: {0}")]
    Thread(#[source] std::io::Error),
}

/// What is wrong with one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputProblem {
    /// The input, as given.
    pub input: String,
    /// What is wrong with it.
    pub problem: String,
}

impl InputProblem {
    pub(super) fn new(input: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { input: input.into(), problem: problem.into() }
    }
}

impl fmt::Display for InputProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.input, self.problem)
    }
}

fn listed(problems: &[InputProblem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
