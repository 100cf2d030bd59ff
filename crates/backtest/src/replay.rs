//! Replay: the same intake and the same fold as the live product, with all states in memory and no store.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Instant;

use bellwether_codec::event::Decoder;
use bellwether_codec::intake::InputSpec;
use bellwether_codec::rendered::Rendered;
use bellwether_codec::run::{Budget, Skipped};
use bellwether_codec::summary::Summary;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Header, Partition, Progress};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::Time;

use crate::crew::{self, Folded};
use crate::error::ReplayError;
use crate::part::{Part, Poisoned, Shard};
use crate::told::Told;

/// How to replay.
pub struct ReplayOptions {
    /// Inputs, merged by time.
    pub inputs: Vec<InputSpec>,
    /// How lines become events.
    pub decoder: Decoder,
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// Journal partitions: 1 or more. They order the signals file; the signals themselves do not depend on them.
    pub partitions: u16,
    /// The real clock of the caller, against which events from the future are rejected.
    pub ingest_clock: Option<Time>,
    /// How many threads share the work.
    pub threads: NonZeroUsize,
}

/// As many threads as the process has processors.
#[must_use]
pub fn all_processors() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// What a replay leaves behind.
pub struct Replayed {
    /// Totals.
    pub summary: Summary,
    /// The partitions with all their customers.
    pub partitions: Vec<Partition>,
}

/// Takes rendered outputs and progress as the replay goes on.
pub trait Sink {
    /// Appends lines, in their final order.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    fn append(&mut self, rendered: &Rendered) -> std::io::Result<()>;

    /// Whether it wants KPI records.
    fn wants_kpis(&self) -> bool {
        false
    }

    /// Appends daily records of KPIs, in the order of their days. Most want none.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    fn append_kpis(&mut self, _lines: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

    /// Takes back everything: the replay starts again, without a record that could not be folded.
    ///
    /// # Errors
    ///
    /// When it cannot be taken back.
    fn restart(&mut self) -> std::io::Result<()>;

    /// Tells how far the input is read, in bytes, and how many bytes it has.
    fn progress(&mut self, bytes_read: u64, bytes_total: u64, lines: u64);
}

/// The most records that may be left out because folding them panicked, before a replay gives up.
pub const MAX_POISONED: usize = 16;

/// Folds the inputs from their start to their end.
///
/// # Errors
///
/// When an input cannot be read, the sink cannot be written, or too many records cannot be folded.
pub fn replay(options: &ReplayOptions, sink: &mut impl Sink) -> Result<Replayed, ReplayError> {
    let started = Instant::now();
    let shards =
        |skipped: &[Skipped]| (0..).zip(skipped).map(|(number, skipped)| States::new(number, &options.rules, skipped.clone())).collect();
    let Folded { shards, counted: mut summary, .. } = crew::fold(options, Time::NEVER, shards, sink, &AtomicBool::new(false))?;
    summary.add_partitions(shards.iter().map(|shard| &shard.partition.header), &options.rules.settings.kpis);
    summary.measure(started.elapsed());
    Ok(Replayed { summary, partitions: shards.into_iter().map(|shard| shard.partition).collect() })
}

/// One partition with the states of its customers, and what it has put out.
struct States {
    number: u16,
    partition: Partition,
    offset: u64,
    skipped: Skipped,
    outputs: Vec<Output>,
    rendered: Rendered,
}

impl States {
    fn new(number: u16, rules: &Arc<RuleSet>, skipped: Skipped) -> Self {
        let partition = Partition::new(rules.clone(), Header::default());
        Self { number, partition, offset: 0, skipped, outputs: Vec::new(), rendered: Rendered::default() }
    }
}

impl Shard for States {
    fn fold(&mut self, part: &Part) -> Result<(), Poisoned> {
        let run = part.run(self.number, self.offset);
        let mut budget = Budget::UNLIMITED;
        let (end, progress) = run.fold(0, &mut self.partition, &mut budget, &self.skipped, &mut self.outputs);
        if progress != Progress::Done {
            return Err((self.offset + end as u64, progress));
        }
        self.offset += run.len() as u64;
        self.rendered.take(&mut self.outputs);
        Ok(())
    }

    /// The last epoch has brought a tick at the watermark.
    fn end(&mut self, _watermark: Time) -> Result<(), Poisoned> {
        Ok(())
    }

    fn take(&mut self) -> Told {
        Told { rendered: std::mem::take(&mut self.rendered), day_end: self.partition.header.day_end }
    }

    fn is_over(&self) -> bool {
        false
    }
}

/// The customer of a replay, wherever it is.
#[must_use]
pub fn find_customer<'a>(partitions: &'a [Partition], customer: &str) -> Option<&'a bellwether_engine::customer::Customer> {
    partitions.iter().find_map(|partition| partition.get(CustomerKey::of(customer)))
}
