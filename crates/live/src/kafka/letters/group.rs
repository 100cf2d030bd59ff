//! A group with one member, for a tool that commits offsets: all partitions of a topic are its own, or it does nothing.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bellwether_kafka::{Batch, Client, KafkaError, Polled, Remedy, TopicPartition};

/// How long an earlier member that died may hold the partitions, and a rebalance may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long one poll waits.
const POLL: Duration = Duration::from_millis(100);

/// The client as the one member of its group.
pub(super) struct OnlyMember<'c> {
    pub client: &'c mut dyn Client,
    /// All partitions of the topic, in order.
    pub partitions: Vec<TopicPartition>,
    nothing: Batch,
}

impl<'c> OnlyMember<'c> {
    /// Waits until the group has given it all partitions. It reads nothing from them: it only commits.
    pub fn join(client: &'c mut dyn Client) -> Result<Self, KafkaError> {
        let partitions = client.subscribed_partitions()?;
        let mut missing: BTreeSet<TopicPartition> = partitions.iter().cloned().collect();
        let mut nothing = Batch::default();
        let deadline = Instant::now() + PATIENCE;
        while !missing.is_empty() {
            match client.poll(&mut nothing, 1, 1, POLL) {
                Ok(Polled::Records) => {}
                Ok(Polled::Assigned(came)) => {
                    let ends = came.into_iter().map(|at| client.bounds(&at).map(|(_, end)| (at, end)));
                    let ends = ends.collect::<Result<Vec<_>, _>>()?;
                    client.assign(&ends)?;
                    missing.retain(|at| !ends.iter().any(|(came, _)| came == at));
                }
                Ok(Polled::Revoked(gone)) => missing.extend(gone),
                Err(error) if error.remedy == Remedy::Retry && Instant::now() < deadline => {}
                Err(error) if error.remedy == Remedy::Leave => return Err(taken_over()),
                Err(error) => return Err(error),
            }
            nothing.clear();
            if !missing.is_empty() && Instant::now() > deadline {
                return Err(KafkaError::new(
                    Remedy::Stop,
                    "waiting for the partitions of the dead letters",
                    "another member of the group has them",
                ));
            }
        }
        let mut member = Self { client, partitions, nothing };
        member.stay()?;
        Ok(member)
    }

    /// Learns what the group has to tell.
    ///
    /// # Errors
    ///
    /// When a partition has gone.
    pub fn stay(&mut self) -> Result<(), KafkaError> {
        let polled = self.client.poll(&mut self.nothing, 1, 1, Duration::ZERO);
        self.nothing.clear();
        match polled {
            Ok(Polled::Records) => Ok(()),
            Ok(Polled::Assigned(_) | Polled::Revoked(_)) => Err(taken_over()),
            Err(error) if error.remedy == Remedy::Leave => Err(taken_over()),
            Err(error) => Err(error),
        }
    }
}

fn taken_over() -> KafkaError {
    KafkaError::new(Remedy::Stop, "staying in the group", "another run of this command has taken over")
}
