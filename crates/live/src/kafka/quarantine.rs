//! Damaged states: what is dropped, what is moved aside, and how often. All of it comes back from snapshots and the journal.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use bellwether_store::StoreError;

use crate::error::LiveError;

/// How often a process drops the state of a partition, before it asks for help.
pub const MAX_DROPS: u32 = 2;

/// Damaged stores that are kept in a data directory; with more the run does not start.
pub const MAX_DAMAGED_STORES: usize = 3;

/// Damage that a worker has met, by partition.
#[derive(Debug, Default)]
pub(crate) struct Damages {
    drops: BTreeMap<u16, u32>,
}

impl Damages {
    /// The partition whose state an error says is damaged, if it may be dropped; else the error to stop with.
    pub fn partition_to_drop(&self, error: LiveError) -> Result<u16, LiveError> {
        let partition = match &error {
            LiveError::State { partition, .. } | LiveError::RuleText { partition, .. } => *partition,
            LiveError::Store(StoreError::Corrupt { partition: Some(partition), .. }) => *partition,
            _ => return Err(error),
        };
        let times = self.drops.get(&partition).copied().unwrap_or_default();
        if times >= MAX_DROPS {
            return Err(LiveError::DamagedAgain { partition, times, error: Box::new(error) });
        }
        tracing::error!(partition, %error, "the state of a partition is damaged: it is dropped, and made anew from a snapshot and the journal");
        Ok(partition)
    }

    /// The state of a partition was dropped.
    pub fn dropped(&mut self, partition: u16) {
        *self.drops.entry(partition).or_default() += 1;
    }

    /// Whether a snapshot may be used: at the last try before help is needed, only the journal is.
    pub fn may_restore(&self, partition: u16) -> bool {
        self.drops.get(&partition).is_none_or(|drops| *drops < MAX_DROPS)
    }
}

/// What is wrong with a whole store, if that is what an error says.
pub(crate) fn damaged_store(error: &LiveError) -> Option<String> {
    match error {
        LiveError::Store(error @ StoreError::Corrupt { partition: None, .. }) => Some(error.to_string()),
        _ => None,
    }
}

/// Moves a damaged store aside, where somebody may look at it, so that a new one can be made. It must not be open.
pub(crate) fn move_aside(data: &Path, store: &Path, reason: &str) -> Result<PathBuf, LiveError> {
    let candidates = (1..=MAX_DAMAGED_STORES).map(|number| store.with_extension(format!("damaged-{number}")));
    let Some(aside) = candidates.into_iter().find(|path| !path.exists()) else {
        return Err(LiveError::ManyDamaged { data: data.to_owned(), kept: MAX_DAMAGED_STORES, reason: reason.to_owned() });
    };
    let moved = fs::rename(store, &aside).and_then(|()| File::open(data)?.sync_all());
    moved.map_err(|error| LiveError::Output { path: aside.clone(), error })?;
    tracing::error!(
        reason,
        moved_to = %aside.display(),
        "the store is damaged and was moved aside: every partition is made anew from its snapshot and the journal"
    );
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damaged(partition: Option<u16>) -> LiveError {
        let (path, place, reason) = ("state".into(), "there".to_owned(), "bad".to_owned());
        StoreError::Corrupt { path, partition, place, reason }.into()
    }

    #[test]
    fn a_partition_is_dropped_a_few_times_and_others_do_not_suffer() {
        let mut damages = Damages::default();
        for _ in 0..MAX_DROPS {
            assert!(damages.may_restore(3));
            assert!(matches!(damages.partition_to_drop(damaged(Some(3))), Ok(3)));
            damages.dropped(3);
        }
        assert!(!damages.may_restore(3) && damages.may_restore(4));
        let error = damages.partition_to_drop(damaged(Some(3))).expect_err("it was dropped too often");
        assert!(error.to_string().contains("partition 3 is damaged again") && error.to_string().contains("2 times"), "{error}");
        assert!(matches!(damages.partition_to_drop(damaged(Some(4))), Ok(4)));
        let whole = damages.partition_to_drop(damaged(None)).expect_err("it is no partition's");
        assert!(damaged_store(&whole).is_some() && damaged_store(&error).is_none());
    }

    #[test]
    fn damaged_stores_are_kept_up_to_a_number() {
        let data = tempfile::tempdir().expect("a directory");
        let store = data.path().join("state");
        for number in 1..=MAX_DAMAGED_STORES {
            fs::create_dir(&store).expect("it is gone");
            let aside = move_aside(data.path(), &store, "bad").expect("there is room");
            assert_eq!(aside, data.path().join(format!("state.damaged-{number}")));
            assert!(aside.exists() && !store.exists());
        }
        fs::create_dir(&store).expect("it is gone");
        let error = move_aside(data.path(), &store, "bad").expect_err("there are too many").to_string();
        assert!(error.contains("3 damaged ones") && error.contains(data.path().to_str().expect("it is text")), "{error}");
        assert!(store.exists());
    }
}
