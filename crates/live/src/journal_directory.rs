//! The journal of an embedded data directory, for readers: its records in the form in which a journal topic has them.

use std::path::Path;

use bellwether_codec::journal::JournalRecord;
use bellwether_store::Store;

use crate::error::LiveError;
use crate::journal::block_text;
use crate::process_state::{PROCESS_STATE, ProcessState};

/// Takes records of a partition in their order; it returns false when it wants no more.
pub type Visit<'v> = dyn FnMut(&[JournalRecord<'_>]) -> bool + 'v;

/// The text of a journal block: a record a line, its watermark and then its event, with a tab between.
///
/// # Errors
///
/// When the block does not read back.
pub fn block_lines(block: &[u8]) -> Result<String, LiveError> {
    block_text(block)
}

/// The directory of the store within a data directory.
const STORE: &str = "state";

/// A line without an event, as a journal topic has it.
const TICK: &[u8] = br#"{"type":"tick"}"#;

/// A journal as it was when it was opened; whoever writes to it goes on.
pub struct JournalDirectory {
    store: Store,
    state: ProcessState,
}

impl JournalDirectory {
    /// Opens the journal of a data directory, to read only.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be read.
    pub fn open(data: &Path) -> Result<Self, LiveError> {
        let none = || LiveError::Settings(format!("{} is no data directory with a journal", data.display()));
        let path = data.join(STORE);
        if !path.is_dir() {
            return Err(none());
        }
        let store = Store::open_to_read(path)?;
        let state = store.input(PROCESS_STATE)?.ok_or_else(none)?;
        let state: ProcessState = serde_json::from_slice(&state).map_err(|error| LiveError::Damaged(format!("process state: {error}")))?;
        Ok(Self { store, state })
    }

    /// How many partitions it has.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        self.state.partitions
    }

    /// Which key its user ids are pseudonymised with.
    #[must_use]
    pub fn pseudonym_key_id(&self) -> &str {
        &self.state.pseudonym_key_id
    }

    /// What the process that wrote it remembered.
    pub(crate) fn state(&self) -> &ProcessState {
        &self.state
    }

    /// Hands over all records of a partition, block by block.
    ///
    /// # Errors
    ///
    /// When a block does not read back.
    pub fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), LiveError> {
        for block in self.store.journal_blocks(partition, 0) {
            let (first_offset, block) = block?;
            let text = block_text(&block)?;
            let records: Vec<JournalRecord<'_>> = journal_records(first_offset, &text).collect();
            if !visit(&records) {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The records of a block.
pub(crate) fn journal_records(first_offset: u64, text: &str) -> impl Iterator<Item = JournalRecord<'_>> {
    (first_offset..).zip(text.lines()).map(|(offset, line)| {
        let (watermark, value) = line.split_once('\t').map_or((line, None), |(watermark, value)| (watermark, Some(value)));
        let control = value.map_or(Some(TICK), |value| value.strip_prefix('!').map(str::as_bytes));
        JournalRecord {
            offset,
            appended_at: None,
            watermark: Some(watermark.as_bytes()),
            is_control: control.is_some(),
            value: control.or_else(|| value.map(str::as_bytes)),
        }
    })
}
