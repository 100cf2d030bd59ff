//! How a decided transaction reaches its partitions and its group: a marker at a time, in a seeded order.

use super::Cluster;
use super::plan::{Fault, Message};
use super::state::State;
use super::transactions::{Session, Status, Target};

impl Cluster {
    /// Lets one outstanding marker be written, chosen by the seed; it is a step of the client that ended the transaction.
    /// Returns whether any was outstanding, and a broker up.
    pub fn tick(&self) -> bool {
        self.write_marker(None)
    }

    /// Lets all outstanding markers be written.
    pub fn settle(&self) {
        while self.tick() {}
    }

    /// Waits until the transaction that this session has ended is done.
    pub(super) fn finish(&self, session: &Session) {
        loop {
            let ending = self.lock().transactions.is_ending(session);
            if !ending || !self.write_marker(Some(&session.transactional_id)) {
                return;
            }
        }
    }

    /// Lets one marker be written, of one transactional id or of any. Returns whether any was outstanding, and a broker up.
    pub(super) fn write_marker(&self, of: Option<&str>) -> bool {
        let (transactional_id, target, planned) = {
            let mut state = self.lock();
            let mut outstanding = state.transactions.outstanding(of);
            if outstanding.is_empty() || state.is_down {
                return false;
            }
            let (transactional_id, target) = outstanding.swap_remove(state.random.usize(..outstanding.len()));
            let owner = state.transactions.entry(&transactional_id).map(|entry| entry.owner.clone());
            let planned = owner.and_then(|owner| state.count(&owner, Message::WriteTxnMarker));
            (transactional_id, target, planned)
        };
        let repeat = match planned {
            Some((Fault::Crash | Fault::LoseRequest, _)) => return true,
            Some((Fault::Pause, Some(hook))) => {
                hook(self);
                false
            }
            Some((Fault::LoseResponse, _)) => true,
            Some((Fault::Pause, None)) | None => false,
        };
        self.lock().write_marker(&transactional_id, &target, repeat);
        true
    }
}

impl State {
    /// Writes a marker that is still outstanding; it stays on the list if it is to be repeated.
    fn write_marker(&mut self, transactional_id: &str, target: &Target, repeat: bool) {
        let Some(entry) = self.transactions.entry(transactional_id) else { return };
        let Status::Ending { commit, outstanding } = &entry.status else { return };
        if !outstanding.contains(target) {
            return;
        }
        let (commit, producer) = (*commit, entry.producer);
        if !repeat {
            entry.written(target);
        }
        match target {
            // A partition that is gone, even if another has its name by now, needs no marker.
            Target::Partition(at, id) if self.topics.id(&at.topic) == Some(*id) => {
                if let Ok(log) = self.topics.log_mut(at) {
                    log.mark(producer, commit);
                }
            }
            Target::Partition(..) => {}
            Target::Offsets(group) => self.groups.entry(group.clone()).or_default().offsets.mark(producer, commit),
        }
    }
}
