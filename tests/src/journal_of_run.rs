//! The journal of an embedded run, for what reads journals.

use std::path::Path;

use bellwether_backtest::journal::{Journal, Visit};
use bellwether_live::journal_directory::JournalDirectory;

/// The journal in a data directory.
pub struct JournalOfRun(JournalDirectory);

impl JournalOfRun {
    /// Opens it.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn open(data: &Path) -> Self {
        Self(JournalDirectory::open(data).expect("a journal"))
    }
}

impl Journal for JournalOfRun {
    fn partitions(&self) -> u16 {
        self.0.partitions()
    }

    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        self.0.read(partition, visit).map_err(|error| error.to_string())
    }
}
