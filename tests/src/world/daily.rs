//! Daily records of KPIs: those that were published, and those of a replay.

use std::collections::BTreeMap;

use bellwether_backtest::journal::{Journal, JournalReplay, Visit};
use bellwether_backtest::replay::Sink;
use bellwether_codec::event::Decoder;
use bellwether_codec::rendered::Rendered;
use bellwether_codec::rules::RuleFile;
use bellwether_kafka::TopicPartition;
use serde_json::Value;

use super::{PARTITIONS, World};

/// Records by partition and day, each as often as it was published.
pub type Days = BTreeMap<(u64, String), Vec<Value>>;

impl World {
    /// The records in their topic.
    ///
    /// # Panics
    ///
    /// When one of them is none, or has another key than its partition and day.
    #[must_use]
    pub fn published_days(&self) -> Days {
        let mut days = Days::new();
        for record in [0, 1].into_iter().flat_map(|number| self.records(&TopicPartition::new("kpis", number))) {
            let value: Value = serde_json::from_slice(record.value.as_deref().expect("a record has a value")).expect("JSON");
            let (partition, day) = (value["partition"].as_u64().expect("a number"), value["day"].as_str().expect("a day").to_owned());
            assert_eq!(record.key.as_deref(), Some(format!("{day}/{partition}").as_bytes()));
            days.entry((partition, day)).or_default().push(value);
        }
        days
    }

    /// What a replay of each partition for itself puts out.
    ///
    /// # Panics
    ///
    /// When the journal does not replay.
    #[must_use]
    pub fn replayed_days(&self) -> Days {
        let compile = |text: &str, number: u32| {
            RuleFile::parse("rules.yaml", text).map(|file| file.rule_set(number)).map_err(|errors| errors.to_string())
        };
        let replay = JournalReplay { decoder: Decoder::default(), compile_rules: &compile, rules: None };
        let mut days = Days::new();
        for partition in 0..PARTITIONS {
            let mut lines = DayLines(Vec::new());
            replay.run(&OnePartition { world: self, partition }, &mut lines).expect("the journal replays");
            for line in String::from_utf8(lines.0).expect("JSON is text").lines() {
                let mut value: Value = serde_json::from_str(line).expect("JSON");
                value["partition"] = partition.into();
                days.entry((u64::from(partition), value["day"].as_str().expect("a day").to_owned())).or_default().push(value);
            }
        }
        days
    }
}

/// A journal that has no other partitions.
struct OnePartition<'w> {
    world: &'w World,
    partition: u16,
}

impl Journal for OnePartition<'_> {
    fn partitions(&self) -> u16 {
        1
    }

    fn read(&self, _: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        self.world.read(self.partition, visit)
    }
}

struct DayLines(Vec<u8>);

impl Sink for DayLines {
    fn append(&mut self, _: &Rendered) -> std::io::Result<()> {
        Ok(())
    }

    fn restart(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn wants_kpis(&self) -> bool {
        true
    }

    fn append_kpis(&mut self, lines: &[u8]) -> std::io::Result<()> {
        self.0.extend_from_slice(lines);
        Ok(())
    }

    fn progress(&mut self, _bytes_read: u64, _bytes_total: u64, _lines: u64) {}
}
