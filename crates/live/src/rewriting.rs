//! Writes a journal anew: the records of others, in one order, with another number of partitions, and without the bytes of who was erased.
//!
//! The new data directory is that of a run which took in these records: it is folded as they are written, so that a run goes on from it. What
//! an erasure leaves is its hash, in every partition, as nobody knows any more where its customer belonged.

use std::sync::Arc;

use bellwether_codec::event::encode_event;
use bellwether_codec::intake::{EPOCH_LINES, InputPosition};
use bellwether_codec::journal::{Control, PurgedErasure};
use bellwether_codec::run::Run;
use bellwether_codec::summary::Summary;
use bellwether_engine::event::{Body, CustomerKey, Event};
use bellwether_engine::time::Time;
use bellwether_store::Commit;
use rayon::prelude::*;

use crate::error::LiveError;
use crate::journal::{decode_block, encode_control, encode_text};
use crate::journal_directory::JournalDirectory;
use crate::metrics::Metrics;
use crate::options::EmbeddedOptions;
use crate::session::Session;

/// A journal that is being written.
pub struct Rewriting {
    session: Session,
    /// What the next block of each partition holds.
    texts: Vec<String>,
    /// Records in them.
    records: usize,
    line: Vec<u8>,
}

impl Rewriting {
    /// Begins a data directory.
    ///
    /// # Errors
    ///
    /// When there is one already, or it cannot be written.
    pub fn begin(options: EmbeddedOptions) -> Result<Self, LiveError> {
        if options.data.exists() {
            return Err(LiveError::Settings(format!(
                "{} is there already: a journal is written anew beside the old one",
                options.data.display()
            )));
        }
        let mut session = Session::open(options, Arc::new(Metrics::new()))?;
        session.finish_pending()?;
        let texts = vec![String::new(); usize::from(session.state.partitions)];
        Ok(Self { session, texts, records: 0, line: Vec::new() })
    }

    /// Appends an event with the watermark at it; of an erasure only the hash.
    ///
    /// # Errors
    ///
    /// When the records gathered so far cannot be written.
    pub fn event(&mut self, event: &Event<'_>, key: CustomerKey, watermark: Time) -> Result<(), LiveError> {
        if event.body == Body::Erased {
            let hash = self.session.options.decoder.erasure_key().hash(&event.customer);
            return self.erased(PurgedErasure { hash, time: event.time }, watermark);
        }
        let partition = key.partition(self.session.state.partitions);
        self.session.state.sequencer.follow(partition, watermark);
        self.line.clear();
        encode_event(event, &mut self.line);
        let text = &mut self.texts[usize::from(partition)];
        text.extend([watermark.0.to_string().as_str(), "\t", &String::from_utf8_lossy(&self.line), "\n"]);
        self.session.state.totals.journaled += 1;
        self.records += 1;
        if self.records >= EPOCH_LINES { self.fold(false) } else { Ok(()) }
    }

    /// Brings rules into force that were published here.
    ///
    /// # Errors
    ///
    /// When they do not compile, or cannot be written.
    pub fn rules(&mut self, text: &str) -> Result<(), LiveError> {
        self.fold(false)?;
        text.clone_into(&mut self.session.options.rules_text);
        self.session.adopt_rules()
    }

    /// Appends an erasure of which only the hash is left.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn erased(&mut self, erasure: PurgedErasure, watermark: Time) -> Result<(), LiveError> {
        self.fold(false)?;
        let control = serde_json::to_value(Control::Erased(erasure)).expect("text and numbers always serialise");
        let mut commit = Commit::new();
        for worker in &mut self.session.workers {
            let end = &mut self.session.state.journal_ends[usize::from(worker.number)];
            commit.append_journal_block(worker.number, *end, &encode_control(watermark, &control));
            worker.partition.remember_erasure(erasure.hash, erasure.time);
            worker.pass_over(*end);
            *end += 1;
        }
        self.session.commit(commit)
    }

    /// Ends the journal with a tick everywhere, and hands over what is left of the old ones beside their records: where their inputs stood,
    /// and those of files that were merged in, so that a run reads none of them again.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn finish(mut self, old: &[JournalDirectory], files: Vec<InputPosition>) -> Result<Summary, LiveError> {
        let state = &mut self.session.state;
        for old in old.iter().map(JournalDirectory::state) {
            state.next_epoch = state.next_epoch.max(old.next_epoch);
            state.inputs.extend(old.inputs.iter().cloned());
            state.totals.events += old.totals.events;
            for (reason, count) in &old.totals.rejected {
                *state.totals.rejected.entry(reason.clone()).or_default() += count;
            }
        }
        state.inputs.extend(files);
        self.fold(true)?;
        self.session.commit(Commit::new())?;
        Ok(self.session.summary())
    }

    /// Writes and folds what is gathered.
    fn fold(&mut self, closing: bool) -> Result<(), LiveError> {
        for (partition, time) in self.session.state.sequencer.end_epoch(closing) {
            self.texts[usize::from(partition)].extend([time.0.to_string().as_str(), "\n"]);
        }
        let decoder = self.session.options.decoder.clone();
        let blocks = self.texts.par_iter().map(|text| Ok((decode_block(text, &decoder)?, encode_text(text))));
        let blocks = blocks.collect::<Result<Vec<_>, LiveError>>()?;
        let mut runs = Vec::with_capacity(blocks.len());
        let mut written = Vec::with_capacity(blocks.len());
        for ((number, (block, bytes)), end) in (0_u16..).zip(&blocks).zip(&mut self.session.state.journal_ends) {
            let run = Run { first_offset: *end, offsets: None, lines: &block.lines, records: &block.records, tick: block.tick };
            if !run.is_empty() {
                written.push((number, *end, bytes.clone()));
            }
            *end += run.len() as u64;
            runs.push(run);
        }
        self.session.fold_runs(&runs, written)?;
        drop(runs);
        drop(blocks);
        self.texts.iter_mut().for_each(String::clear);
        self.records = 0;
        Ok(())
    }
}
