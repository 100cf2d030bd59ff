//! The journal of a world, as a replay reads it.

use bellwether_backtest::journal::{Journal, Visit};
use bellwether_codec::journal::{CONTROL_HEADER, JournalRecord, WATERMARK_HEADER};
use bellwether_engine::time::Time;
use bellwether_kafka::memory::Record;

use super::{PARTITIONS, World, journal_partition};

impl Journal for World {
    fn partitions(&self) -> u16 {
        PARTITIONS
    }

    fn read(&self, partition: u16, visit: &mut Visit<'_>) -> Result<(), String> {
        let records = self.records(&journal_partition(partition));
        let records: Vec<JournalRecord<'_>> = records.iter().map(journal_record).collect();
        visit(&records);
        Ok(())
    }
}

pub(super) fn journal_record(record: &Record) -> JournalRecord<'_> {
    let header = |name: &str| record.headers.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref());
    JournalRecord {
        offset: record.offset,
        appended_at: Some(Time(record.timestamp_ms)),
        watermark: header(WATERMARK_HEADER),
        is_control: header(CONTROL_HEADER).is_some(),
        value: record.value.as_deref(),
    }
}
