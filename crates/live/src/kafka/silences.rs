//! Silences of whole sources, written into every journal partition before any record whose watermark knows of them.

use bellwether_codec::journal::{CONTROL_HEADER, Control, SourceState, WATERMARK_HEADER};
use bellwether_engine::time::Time;
use bellwether_kafka::{Outgoing, Transaction};

use super::arrivals::{Arrivals, families, is_silent};
use super::options::IngestOptions;
use super::watermark::Watermarks;

/// What a worker has told of its sources, by index. Every worker tells it: each must have done so before it writes a watermark that knows of
/// the silence. Told twice, it counts once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Silences {
    /// In committed transactions; none of a source before the first time.
    told: Vec<Option<bool>>,
    /// With the transaction under way.
    telling: Vec<Option<bool>>,
}

impl Silences {
    /// A new transaction begins.
    pub fn begin(&mut self) {
        self.telling.clone_from(&self.told);
    }

    /// The transaction is committed.
    pub fn confirm(&mut self) {
        self.told.clone_from(&self.telling);
    }

    /// Adds records for the sources that have fallen silent or resumed, as far as the watermarks know.
    pub fn put(&mut self, watermarks: &Watermarks, options: &IngestOptions, transaction: &mut Transaction) {
        self.telling.resize(options.sources.len(), None);
        let mut partitions: Vec<Vec<(&Arrivals, Time)>> = vec![Vec::new(); options.sources.len()];
        for (at, journaled) in watermarks.all() {
            if let Some(source) = options.sources.index_of(&at.topic) {
                partitions[source].push((&journaled.arrivals, journaled.until));
            }
        }
        for (index, partitions) in partitions.iter().enumerate() {
            let source = options.sources.get(index);
            let before = self.telling[index];
            let silent = is_silent(source.silent_after, before, partitions.iter().copied());
            let Some(is_silent) = silent.filter(|_| silent != before) else { continue };
            self.telling[index] = silent;
            // A worker that begins does not know what those before it have told; one of a process says that nothing is wrong.
            if before.is_none() && !is_silent && !options.ticks {
                continue;
            }
            let families = families(partitions.iter().map(|(arrivals, _)| *arrivals)).names().map(str::to_owned).collect();
            let state = SourceState { source: source.name.clone(), families };
            let control = if is_silent { Control::SourceSilent(state) } else { Control::SourceResumed(state) };
            tell(&source.name, is_silent, before);
            put_everywhere(&control, watermarks.smallest(), options, transaction);
        }
    }
}

fn tell(source: &str, is_silent: bool, before: Option<bool>) {
    if is_silent {
        tracing::warn!(source, "the source is silent: rules that would take that for the silence of customers are frozen");
    } else if before.is_some() {
        tracing::info!(source, "the source has resumed");
    }
}

fn put_everywhere(control: &Control, watermark: Time, options: &IngestOptions, transaction: &mut Transaction) {
    let (value, digits) = (control.encode(), watermark.0.to_string());
    let headers = [(WATERMARK_HEADER, Some(digits.as_bytes())), (CONTROL_HEADER, Some(control.name().as_bytes()))];
    for partition in 0..options.journal_partitions {
        transaction.push(&Outgoing {
            topic: &options.topics.journal,
            partition: Some(i32::from(partition)),
            key: None,
            value: Some(&value),
            headers: &headers,
            timestamp_ms: None,
        });
    }
}
