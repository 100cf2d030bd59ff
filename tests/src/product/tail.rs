//! A topic that is read on as it grows.

use bellwether_kafka::{Batch, ConnectionOptions, Place, Reader, Received, TopicPartition};

/// A topic, and how far it was read.
pub struct Tail {
    connection: ConnectionOptions,
    topic: String,
    /// The next offset of each partition.
    next: Vec<u64>,
}

impl Tail {
    /// From the start of every partition.
    #[must_use]
    pub fn new(connection: ConnectionOptions, topic: String, partitions: u16) -> Self {
        Self { connection, topic, next: vec![0; usize::from(partitions)] }
    }

    /// Reads what was committed since it was last asked, partition by partition.
    ///
    /// # Panics
    ///
    /// When the topic cannot be read.
    pub fn read_on(&mut self, mut visit: impl FnMut(&Received<'_>)) {
        for (partition, next) in (0..).zip(&mut self.next) {
            let at = TopicPartition::new(self.topic.as_str(), partition);
            let reader = Reader::of_part(self.connection.clone(), at, Some(Place::Offset(*next)), None);
            let mut reader = reader.unwrap_or_else(|error| panic!("{error}"));
            let mut batch = Batch::default();
            while reader.read(&mut batch, usize::MAX, usize::MAX).unwrap_or_else(|error| panic!("{error}")) {}
            for record in batch.records() {
                visit(&record);
                *next = record.offset + 1;
            }
        }
    }
}
