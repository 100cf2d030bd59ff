//! One log of a merge: where it stands, and what comes next in it.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;

use bellwether_engine::event::CustomerKey;
use bellwether_engine::time::Time;

use super::chunk::{Chunk, Delivery, View};
use super::{Entry, Merged};
use crate::error::ReplayError;

/// A log that is being read.
pub(super) struct Lane<'e> {
    /// Of which journal it is a partition; the files are one of their own.
    pub(super) group: usize,
    chunks: Receiver<Delivery>,
    /// Gone once the log is at its end.
    chunk: Option<Chunk>,
    view: usize,
    /// Within a run.
    index: usize,
    /// The largest watermark so far, that of the present record included.
    time: Time,
    erased: Option<&'e BTreeMap<CustomerKey, u64>>,
    controls: Controls,
}

/// Which records that control the fold are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controls {
    None,
    AllButRules,
    All,
}

/// A record that stands in every partition of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Common {
    Rules(u32),
    Silent(String),
    Resumed(String),
}

impl<'e> Lane<'e> {
    pub(super) fn new(
        group: usize,
        chunks: Receiver<Delivery>,
        erased: Option<&'e BTreeMap<CustomerKey, u64>>,
        controls: Controls,
    ) -> Self {
        Self { group, chunks, chunk: None, view: 0, index: 0, time: Time::MIN, erased, controls }
    }

    /// The largest watermark up to its present record.
    pub(super) fn time(&self) -> Time {
        self.time
    }

    /// Whether it has come to its end.
    pub(super) fn is_over(&self) -> bool {
        self.chunk.is_none()
    }

    /// Where its present record stands among those of others: by its watermark, and first if it moved the watermark there.
    pub(super) fn order(&self) -> Option<(Time, bool)> {
        let View::Run(run) = self.chunk.as_ref()?.view(self.view) else { return Some((self.time, false)) };
        let moved_it = run.event(self.index).is_some_and(|(event, ..)| event.time == self.time);
        Some((self.time, !moved_it))
    }

    /// What its present record is, if it stands in every partition.
    pub(super) fn common(&self) -> Option<Common> {
        match self.chunk.as_ref()?.view(self.view) {
            View::Rules(rules) => Some(Common::Rules(rules.number)),
            View::SourceSilent(source) => Some(Common::Silent(source.source.clone())),
            View::SourceResumed(source) => Some(Common::Resumed(source.source.clone())),
            View::Run(_) | View::Erased(_) | View::Created => None,
        }
    }

    /// Hands its present record over.
    pub(super) fn hand_over<E>(&self, mut visit: impl FnMut(Entry<'_>) -> Result<(), E>) -> Result<(), E> {
        let Some(chunk) = &self.chunk else { return Ok(()) };
        match chunk.view(self.view) {
            View::Run(run) => run.event(self.index).map_or(Ok(()), |(event, key, _)| visit(Entry::Event(event, key))),
            View::Rules(rules) => visit(Entry::Rules(rules)),
            View::SourceSilent(source) => visit(Entry::SourceSilent(source)),
            View::SourceResumed(source) => visit(Entry::SourceResumed(source)),
            View::Erased(erasure) => visit(Entry::Erased(erasure)),
            View::Created => Ok(()),
        }
    }

    /// Goes behind its present record, to the next one that says something.
    pub(super) fn pass(&mut self, merged: &mut Merged) -> Result<(), ReplayError> {
        self.index += 1;
        self.catch_up(merged)
    }

    /// Goes on until the present record says something.
    pub(super) fn catch_up(&mut self, merged: &mut Merged) -> Result<(), ReplayError> {
        loop {
            let Some(chunk) = self.chunk.as_ref().filter(|chunk| self.view < chunk.views()) else {
                let Ok(delivery) = self.chunks.recv() else {
                    self.chunk = None;
                    return Ok(());
                };
                let chunk = delivery?;
                chunk.count(merged);
                (self.chunk, self.view, self.index) = (Some(chunk), 0, 0);
                continue;
            };
            let length = match chunk.view(self.view) {
                View::Run(run) => {
                    while self.index < run.len() {
                        self.time = self.time.max(run.watermark(self.index));
                        if let Some((_, key, _)) = run.event(self.index) {
                            let is_erased = self.erased.and_then(|erased| erased.get(&key)).is_some_and(|at| run.offset(self.index) < *at);
                            if !is_erased {
                                return Ok(());
                            }
                            merged.erased += 1;
                        }
                        self.index += 1;
                    }
                    run.len()
                }
                View::Created => 0,
                View::Rules(_) => usize::from(self.controls == Controls::All),
                _ => usize::from(self.controls != Controls::None),
            };
            if self.index < length {
                return Ok(());
            }
            (self.view, self.index) = (self.view + 1, 0);
        }
    }
}
