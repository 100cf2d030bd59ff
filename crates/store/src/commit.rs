//! A commit: everything that changes together, collected into one write batch.

use rocksdb::WriteBatch;

use crate::keys;
use crate::position::Position;
use crate::values;

/// How safe a commit is when [`Store::commit`](crate::Store::commit) returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// On the disk: survives the loss of power. Waits for the disk, so make few and large ones.
    Synced,
    /// With the operating system: survives the end of the process, however it ends. The disk follows within seconds.
    Buffered,
}

/// Everything that changes together; written by [`Store::commit`](crate::Store::commit), all of it or nothing.
///
/// The last write to an entry counts. All methods panic on a partition beyond [`MAX_PARTITION`](crate::MAX_PARTITION).
#[derive(Default)]
pub struct Commit {
    pub(crate) batch: WriteBatch,
    pub(crate) advances: Vec<Advance>,
}

/// One partition's step from where it stands to where the commit brings it.
pub(crate) struct Advance {
    pub(crate) partition: u16,
    pub(crate) start: Position,
    pub(crate) end: Position,
}

impl Commit {
    /// A commit that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A commit that changes nothing yet, with room for so many bytes. It takes more if there are more.
    pub fn with_room_for(bytes: usize) -> Self {
        Self { batch: WriteBatch::with_capacity_bytes(bytes), advances: Vec::new() }
    }

    /// Brings a partition from `start`, where it must stand, to `end`, and writes its header with an opaque body.
    ///
    /// A partition may advance more than once in a commit, each time from where the last step ended.
    pub fn advance(&mut self, partition: u16, start: Position, end: Position, body: &[u8]) {
        self.batch.put(keys::header(partition), values::encode_header(end, body));
        self.advances.push(Advance { partition, start, end });
    }

    /// Writes a customer's state.
    pub fn put_state(&mut self, partition: u16, customer: u128, state: &[u8]) {
        self.batch.put(keys::state(partition, customer), state);
    }

    /// Removes a customer's state, if there is one.
    pub fn delete_state(&mut self, partition: u16, customer: u128) {
        self.batch.delete(keys::state(partition, customer));
    }

    /// Sets when a customer is due for review, in milliseconds since the epoch, in place of what was set before.
    pub fn put_timer(&mut self, partition: u16, customer: u128, due: i64) {
        self.batch.put(keys::timer(partition, customer), values::encode_timer(due));
    }

    /// Removes a customer's timer, if there is one.
    pub fn delete_timer(&mut self, partition: u16, customer: u128) {
        self.batch.delete(keys::timer(partition, customer));
    }

    /// Writes the journal block whose first record has this offset; hand it over compressed.
    pub fn append_journal_block(&mut self, partition: u16, first_offset: u64, block: &[u8]) {
        self.batch.put(keys::journal_block(partition, first_offset), block);
    }

    /// Writes the progress of an input of the process.
    pub fn put_input(&mut self, name: &str, progress: &[u8]) {
        self.batch.put(keys::input(name), progress);
    }

    /// How many entries the commit writes or removes.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Whether the commit changes nothing.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// How many bytes the commit adds to the log, for callers that bound their batches.
    pub fn size_bytes(&self) -> usize {
        self.batch.size_in_bytes()
    }
}
