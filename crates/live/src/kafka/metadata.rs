//! What stands beside a committed offset: the rest of a position, or how far time is known.

use bellwether_codec::journal::Created;
use bellwether_codec::state::FOLD_VERSION;
use bellwether_engine::time::Time;
use bellwether_kafka::{CommittedOffset, TopicPartition};
use bellwether_store::Position;
use serde::{Deserialize, Serialize};

use super::arrivals::Arrivals;
use super::error::JournalError;
use super::owners::Owner;
use super::watermark::Journaled;

/// Beside an offset of the journal: what the journal is, should its own record of that be gone; what the fold was; and the position within the
/// reviews before the record.
#[derive(Debug, Serialize, Deserialize)]
struct Processed {
    #[serde(flatten)]
    created: Created,
    fold: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    review: Option<(i64, String)>,
    /// Who commits; others find out from here whom to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<Owner>,
}

/// Beside an offset of an input: how far its arrivals are journaled, milliseconds since the epoch, what they were like, and into which journal. An
/// earlier version did not tell the last.
#[derive(Debug, Serialize, Deserialize)]
struct TakenIn {
    watermark: i64,
    #[serde(default)]
    arrivals: Arrivals,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    journal: Option<String>,
}

/// A committed position of a journal partition, and the journal it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommittedPosition {
    pub position: Position,
    pub created: Created,
    pub fold: u8,
}

/// A position as an offset and what stands beside it.
pub(crate) fn of_position(position: Position, created: &Created, owner: Option<&Owner>) -> CommittedOffset {
    let review = (position.review_due != 0).then(|| (position.review_due, format!("{:032x}", position.customer)));
    encode(position.offset, &Processed { created: created.clone(), fold: FOLD_VERSION, review, owner: owner.cloned() })
}

/// The position of a committed offset.
pub(crate) fn position_of(at: &TopicPartition, committed: &CommittedOffset) -> Result<CommittedPosition, JournalError> {
    let Processed { created, fold, review, owner: _ } = decode(at, committed)?;
    let mut position = Position { offset: committed.offset, ..Position::default() };
    if let Some((due, customer)) = review {
        position.review_due = due;
        position.customer = u128::from_str_radix(&customer, 16).map_err(|error| unreadable(at, &error))?;
    }
    Ok(CommittedPosition { position, created, fold })
}

/// Who has committed, if it is told.
pub(crate) fn owner_of(committed: &CommittedOffset) -> Option<Owner> {
    serde_json::from_str::<Processed>(&committed.metadata).ok()?.owner
}

/// An input's next offset, what is journaled of it, and the journal.
pub(crate) fn of_journaled(offset: u64, journaled: Journaled, journal: &str) -> CommittedOffset {
    let Journaled { until, arrivals } = journaled;
    encode(offset, &TakenIn { watermark: until.0, arrivals, journal: Some(journal.to_owned()) })
}

/// What is journaled of an input, and in which journal, if that is told. Nothing is known of it where one of Kafka's own tools has set the offset.
pub(crate) fn journaled_of(at: &TopicPartition, committed: &CommittedOffset) -> Result<(Journaled, Option<String>), JournalError> {
    if committed.metadata.is_empty() {
        return Ok((Journaled::default(), None));
    }
    let TakenIn { watermark, arrivals, journal } = decode(at, committed)?;
    Ok((Journaled { until: Time(watermark), arrivals }, journal))
}

fn encode(offset: u64, beside: &impl Serialize) -> CommittedOffset {
    CommittedOffset { offset, metadata: serde_json::to_string(beside).expect("text and numbers always serialise") }
}

fn decode<'a, T: Deserialize<'a>>(at: &TopicPartition, committed: &'a CommittedOffset) -> Result<T, JournalError> {
    serde_json::from_str(&committed.metadata).map_err(|error| unreadable(at, &error))
}

fn unreadable(at: &TopicPartition, reason: &dyn std::fmt::Display) -> JournalError {
    JournalError::Metadata { at: at.to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use bellwether_engine::event_type::Family;
    use bellwether_engine::time::DAY_MS;

    use super::super::arrivals::SilentAfter;
    use super::*;

    #[test]
    fn positions_come_back() {
        let at = TopicPartition::new("journal", 3);
        let created = Created { journal: "j".to_owned(), partitions: 12, pseudonym_key_id: "0f".to_owned() };
        for (review_due, customer) in [(0, 0), (1_700_000_000_000, u128::MAX), (i64::MAX, 7)] {
            let position = Position { offset: 42, review_due, customer };
            let expected = CommittedPosition { position, created: created.clone(), fold: FOLD_VERSION };
            let owner = Owner { instance: "one".to_owned(), url: Some("https://one:9465".to_owned()) };
            for owner in [None, Some(owner)] {
                let committed = of_position(position, &created, owner.as_ref());
                assert_eq!((position_of(&at, &committed), owner_of(&committed)), (Ok(expected.clone()), owner));
            }
        }
    }

    #[test]
    fn what_is_journaled_comes_back() {
        let at = TopicPartition::new("logins", 0);
        let mut arrivals = Arrivals::default();
        [0, 5, 7].into_iter().for_each(|day| arrivals.note(Time(day * DAY_MS), SilentAfter::Auto));
        arrivals.note_family(Family::Login);
        for until in [Time::MIN, Time(0), Time(1_700_000_000_000)] {
            let journaled = Journaled { until, arrivals: arrivals.clone() };
            assert_eq!(journaled_of(&at, &of_journaled(7, journaled.clone(), "j")), Ok((journaled, Some("j".to_owned()))));
        }
        let before = CommittedOffset { offset: 1, metadata: r#"{"watermark":5}"#.to_owned() };
        assert_eq!(journaled_of(&at, &before), Ok((Journaled { until: Time(5), ..Journaled::default() }, None)));
        let by_a_tool = CommittedOffset { offset: 1, metadata: String::new() };
        assert_eq!(journaled_of(&at, &by_a_tool), Ok((Journaled::default(), None)));
    }

    #[test]
    fn what_another_program_committed_is_an_error() {
        let at = TopicPartition::new("journal", 3);
        let foreign = CommittedOffset { offset: 1, metadata: String::new() };
        let error = position_of(&at, &foreign).expect_err("it is not ours");
        assert!(error.to_string().contains("journal/3"), "{error}");
    }
}
