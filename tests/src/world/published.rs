//! What the workers of a world have put out.

use bellwether_codec::event::Decoder;
use bellwether_codec::timestamp::parse_date_or_time;
use bellwether_engine::event::Body;
use bellwether_engine::time::Time;
use bellwether_kafka::TopicPartition;

use super::reading::journal_record;
use super::{LatestHealth, PARTITIONS, World, journal_partition, latest_health, line_of};

impl World {
    /// The signals and decisions that were published, as lines of a signals file, sorted; without those about customers that were erased since,
    /// which a replay does not repeat.
    #[must_use]
    pub fn published(&self) -> Vec<String> {
        self.published_but(&self.erased())
    }

    /// The same, without those about these customers until these times.
    #[must_use]
    pub fn published_but(&self, erased: &[(String, Time)]) -> Vec<String> {
        let is_of = |line: &str, (customer, time): &(String, Time)| {
            let field =
                |name: &str| line.split_once(&format!("\"{name}\":\"")).and_then(|(_, rest)| rest.split_once('"')).map(|(value, _)| value);
            field("subject") == Some(customer)
                && field("time").and_then(|told| parse_date_or_time(told).ok()).is_some_and(|told| told <= *time)
        };
        let mut lines = self.published_at_all();
        lines.retain(|line| !erased.iter().any(|erasure| is_of(line, erasure)));
        lines
    }

    /// Customers that were erased, and the journal time then.
    #[must_use]
    pub fn erased(&self) -> Vec<(String, Time)> {
        let mut erased = Vec::new();
        for number in 0..PARTITIONS {
            let mut journal_time = Time::MIN;
            for record in self.records(&journal_partition(number)) {
                let record = journal_record(&record);
                let watermark = record.watermark.and_then(|bytes| std::str::from_utf8(bytes).ok()).and_then(|text| text.parse().ok());
                journal_time = journal_time.max(watermark.map_or(Time::MIN, Time));
                let text = record.value.and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default();
                let event = Decoder::default().decode_journal(text).ok().filter(|event| event.body == Body::Erased);
                erased.extend(event.map(|event| (event.customer.to_string(), journal_time.max(event.time))));
            }
        }
        erased
    }

    /// The customers whose health record was taken back at some time.
    #[must_use]
    pub fn tombstones(&self) -> usize {
        let records = [0, 1].into_iter().flat_map(|number| self.records(&TopicPartition::new("health", number)));
        records.filter(|record| record.value.is_none()).count()
    }

    fn published_at_all(&self) -> Vec<String> {
        let partitions = ["signals", "decisions"].into_iter().flat_map(|topic| [0, 1].map(|number| TopicPartition::new(topic, number)));
        let mut lines: Vec<String> =
            partitions.flat_map(|at| self.records(&at)).map(|record| line_of(&record.headers, record.value.as_deref())).collect();
        lines.sort_unstable();
        lines
    }

    /// The last record of each customer in the health topic.
    #[must_use]
    pub fn latest_health(&self) -> LatestHealth {
        let records = [0, 1].into_iter().flat_map(|number| self.records(&TopicPartition::new("health", number)));
        records.map(|record| latest_health(record.key.as_deref(), record.value.as_deref())).collect()
    }
}
