//! What a proxy does to answers: seeded, and counted.

use std::time::Duration;

use crate::company::Random;

/// The kinds of requests whose answers may suffer: the steps of a transaction, each by the number that it has in Kafka's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Records are written.
    Produce = 0,
    /// The group whose offsets the transaction is to hold is named.
    AddOffsets = 25,
    /// The transaction is committed or aborted.
    End = 26,
    /// Offsets are added to the transaction.
    CommitOffsets = 28,
}

const REQUESTS: [Request; 4] = [Request::Produce, Request::AddOffsets, Request::End, Request::CommitOffsets];

/// A transaction writes to many partitions, and does the rest once: so much more seldom do the answers to writes suffer.
const WRITES_SUFFER_LESS: u64 = 4;

/// The longest that an answer is late.
const LATEST_MS: u64 = 1_500;

/// How many answers there were of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Handed on.
    pub good: u64,
    /// Handed on late.
    pub late: u64,
    /// Never handed on: the broker has done what it was asked to, and the client does not know.
    pub lost: u64,
}

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Good,
    Late(Duration),
    Lost,
}

/// The faults of a proxy.
#[derive(Debug)]
pub struct Faults {
    random: Random,
    late_one_in: u64,
    lost_one_in: u64,
    swallowed: Option<Request>,
    answers: [Answers; REQUESTS.len()],
}

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random(seed), late_one_in: 0, lost_one_in: 0, swallowed: None, answers: [Answers::default(); REQUESTS.len()] }
    }

    pub(super) fn misbehave(&mut self, late_one_in: u64, lost_one_in: u64) {
        (self.late_one_in, self.lost_one_in) = (late_one_in, lost_one_in);
    }

    pub(super) fn swallow(&mut self, request: Option<Request>) {
        self.swallowed = request;
    }

    /// What becomes of the next answer to a request of this kind.
    pub(super) fn fate(&mut self, kind: i16) -> Fate {
        let Some(index) = REQUESTS.iter().position(|request| *request as i16 == kind) else { return Fate::Good };
        let answers = &mut self.answers[index];
        let times = if kind == Request::Produce as i16 { WRITES_SUFFER_LESS } else { 1 };
        let is_swallowed = self.swallowed == Some(REQUESTS[index]);
        if is_swallowed || self.lost_one_in > 0 && self.random.one_in(self.lost_one_in * times) {
            answers.lost += 1;
            return Fate::Lost;
        }
        if self.late_one_in > 0 && self.random.one_in(self.late_one_in * times) {
            answers.late += 1;
            return Fate::Late(Duration::from_millis(1 + self.random.below(LATEST_MS)));
        }
        answers.good += 1;
        Fate::Good
    }

    pub(super) fn answers(&self) -> Vec<(Request, Answers)> {
        REQUESTS.into_iter().zip(self.answers).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_steps_of_a_transaction_suffer_and_each_is_counted() {
        let mut faults = Faults::new(7);
        assert!((0..100).all(|_| faults.fate(26) == Fate::Good));
        faults.misbehave(2, 5);
        assert!((0..100).all(|_| faults.fate(1) == Fate::Good), "a fetch is none");
        let fates: Vec<Fate> = (0..100).map(|_| faults.fate(26)).collect();
        let lost = fates.iter().filter(|fate| **fate == Fate::Lost).count() as u64;
        let good = fates.iter().filter(|fate| **fate == Fate::Good).count() as u64;
        let expected = Answers { good: 100 + good, late: 100 - lost - good, lost };
        assert!(lost > 0 && expected.late > 0 && good > 0);
        assert_eq!(faults.answers()[2], (Request::End, expected));
        assert_eq!(faults.answers()[0].1, Answers::default());
    }

    #[test]
    fn one_kind_may_never_be_answered() {
        let mut faults = Faults::new(7);
        faults.swallow(Some(Request::AddOffsets));
        assert_eq!([0, 25, 26, 25].map(|kind| faults.fate(kind) == Fate::Lost), [false, true, false, true]);
        faults.swallow(None);
        assert_eq!(faults.fate(25), Fate::Good);
    }
}
