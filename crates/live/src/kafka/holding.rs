//! A worker that somebody has paused: it reads nothing and keeps its place in the group.

use std::collections::BTreeSet;

use bellwether_kafka::{Client, KafkaError, TopicPartition};

/// The partitions that a worker does not read because it is paused.
#[derive(Debug, Default)]
pub(crate) struct Holding {
    held: BTreeSet<TopicPartition>,
}

impl Holding {
    /// To be called before each poll, with what the client reads: partitions that came since the last call are held too.
    ///
    /// # Errors
    ///
    /// When the client has to be rebuilt.
    pub fn follow<'p>(
        &mut self,
        is_paused: bool,
        reading: impl Iterator<Item = &'p TopicPartition>,
        client: &mut dyn Client,
    ) -> Result<(), KafkaError> {
        if !is_paused && self.held.is_empty() {
            return Ok(());
        }
        let reading: BTreeSet<TopicPartition> = reading.cloned().collect();
        self.held.retain(|at| reading.contains(at));
        if is_paused {
            let new: Vec<TopicPartition> = reading.difference(&self.held).cloned().collect();
            client.pause(&new)?;
            self.held.extend(new);
        } else {
            let all: Vec<TopicPartition> = std::mem::take(&mut self.held).into_iter().collect();
            client.resume(&all)?;
        }
        Ok(())
    }
}
