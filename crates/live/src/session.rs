//! An open data directory at work: the store, the output files and the partitions, and the steps of one commit.

use std::sync::Arc;
use std::time::Instant;

use bellwether_codec::intake::{DecodedEpoch, Resume, SequencedEpoch, Sequencer};
use bellwether_codec::kpi_days::KpiDays;
use bellwether_codec::rejection::RejectReason;
use bellwether_codec::run::Run;
use bellwether_codec::state::{decode_kpi_days, encode_kpi_days};
use bellwether_codec::summary::Summary;
use bellwether_engine::partition::Header;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::settings::Settings;
use bellwether_engine::time::Time;
use bellwether_store::{Commit, Durability, Store, StoreOptions};
use rayon::prelude::*;

use crate::error::LiveError;
use crate::journal::{block_text, decode_block, encode_block, encode_control};
use crate::metrics::Metrics;
use crate::opening_store::open_store;
use crate::options::{DEFAULT_PARTITIONS, EmbeddedOptions, SignalsTarget, states_bytes, store_bytes};
use crate::outbox;
use crate::output::{OutputFile, SignalOutput};
use crate::output_files::{self, OutputFiles};
use crate::process_state::{PROCESS_STATE, ProcessState, RulesState, Totals, outbox_name};
use crate::rebuilding::rebuild_if_older;
use crate::worker::Worker;

/// The name under which the store keeps the text of the rules in force.
pub(crate) const RULES_TEXT: &str = "rules";

/// The name under which the store keeps the text of the rules before those.
pub(crate) const PREVIOUS_RULES_TEXT: &str = "rules/previous";

/// The dead letters within the data directory.
pub(crate) const DEAD_LETTERS: &str = "dead-letters.jsonl";

/// The name under which the store keeps days that not all partitions have ended yet.
pub(crate) const KPI_DAYS: &str = "kpi-days";

/// Everything that one run holds open.
pub(crate) struct Session {
    pub options: EmbeddedOptions,
    pub store: Arc<Store>,
    pub state: ProcessState,
    pub workers: Vec<Worker>,
    pub rules: Arc<RuleSet>,
    pub previous_rules: Arc<RuleSet>,
    pub metrics: Arc<Metrics>,
    output: SignalOutput,
    dead_letters: OutputFile,
    dead_letter_line: Vec<u8>,
    /// Days that not all partitions have ended yet, and the file of those that they have, where one is wanted.
    kpi_days: KpiDays,
    kpis: Option<OutputFile>,
}

impl Session {
    /// Opens the data directory, or makes it, and cuts the output files back to what is committed.
    pub fn open(options: EmbeddedOptions, metrics: Arc<Metrics>) -> Result<Self, LiveError> {
        std::fs::create_dir_all(&options.data).map_err(|error| LiveError::Output { path: options.data.clone(), error })?;
        let memory_bytes = store_bytes(options.memory_bytes);
        let store = Arc::new(open_store(&options.data.join("state"), &StoreOptions { memory_bytes })?);
        let stored = store.input(PROCESS_STATE)?.map(|bytes| serde_json::from_slice::<ProcessState>(&bytes)).transpose();
        let stored = stored.map_err(|error| LiveError::Damaged(format!("process state: {error}")))?;
        stored.iter().try_for_each(|state| check(state, &options))?;
        output_files::check(&options, stored.as_ref())?;
        let mut state = stored.map_or_else(|| create_journal(&store, &options), Ok)?;
        rebuild_if_older(&store, &options, state.partitions)?;
        let rules = stored_rules(&store, &options, RULES_TEXT, state.rules.number)?;
        let previous_rules = stored_rules(&store, &options, PREVIOUS_RULES_TEXT, state.rules.number.saturating_sub(1))?;
        let mut workers = (0..state.partitions)
            .map(|number| Worker::open(number, &store, &rules, options.decoder.erasure_key()))
            .collect::<Result<Vec<_>, _>>()?;
        for worker in &mut workers {
            worker.keep_states_within(states_bytes(options.memory_bytes, usize::from(state.partitions)));
            if let Some(bytes) = store.input(&outbox_name(worker.number))?.filter(|bytes| !bytes.is_empty()) {
                worker.outbox = outbox::decode(&bytes, worker.number)?;
            }
        }
        let output = open_output(&options, state.output_bytes)?;
        let dead_letters = OutputFile::open(&options.data.join(DEAD_LETTERS), state.dead_letter_bytes)?;
        let damaged = |error| LiveError::Damaged(format!("days of KPIs: {error}"));
        let kpi_days = store.input(KPI_DAYS)?.filter(|bytes| !bytes.is_empty()).map(|bytes| decode_kpi_days(&bytes)).transpose();
        let kpi_days = kpi_days.map_err(damaged)?.unwrap_or_default();
        let kpis = options.kpis.as_ref().map(|path| OutputFile::open(path, state.kpis_bytes)).transpose()?;
        adopt_files(&options, &mut state, &store)?;
        metrics.rules_in_force(&rules);
        metrics.opened(&store, state.partitions, 0);
        workers.iter().for_each(|worker| metrics.readers.settled(worker.number, worker.partition.rules()));
        let dead_letter_line = Vec::new();
        Ok(Self { options, store, state, workers, rules, previous_rules, metrics, output, dead_letters, dead_letter_line, kpi_days, kpis })
    }

    /// Where the intake goes on.
    pub fn resume(&self) -> Resume {
        Resume { next_epoch: self.state.next_epoch, positions: self.state.inputs.clone() }
    }

    /// Finishes what an earlier run left between two commits: the rest of an epoch, or of a review of all customers.
    pub fn finish_pending(&mut self) -> Result<(), LiveError> {
        let mut texts = Vec::new();
        for worker in &self.workers {
            let end = self.state.journal_ends[usize::from(worker.number)];
            let pending = worker.position.offset < end;
            let block = if pending { self.store.journal_blocks(worker.number, worker.position.offset).next().transpose()? } else { None };
            texts.push(block.map(|(first_offset, block)| Ok::<_, LiveError>((first_offset, block_text(&block)?))).transpose()?);
        }
        if texts.iter().flatten().any(|(_, text)| text.contains("\t!")) {
            return self.finish_control();
        }
        let blocks = texts.iter().map(|text| text.as_ref().map(|(_, text)| decode_block(text, &self.options.decoder)).transpose());
        let blocks = blocks.collect::<Result<Vec<_>, _>>()?;
        let runs: Vec<Run<'_>> = texts
            .iter()
            .zip(&blocks)
            .zip(&self.state.journal_ends)
            .map(|((text, block), end)| match (text, block) {
                (Some((first_offset, _)), Some(block)) => {
                    Run { first_offset: *first_offset, offsets: None, lines: &block.lines, records: &block.records, tick: block.tick }
                }
                _ => Run { first_offset: *end, offsets: None, lines: &[], records: &[], tick: None },
            })
            .collect();
        self.fold_runs(&runs, Vec::new())
    }

    /// An interrupted start or change of rules: the journal's first records, or a review of all customers.
    fn finish_control(&mut self) -> Result<(), LiveError> {
        for index in 0..self.workers.len() {
            let end = self.state.journal_ends[usize::from(self.workers[index].number)];
            self.workers[index].partition.set_rules(self.rules.clone(), Some(self.previous_rules.clone()));
            while self.workers[index].position.offset < end {
                let offset = self.workers[index].position.offset;
                self.workers[index].review_all(&self.store, offset, self.options.limits, None)?;
                self.workers[index].render();
                self.publish_worker(index)?;
                self.commit(Commit::new())?;
            }
        }
        Ok(())
    }

    /// Takes in an epoch: its rejected lines to the dead letters, its records to the journal and through the fold.
    pub fn take_epoch(&mut self, epoch: &DecodedEpoch, sequenced: &SequencedEpoch, sequencer: &Sequencer) -> Result<(), LiveError> {
        self.account(epoch, sequenced)?;
        self.state.next_epoch = epoch.raw().number + 1;
        self.state.inputs.clone_from(&epoch.raw().positions);
        self.state.sequencer = sequencer.clone();
        let mut runs = Vec::with_capacity(self.workers.len());
        for worker in &self.workers {
            let number = usize::from(worker.number);
            let tick = sequenced.ticks.iter().find(|(partition, _)| *partition == worker.number).map(|(_, time)| *time);
            let first_offset = self.state.journal_ends[number];
            let run = Run { first_offset, offsets: None, lines: epoch.lines(), records: &sequenced.partitions[number], tick };
            self.state.journal_ends[number] += run.len() as u64;
            runs.push(run);
        }
        let blocks = runs.par_iter().filter(|run| !run.is_empty()).map(|run| (run.first_offset, encode_block(run)));
        let blocks: Vec<_> = blocks.collect();
        let numbered = runs.iter().zip(0_u16..).filter(|(run, _)| !run.is_empty()).map(|(_, number)| number);
        let blocks = numbered.zip(blocks).map(|(number, (first_offset, block))| (number, first_offset, block)).collect();
        self.fold_runs(&runs, blocks)
    }

    /// Prefetch, apply, publish, commit, until every partition has folded its run. The first commit writes the journal blocks.
    pub(crate) fn fold_runs(&mut self, runs: &[Run<'_>], mut blocks: Vec<(u16, u64, Vec<u8>)>) -> Result<(), LiveError> {
        loop {
            let started = Instant::now();
            let (store, limits) = (&self.store, self.options.limits);
            self.workers.par_iter_mut().zip(runs).try_for_each(|(worker, run)| {
                worker.step(store, run, limits)?;
                worker.render();
                worker.encode()
            })?;
            self.publish(runs)?;
            let mut commit = Commit::new();
            for (partition, first_offset, block) in blocks.drain(..) {
                commit.append_journal_block(partition, first_offset, &block);
            }
            self.commit(commit)?;
            self.metrics.committed(started.elapsed());
            if self.workers.iter().zip(runs).all(|(worker, run)| worker.is_done(run)) {
                return Ok(());
            }
        }
    }

    /// Appends outputs in the order of partitions within the epoch: a partition waits until those before it are done.
    fn publish(&mut self, runs: &[Run<'_>]) -> Result<(), LiveError> {
        for (index, run) in runs.iter().enumerate() {
            self.publish_worker(index)?;
            if !self.workers[index].is_done(run) {
                break;
            }
        }
        for (worker, run) in self.workers.iter_mut().zip(runs) {
            for offset in worker.poisoned_offsets.drain(..) {
                let record = run.records.get(offset.saturating_sub(run.first_offset) as usize);
                let Some(Ok(decoded)) = record.and_then(|record| run.lines.get(record.line as usize)) else { continue };
                self.dead_letter_line.clear();
                let journal = format!("journal/{}", worker.number);
                crate::journal::poisoned_dead_letter(&decoded.event, &journal, offset, &mut self.dead_letter_line);
                self.dead_letters.append(&self.dead_letter_line)?;
            }
        }
        Ok(())
    }

    /// Appends what one partition has put out.
    pub fn publish_worker(&mut self, index: usize) -> Result<(), LiveError> {
        let rendered = std::mem::take(&mut self.workers[index].outbox);
        self.kpi_days.add(rendered.kpis);
        self.metrics.published(&rendered.counts);
        for ((rule, transition), count) in &rendered.counts {
            *self.state.totals.signals.entry(rule.clone()).or_default().entry((*transition).to_owned()).or_default() += count;
        }
        self.output.append(&rendered.signals, &rendered.decisions)
    }

    /// Commits: first the files reach the disk, then one synced write batch makes it all count.
    pub fn commit(&mut self, mut commit: Commit) -> Result<(), LiveError> {
        self.end_days(&mut commit)?;
        self.output.sync()?;
        self.dead_letters.sync()?;
        self.state.output_bytes = self.output.lengths().unwrap_or(self.state.output_bytes);
        self.state.dead_letter_bytes = self.dead_letters.length();
        for worker in &mut self.workers {
            worker.encode()?;
            worker.write(&mut commit);
            commit.put_input(&outbox_name(worker.number), &outbox::encode(&worker.outbox));
        }
        self.put_process_state(&mut commit);
        self.store.commit(commit, Durability::Synced)?;
        let states_bytes = states_bytes(self.options.memory_bytes, self.workers.len());
        self.workers.iter_mut().for_each(|worker| worker.keep_states_within(states_bytes));
        self.metrics.settled(self.headers(), self.state.sequencer.watermark());
        for worker in &self.workers {
            self.metrics.settled_under(worker.number, &worker.partition.header, worker.partition.rules());
            self.metrics.readers.settled(worker.number, worker.partition.rules());
        }
        Ok(())
    }

    /// Appends the records of the days that all partitions have ended.
    fn end_days(&mut self, commit: &mut Commit) -> Result<(), LiveError> {
        // Days do not wait for the turn of their partition, as signals do.
        self.workers.iter_mut().for_each(|worker| self.kpi_days.add(worker.outbox.kpis.drain(..)));
        let mut lines = Vec::new();
        self.kpi_days.write_ended(self.workers.iter().map(|worker| worker.partition.header.day_end), &mut lines);
        if let Some(file) = &mut self.kpis {
            file.append(&lines)?;
            file.sync()?;
            self.state.kpis_bytes = file.length();
        }
        let waiting = encode_kpi_days(&self.kpi_days).map_err(|error| LiveError::Damaged(format!("days of KPIs: {error}")))?;
        commit.put_input(KPI_DAYS, &waiting);
        Ok(())
    }

    pub fn put_process_state(&self, commit: &mut Commit) {
        commit.put_input(PROCESS_STATE, &serde_json::to_vec(&self.state).expect("the process state is plain data"));
    }

    /// Compiles rules that the binary has checked, or that were in force before.
    pub fn compile(&self, text: &str, number: u32) -> Result<RuleSet, LiveError> {
        compile(&self.options, text, number)
    }

    /// Totals since the journal was created.
    pub fn summary(&self) -> Summary {
        let Totals { events, journaled, rejected, signals } = self.state.totals.clone();
        let mut summary = Summary { events, journaled, rejected, signals, ..Summary::default() };
        summary.add_partitions(self.headers(), &self.rules.settings.kpis);
        summary
    }

    /// States taken out of memory since the start.
    pub fn evicted(&self) -> u64 {
        self.workers.iter().map(|worker| worker.partition.work.evicted).sum()
    }

    fn headers(&self) -> impl Iterator<Item = &Header> {
        self.workers.iter().map(|worker| &worker.partition.header)
    }

    fn account(&mut self, epoch: &DecodedEpoch, sequenced: &SequencedEpoch) -> Result<(), LiveError> {
        let totals = &mut self.state.totals;
        totals.events += epoch.lines().len() as u64;
        totals.journaled += sequenced.partitions.iter().map(|records| records.len() as u64).sum::<u64>();
        self.metrics.took_in(epoch.lines().len() as u64);
        for (line, rejection) in &sequenced.rejected {
            let code = rejection.reason.code();
            *totals.rejected.entry(code.to_owned()).or_default() += 1;
            if rejection.reason == RejectReason::SkippedType {
                self.metrics.pipeline.skipped(1);
                continue;
            }
            self.metrics.rejected(code);
            self.dead_letter_line.clear();
            epoch.raw().dead_letter(&epoch.raw().lines[*line as usize], rejection).write_line(&mut self.dead_letter_line);
            self.dead_letters.append(&self.dead_letter_line)?;
        }
        Ok(())
    }
}

fn compile(options: &EmbeddedOptions, text: &str, number: u32) -> Result<RuleSet, LiveError> {
    (options.compile_rules)(text, number).map_err(|error| LiveError::Damaged(format!("the rules in force do not compile: {error}")))
}

/// Rules that were in force when the store was last written; none before the first were published.
fn stored_rules(store: &Store, options: &EmbeddedOptions, name: &str, number: u32) -> Result<Arc<RuleSet>, LiveError> {
    let rules = match store.input(name)? {
        Some(text) => compile(options, &String::from_utf8_lossy(&text), number)?,
        None => RuleSet::new(number, Vec::new(), Settings::default()),
    };
    Ok(Arc::new(rules))
}

/// The state of a journal without records but the first of each partition.
fn create_journal(store: &Store, options: &EmbeddedOptions) -> Result<ProcessState, LiveError> {
    let partitions = options.partitions.unwrap_or(DEFAULT_PARTITIONS).max(1);
    let state = ProcessState {
        journal_id: options.new_journal_id.clone(),
        partitions,
        pseudonym_key_id: format!("{:016x}", options.pseudonym_key_id),
        next_epoch: 0,
        inputs: Vec::new(),
        sequencer: Sequencer::new(partitions),
        journal_ends: vec![1; usize::from(partitions)],
        output_bytes: (0, 0),
        dead_letter_bytes: 0,
        kpis_bytes: 0,
        files: OutputFiles::default(),
        rules: RulesState::default(),
        totals: Totals::default(),
    };
    let mut commit = Commit::new();
    for partition in 0..partitions {
        let created = serde_json::json!({
            "type": "journal.created", "journal": state.journal_id, "partitions": partitions, "pseudonym_key_id": state.pseudonym_key_id,
        });
        commit.append_journal_block(partition, 0, &encode_control(Time(0), &created));
    }
    commit.put_input(PROCESS_STATE, &serde_json::to_vec(&state).expect("the process state is plain data"));
    store.commit(commit, Durability::Synced)?;
    Ok(state)
}

/// Remembers which files are written to from now on, before anything is.
fn adopt_files(options: &EmbeddedOptions, state: &mut ProcessState, store: &Store) -> Result<(), LiveError> {
    let files = state.files.with(options);
    if files != state.files {
        state.files = files;
        let mut commit = Commit::new();
        commit.put_input(PROCESS_STATE, &serde_json::to_vec(state).expect("the process state is plain data"));
        store.commit(commit, Durability::Synced)?;
    }
    Ok(())
}

fn check(state: &ProcessState, options: &EmbeddedOptions) -> Result<(), LiveError> {
    if let Some(asked) = options.partitions.filter(|asked| *asked != state.partitions) {
        return Err(LiveError::Partitions { data: options.data.clone(), found: state.partitions, asked });
    }
    if state.pseudonym_key_id != format!("{:016x}", options.pseudonym_key_id) {
        return Err(LiveError::PseudonymKey { data: options.data.clone() });
    }
    Ok(())
}

fn open_output(options: &EmbeddedOptions, committed: (u64, u64)) -> Result<SignalOutput, LiveError> {
    Ok(match &options.signals {
        SignalsTarget::StandardOutput => SignalOutput::StandardOutput,
        SignalsTarget::File(path) => {
            let decisions = output_files::decisions_of(path);
            SignalOutput::Files { signals: OutputFile::open(path, committed.0)?, decisions: OutputFile::open(&decisions, committed.1)? }
        }
    })
}
