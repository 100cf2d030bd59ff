//! Follows one customer through a log up to an instant. Other customers are not folded: they change nothing for this one.

use std::collections::VecDeque;
use std::sync::Arc;

use bellwether_codec::erasures::Erasures;
use bellwether_codec::event::Decoder;
use bellwether_codec::intake::{DecodedPart, EPOCH_LINES, PartReader, Sequencer};
use bellwether_codec::journal::{JournalRecord, Piece, Pieces};
use bellwether_codec::run::Run;
use bellwether_codec::summary::Summary;
use bellwether_codec::timestamp::format_time;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::Time;

use super::account::TimelineEntry;
use crate::error::ReplayError;
use crate::journal::{CompileRules, Journal};
use crate::part::Part;
use crate::replay::ReplayOptions;

/// Entries of a timeline: the latest.
const MAX_ENTRIES: usize = 200;

/// Why a customer cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The log.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Folding panicked: a defect of the program, or of its rules.
    #[error("folding the customer panicked at {0}; this is a defect of the program: please report it with the log lines above")]
    Panicked(String),
}

/// A customer at an instant, with what led there.
pub struct Followed {
    /// The partition that holds it, and its rules.
    pub partition: Partition,
    /// The instant: that asked for, or the end of the log.
    pub at: Time,
    /// The latest events and signals, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// Lines that were read up to the instant, and of these the refused ones by reason; of a journal, which has no others, nothing.
    pub read: Summary,
}

/// Follows a customer.
pub struct Explainer {
    key: CustomerKey,
    until: Time,
    partition: Partition,
    /// With their times, by which they are ordered.
    timeline: VecDeque<(Time, TimelineEntry)>,
    outputs: Vec<Output>,
    at: Time,
    is_over: bool,
    /// The record at which the customer is erased, if it is: records before it are blanks.
    erased_at: Option<u64>,
    erasures: Erasures,
    read: Summary,
}

impl Explainer {
    /// Follows the customer of this id up to an instant, or to the end of the log.
    #[must_use]
    pub fn new(customer: &str, until: Option<Time>, rules: Arc<RuleSet>) -> Self {
        Self::started(CustomerKey::of(customer), until.unwrap_or(Time::NEVER), Partition::new(rules, Header::default()))
    }

    fn started(key: CustomerKey, until: Time, partition: Partition) -> Self {
        Self {
            key,
            until,
            partition,
            timeline: VecDeque::new(),
            outputs: Vec::new(),
            at: Time::MIN,
            is_over: false,
            erased_at: None,
            erasures: Erasures::default(),
            read: Summary::default(),
        }
    }

    /// Through files.
    ///
    /// # Errors
    ///
    /// When an input cannot be read, or the customer cannot be folded.
    pub fn files(mut self, inputs: &ReplayOptions) -> Result<Followed, ExplainError> {
        let mut reader = PartReader::open(&inputs.inputs, EPOCH_LINES, inputs.ingest_clock).map_err(ReplayError::from)?;
        let mut sequencer = Sequencer::new(1);
        while !self.is_over
            && let Some(raw) = reader.next_part().map_err(ReplayError::from)?
        {
            let decoded = DecodedPart::decode(raw, &inputs.decoder, true);
            let part = Part::new(decoded, &mut sequencer, inputs.ingest_clock, self.until);
            part.count(&mut self.read);
            self.fold(&part.run(0, 0))?;
        }
        self.finish()
    }

    /// Through a journal, under its own rule sets unless `compile_rules` is left out. Of a customer that was erased, wherever in the journal,
    /// nothing from before its erasure is told, whether its bytes are gone already or not.
    ///
    /// # Errors
    ///
    /// When the journal cannot be read, a rule set of it does not compile, or the customer cannot be folded.
    pub fn journal(
        self,
        journal: &impl Journal,
        decoder: &Decoder,
        compile_rules: Option<&CompileRules>,
    ) -> Result<Followed, ExplainError> {
        let Self { key, until, partition, .. } = self;
        let rules = partition.rules().clone();
        let mut erased_at = None;
        loop {
            let partition = Partition::new(rules.clone(), Header::default()).with_erasure_key(decoder.erasure_key());
            let mut explainer = Self { erased_at, ..Self::started(key, until, partition) };
            let mut failed = None;
            // To the end of the journal, also when the instant asked for is over: erasures count wherever they are.
            let mut visit = |records: &[JournalRecord<'_>]| {
                failed = explainer.pieces(records, decoder, compile_rules).err();
                failed.is_none()
            };
            journal.read(key.partition(journal.partitions()), &mut visit).map_err(ReplayError::Journal)?;
            if let Some(error) = failed {
                return Err(error);
            }
            let found = explainer.erasures.offsets().get(&key).copied();
            if found == erased_at {
                return explainer.finish();
            }
            erased_at = found;
        }
    }

    fn pieces(
        &mut self,
        records: &[JournalRecord<'_>],
        decoder: &Decoder,
        compile_rules: Option<&CompileRules>,
    ) -> Result<(), ExplainError> {
        for piece in Pieces::decode(records.iter().copied(), decoder).pieces {
            if !matches!(piece, Piece::Records(_)) && !self.is_over && self.at > Time::MIN {
                // Records of other customers have passed the time until here, and what was due by then was decided before this.
                self.apply(&Record { watermark: self.at, payload: Payload::Tick })?;
            }
            match piece {
                Piece::Records(records) => {
                    self.fold(&records.run())?;
                    self.erasures.note(&records);
                }
                _ if self.is_over => {}
                Piece::Rules(_, rules) => {
                    let is_new = rules.number > self.partition.header.rule_set;
                    let Some(compile_rules) = compile_rules.filter(|_| is_new) else { continue };
                    let compiled = compile_rules(&rules.text, rules.number).map_err(ReplayError::Journal)?;
                    let previous = self.partition.rules().clone();
                    self.partition.set_rules(Arc::new(compiled), Some(previous));
                    self.review_now()?;
                }
                Piece::SourceSilent(_, source) => self.partition.source_silent(&source.source, source.families()),
                Piece::SourceResumed(_, source) => {
                    if self.partition.source_resumed(&source.source) {
                        self.review_now()?;
                    }
                }
                Piece::Erased(_, erasure) => self.partition.remember_erasure(erasure.hash, erasure.time),
                Piece::Created(..) => {}
            }
            self.note_outputs();
        }
        Ok(())
    }

    fn fold(&mut self, run: &Run<'_>) -> Result<(), ExplainError> {
        for index in 0..run.len() {
            if self.is_over {
                return Ok(());
            }
            let watermark = run.watermark(index);
            self.is_over |= watermark > self.until;
            if self.is_over {
                return Ok(());
            }
            self.at = self.at.max(watermark);
            let Some((event, key, identity)) = run.event(index).filter(|(_, key, _)| *key == self.key) else { continue };
            let offset = run.offset(index);
            if self.erased_at.is_some_and(|erased_at| offset < erased_at) {
                continue;
            }
            let entry = TimelineEntry { time: format_time(event.time), what: event.event_type().name().to_owned(), of: String::new() };
            // Nor is the erasure, whose own record goes when the bytes do.
            if self.erased_at != Some(offset) {
                self.note(event.time, entry);
            }
            self.apply(&Record { watermark, payload: Payload::Event { event, key, identity } })?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Followed, ExplainError> {
        let at = if self.is_over { self.until } else { self.at };
        self.apply(&Record { watermark: at, payload: Payload::Tick })?;
        let timeline = self.timeline.into_iter().map(|(_, entry)| entry).collect();
        Ok(Followed { partition: self.partition, at, timeline, read: self.read })
    }

    fn apply(&mut self, record: &Record<'_>) -> Result<(), ExplainError> {
        let progress = self.partition.apply(record, &mut u64::MAX.clone(), &mut self.outputs);
        self.note_outputs();
        if progress == Progress::Done { Ok(()) } else { Err(ExplainError::Panicked(format_time(record.watermark))) }
    }

    fn review_now(&mut self) -> Result<(), ExplainError> {
        let progress = self.partition.review_now(self.key, &mut self.outputs);
        if progress == Progress::Done { Ok(()) } else { Err(ExplainError::Panicked(format_time(self.partition.header.journal_time))) }
    }

    fn note_outputs(&mut self) {
        for output in std::mem::take(&mut self.outputs) {
            let (signal, suffix) = match &output {
                Output::Signal(signal) => (signal, String::new()),
                Output::Decision(signal, reason) => (signal, format!(", not sent: {reason}")),
                Output::Kpis(_) => continue,
            };
            let what = format!("{} {}{suffix}", signal.rule.name, signal.transition.name());
            self.note(signal.time, TimelineEntry { time: format_time(signal.time), what, of: signal.object.to_string() });
        }
    }

    /// A review that is told of after an event may be dated before it.
    fn note(&mut self, time: Time, entry: TimelineEntry) {
        let place = self.timeline.partition_point(|(known, _)| *known <= time);
        self.timeline.insert(place, (time, entry));
        if self.timeline.len() > MAX_ENTRIES {
            self.timeline.pop_front();
        }
    }
}
