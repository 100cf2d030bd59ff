//! Partitions whose stored state is of another version of the fold than this program has.

use std::collections::BTreeMap;

use bellwether_codec::state::{FOLD_VERSION, StateError, fold_version_of};
use bellwether_store::Store;

use crate::error::LiveError;

/// The partitions of a store that an older fold has left, with its version.
///
/// # Errors
///
/// When a newer fold has left one: its state is not ours to replace.
pub(crate) fn older_folds(store: &Store) -> Result<BTreeMap<u16, u8>, LiveError> {
    let mut older = BTreeMap::new();
    for partition in store.partitions() {
        let version = store.header(partition)?.and_then(|header| fold_version_of(&header.body));
        match version {
            Some(found) if found > FOLD_VERSION => return Err(LiveError::State { partition, error: StateError::Version { found } }),
            Some(found) if found < FOLD_VERSION => _ = older.insert(partition, found),
            // An empty header is damage, which is found and told where it is read.
            Some(_) | None => {}
        }
    }
    Ok(older)
}

/// Drops the states that an older fold has left, so that they are made anew: from a snapshot of the present fold, or from the journal alone.
///
/// # Errors
///
/// As [`older_folds`], and when the store fails.
pub(crate) fn drop_older_folds(store: &Store) -> Result<(), LiveError> {
    let older = older_folds(store)?;
    let Some(from) = older.values().min() else { return Ok(()) };
    tracing::warn!(
        from_version = from,
        to_version = FOLD_VERSION,
        partitions = older.len(),
        "the states are of an older version of the fold: they are made anew from the journal, and nothing is told twice"
    );
    older.keys().try_for_each(|partition| store.drop_partition(*partition)).map_err(LiveError::from)
}
