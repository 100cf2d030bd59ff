//! Where an import stands: what the journal itself tells, and that nobody else has written to it.

use bellwether_codec::journal::{CONTROL_HEADER, Control, ImportProgress};
use bellwether_kafka::{Batch, Reader, Received, TopicPartition};

use super::super::connect::Connect;
use super::super::error::JournalError;
use crate::error::LiveError;

/// Records that are in memory at once.
const MAX_RECORDS: usize = 50_000;
const MAX_BYTES: usize = 32 << 20;

/// The last word of an import; `None` if none has begun.
///
/// # Errors
///
/// When there are records that no import has written.
pub(super) fn find(connect: &Connect, partitions: u16) -> Result<Option<ImportProgress>, LiveError> {
    let mut seen = Seen::default();
    visit(connect, 0, |record| seen.record(record))?;
    if seen.latest.is_none() {
        for partition in 1..partitions {
            visit(connect, partition, |record| seen.record(record))?;
        }
    }
    Ok(seen.latest)
}

/// Hands over the records of a partition until one is refused.
fn visit(connect: &Connect, partition: u16, mut take: impl FnMut(&Received<'_>) -> bool) -> Result<(), LiveError> {
    let topic = connect.topics().journal;
    let mut reader = Reader::of_all(connect.connection(), TopicPartition::new(topic.as_str(), i32::from(partition)))?;
    let mut batch = Batch::default();
    let mut more = true;
    while more {
        batch.clear();
        more = reader.read(&mut batch, MAX_RECORDS, MAX_BYTES)?;
        if let Some(record) = batch.records().find(|record| !take(record)) {
            return Err(JournalError::NotEmpty { topic, partition, offset: record.offset }.into());
        }
    }
    Ok(())
}

/// What the records so far tell.
#[derive(Debug, Default)]
struct Seen {
    latest: Option<ImportProgress>,
    /// Records of the import that are still to come after its last word.
    expected: u64,
}

impl Seen {
    /// False if somebody else wrote the record.
    fn record(&mut self, record: &Received<'_>) -> bool {
        let is_control = record.headers().any(|(name, _)| name == CONTROL_HEADER);
        let control = if is_control { Control::decode(record.value.unwrap_or_default()).ok() } else { None };
        match control {
            Some(Control::Created(_) | Control::Rules(_)) => true,
            Some(Control::Import(progress)) => {
                let is_next = self.expected == 0;
                self.expected = progress.records;
                self.latest = Some(progress);
                is_next
            }
            Some(Control::Tick | Control::SourceSilent(_) | Control::SourceResumed(_) | Control::Erased(_)) | None => {
                let is_ours = self.expected > 0;
                self.expected = self.expected.saturating_sub(1);
                is_ours
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bellwether_codec::journal::{Created, PublishedRules};

    use super::*;

    /// The index of the first record that is refused.
    fn refused(records: &[Option<Control>]) -> Option<usize> {
        let mut batch = Batch::default();
        for (offset, control) in (0..).zip(records) {
            let value = control.as_ref().map_or_else(|| b"{}".to_vec(), Control::encode);
            batch.push(("journal", 0), offset, None, None, Some(&value));
            control.iter().for_each(|control| batch.push_header(CONTROL_HEADER, Some(control.name().as_bytes())));
        }
        let mut seen = Seen::default();
        batch.records().position(|record| !seen.record(&record))
    }

    #[test]
    fn only_what_an_import_has_told_of_is_its_own() {
        let created = || Some(Control::Created(Created { journal: "j".into(), partitions: 1, pseudonym_key_id: "k".into() }));
        let rules = || Some(Control::Rules(PublishedRules { number: 1, text: String::new() }));
        let told = |records| Some(Control::Import(ImportProgress { records, state: String::new() }));
        let (event, tick) = (None, Some(Control::Tick));
        assert_eq!(refused(&[created(), rules()]), None);
        assert_eq!(refused(&[created(), event.clone()]), Some(1));
        assert_eq!(refused(&[created(), tick.clone()]), Some(1));
        assert_eq!(refused(&[created(), told(2), event.clone(), rules(), tick.clone(), told(1), event.clone()]), None);
        assert_eq!(refused(&[created(), told(1), event.clone(), tick.clone()]), Some(3), "an ingest ticks in between");
        assert_eq!(refused(&[created(), told(0), told(2), event.clone(), told(1)]), Some(4), "a record is missing");
    }
}
