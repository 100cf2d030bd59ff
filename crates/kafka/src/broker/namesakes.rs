//! Whether another client has come under the name that this one has in its group.

use std::time::{Duration, Instant};

use crate::error::{KafkaError, Remedy};

/// So often in a row a client has to be fenced before it believes in a namesake. A broker that died amid a join fences a client whose answer was lost
/// with it, once; two namesakes fence each other all the time.
const OFTEN: u32 = 4;

/// Two of them belong together if no more time than this is between them.
const IN_A_ROW: Duration = Duration::from_secs(60);

/// How often, and when last, this client was fenced as a member of its group.
#[derive(Debug, Default)]
pub(super) struct Namesakes {
    times: u32,
    last: Option<Instant>,
    /// The present session was, which is told again and again.
    is_noted: bool,
}

impl Namesakes {
    /// Notes an error that says so. Until it has come often enough, a new client is tried: of two the earlier one is fenced first, and so leaves.
    pub(super) fn weigh(&mut self, error: KafkaError) -> KafkaError {
        self.weigh_at(error, Instant::now())
    }

    fn weigh_at(&mut self, error: KafkaError, now: Instant) -> KafkaError {
        if error.remedy != Remedy::Leave {
            return error;
        }
        if !std::mem::replace(&mut self.is_noted, true) {
            self.note(now);
        }
        if self.times >= OFTEN { error } else { KafkaError { remedy: Remedy::Rebuild, ..error } }
    }

    /// A new session begins.
    pub(super) fn begin(&mut self) {
        self.is_noted = false;
    }

    fn note(&mut self, now: Instant) {
        let is_in_a_row = self.last.is_some_and(|last| now.duration_since(last) <= IN_A_ROW);
        self.times = if is_in_a_row { self.times + 1 } else { 1 };
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_is_no_namesake() {
        let error = |remedy| KafkaError::new(remedy, "reading", "fenced");
        let (mut namesakes, start) = (Namesakes::default(), Instant::now());
        let mut weighed = |remedy, second| {
            namesakes.begin();
            let now = start + Duration::from_secs(second);
            [namesakes.weigh_at(error(remedy), now).remedy, namesakes.weigh_at(error(remedy), now).remedy]
        };
        let mut weighed = |remedy, second| {
            let [once, again] = weighed(remedy, second);
            assert_eq!(once, again, "told twice, it counts once");
            once
        };
        let apart = [0, 61, 122, 183, 244].map(|second| weighed(Remedy::Leave, second));
        assert_eq!(apart, [Remedy::Rebuild; 5]);
        assert_eq!(
            [Remedy::Retry, Remedy::Rebuild, Remedy::Stop].map(|remedy| weighed(remedy, 250)),
            [Remedy::Retry, Remedy::Rebuild, Remedy::Stop]
        );
        assert_eq!([260, 300].map(|second| weighed(Remedy::Leave, second)), [Remedy::Rebuild; 2]);
        assert_eq!(weighed(Remedy::Leave, 310), Remedy::Leave);
    }
}
