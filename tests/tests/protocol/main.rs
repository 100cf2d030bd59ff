//! The commit protocol on a log in memory, stopped at every step: what is published equals the replay of the journal.

mod behind;
mod clock;
mod daily;
mod damage;
mod ingest;
mod ingest_sweep;
mod poisoned;
mod processing;
mod restore;
mod silence;
mod starting;
mod sweep;
mod sweeps;
mod takeover;
