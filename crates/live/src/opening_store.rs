//! Opening the store of a data directory: whoever had it before may need a moment to let go of it.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bellwether_store::{Store, StoreError, StoreOptions};

/// How long a start waits for a store that somebody else has open or that RocksDB is busy with: a process that is told to stop commits first.
pub const OPEN_PATIENCE: Duration = Duration::from_secs(10);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Opens a store, and waits for it if it may be had soon.
///
/// # Errors
///
/// When it cannot be opened, or is not to be had within [`OPEN_PATIENCE`].
pub(crate) fn open_store(path: &Path, options: &StoreOptions) -> Result<Store, StoreError> {
    let started = Instant::now();
    let mut is_told = false;
    loop {
        match Store::open(path, options) {
            Err(error @ (StoreError::Locked { .. } | StoreError::Busy { .. })) if started.elapsed() < OPEN_PATIENCE => {
                if !is_told {
                    tracing::warn!(%error, up_to_seconds = OPEN_PATIENCE.as_secs(), "waiting for the store");
                    is_told = true;
                }
                sleep(LOOK_EVERY);
            }
            opened => return opened,
        }
    }
}
