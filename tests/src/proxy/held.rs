//! One request that a proxy holds back: its client is hung up on and sends it again, and this first one reaches the broker later, as from a network
//! that is late.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::faults::Request;

/// How long anybody waits here, at most.
const LONGEST: Duration = Duration::from_secs(30);

/// The request that is held back, if any.
#[derive(Debug, Default)]
pub(super) struct Held {
    stage: Mutex<Stage>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Nothing,
    /// The next of this kind is to be.
    Wanted(i16),
    /// It is, until somebody sends the other kind.
    Held { until: Option<i16> },
    /// It goes to the broker.
    OnItsWay,
    /// The broker has answered it.
    Answered,
}

impl Held {
    /// The next request of this kind is held back.
    pub(super) fn want(&self, request: Request) {
        *self.stage() = Stage::Wanted(request as i16);
    }

    /// It arrives right before the next request of this kind.
    pub(super) fn until(&self, request: Request) {
        let mut stage = self.stage();
        assert!(matches!(*stage, Stage::Held { .. }), "nothing is held back: {stage:?}");
        *stage = Stage::Held { until: Some(request as i16) };
    }

    pub(super) fn is_answered(&self) -> bool {
        *self.stage() == Stage::Answered
    }

    /// Whether this request is to be held back.
    pub(super) fn takes(&self, kind: i16) -> bool {
        let mut stage = self.stage();
        let takes = *stage == Stage::Wanted(kind);
        if takes {
            *stage = Stage::Held { until: None };
        }
        takes
    }

    /// Waits until the request that is held back may go.
    pub(super) fn wait_for_its_turn(&self) {
        _ = self.changed.wait_timeout_while(self.stage(), LONGEST, |stage| *stage != Stage::OnItsWay).expect("no holder panics");
    }

    /// The broker has answered what was held back.
    pub(super) fn answered(&self) {
        *self.stage() = Stage::Answered;
        self.changed.notify_all();
    }

    /// Lets what is held back go first, if it is to arrive before a request of this kind.
    pub(super) fn let_it_go_before(&self, kind: i16) {
        let mut stage = self.stage();
        if *stage != (Stage::Held { until: Some(kind) }) {
            return;
        }
        *stage = Stage::OnItsWay;
        self.changed.notify_all();
        _ = self.changed.wait_timeout_while(stage, LONGEST, |stage| *stage == Stage::OnItsWay).expect("no holder panics");
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().expect("no holder panics")
    }
}
