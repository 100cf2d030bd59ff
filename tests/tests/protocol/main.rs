//! The commit protocol on a log in memory, stopped at every step: what is published equals the replay of the journal.

mod clock;
mod ingest;
mod processing;
