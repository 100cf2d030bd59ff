//! One journal partition of a replay, with what it has put out.

use std::sync::Arc;

use bellwether_codec::rendered::Rendered;
use bellwether_codec::run::{Budget, Run, Skipped};
use bellwether_engine::partition::{Header, Partition, Progress};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;

use crate::crew::Part;

/// A partition on its way through the parts of a log.
pub(crate) struct Shard {
    pub number: u16,
    pub partition: Partition,
    /// The part that it folds next.
    pub next_part: u64,
    /// Who folded the last one.
    pub last_thread: usize,
    /// What it has put out since somebody took it.
    pub rendered: Rendered,
    /// Where its fold panicked: the journal offset, and at what.
    pub poisoned: Option<(u64, Progress)>,
    offset: u64,
    skipped: Skipped,
    outputs: Vec<Output>,
}

impl Shard {
    pub fn new(number: u16, rules: &Arc<RuleSet>, skipped: Skipped) -> Self {
        Self {
            number,
            partition: Partition::new(rules.clone(), Header::default()),
            next_part: 0,
            last_thread: 0,
            rendered: Rendered::default(),
            poisoned: None,
            offset: 0,
            skipped,
            outputs: Vec::new(),
        }
    }

    /// Folds what a part has for it.
    pub fn fold(&mut self, part: &Part, thread: usize) {
        let records = &part.sequenced.partitions[usize::from(self.number)];
        let tick = part.ticks.iter().find(|(partition, _)| *partition == self.number).map(|(_, time)| *time);
        let run = Run { first_offset: self.offset, offsets: None, lines: part.decoded.lines(), records, tick };
        let mut budget = Budget::UNLIMITED;
        let (end, progress) = run.fold(0, &mut self.partition, &mut budget, &self.skipped, &mut self.outputs);
        if progress != Progress::Done {
            self.poisoned = Some((self.offset + end as u64, progress));
        }
        self.offset += run.len() as u64;
        self.rendered.take(&mut self.outputs);
        self.last_thread = thread;
    }
}
