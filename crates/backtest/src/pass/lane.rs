//! A lane: one rule set over one partition, with the observer that watches it.

use std::sync::Arc;

use bellwether_codec::rendered::Rendered;
use bellwether_codec::run::{Budget, Run, Skipped};
use bellwether_engine::erasure::ErasureKey;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::partition::{Header, Partition, Payload, Progress, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::Output;
use bellwether_engine::time::Time;

use super::PassOptions;
use crate::months::{month_of, start_of};
use crate::observe::{Observed, ObservedLog, Observer};
use crate::part::Poisoned;

/// One rule set over one partition.
pub(super) struct Lane {
    partition: Partition,
    observer: Observer,
    skipped: Skipped,
    outputs: Vec<Output>,
    hidden: Vec<u32>,
    /// What is put out, where that is asked for.
    pub rendered: Option<Rendered>,
    until: Time,
    /// The next month at whose beginning health is noted, and that instant; none before the first record.
    next_month: Option<(i32, Time)>,
    features_every_ms: Option<i64>,
    /// The next date at which features are noted; none before the first record.
    next_features: Option<Time>,
    /// Whether the end of the period is reached.
    pub is_over: bool,
    pub log: ObservedLog,
}

impl Lane {
    /// The lane of the rule set at an index.
    pub fn new(options: &PassOptions<'_>, index: usize, skipped: Skipped) -> Self {
        let rules: &Arc<RuleSet> = &options.rule_sets[index];
        Self {
            partition: Partition::new(rules.clone(), Header::default()),
            observer: Observer::new(rules),
            skipped,
            outputs: Vec::new(),
            hidden: options.hidden.clone(),
            rendered: (options.renders && index == 0).then(Rendered::default),
            until: options.until.unwrap_or(Time::NEVER),
            next_month: None,
            features_every_ms: options.features_every_ms,
            next_features: None,
            is_over: false,
            log: ObservedLog::default(),
        }
    }

    /// Knows erasures of a journal by hashes under this key, these from the start.
    pub fn with_erasures(mut self, key: ErasureKey, known: &[(u128, Time)]) -> Self {
        self.partition = self.partition.with_erasure_key(key);
        known.iter().for_each(|(hash, time)| self.partition.remember_erasure(*hash, *time));
        self
    }

    /// Folds a run, up to the end of the period.
    pub fn fold(&mut self, run: &Run<'_>) -> Result<(), Poisoned> {
        let mut folded = 0;
        for index in 0..run.len() {
            if self.is_over {
                return Ok(());
            }
            let watermark = run.watermark(index);
            if watermark > self.until {
                self.fold_part(run, folded, index)?;
                self.is_over = true;
                return self.pass_time(self.until, run.offset(index));
            }
            if self.is_date_due(watermark) {
                self.fold_part(run, folded, index)?;
                folded = index;
                self.sample_until(watermark, run.offset(index))?;
            }
            self.log.end = self.log.end.max(watermark);
            let Some((event, key, identity)) = run.event(index) else { continue };
            // What was erased is not told of, whether its bytes are gone or not; its erasure goes with it.
            if self.skipped.erased_at(key).is_some_and(|erased_at| run.offset(index) <= erased_at) {
                continue;
            }
            self.log.start = self.log.start.min(watermark);
            self.log.events += 1;
            self.log.fingerprint = self.log.fingerprint.wrapping_add(fingerprint(key, identity, event.time));
            if Observer::concerns(event) {
                self.fold_part(run, folded, index + 1)?;
                folded = index + 1;
                if let Some(customer) = self.partition.get(key) {
                    self.observer.look_at(customer, key, event);
                }
            }
        }
        self.fold_part(run, folded, run.len())
    }

    /// Lets time pass without a record: the reviews due by then are run.
    pub fn pass_time(&mut self, time: Time, offset: u64) -> Result<(), Poisoned> {
        if self.is_date_due(time) {
            self.sample_until(time, offset)?;
        }
        self.tick(time, offset)?;
        self.log.end = self.log.end.max(time);
        Ok(())
    }

    /// Customers whose states it holds.
    pub fn customers(&self) -> usize {
        self.partition.resident()
    }

    /// The partition, to tell it of silent sources.
    pub fn partition(&mut self) -> &mut Partition {
        &mut self.partition
    }

    /// Reviews every customer because of the record at this offset, in the order of their keys.
    pub fn review_all(&mut self, offset: u64) -> Result<(), Poisoned> {
        let mut keys: Vec<CustomerKey> = self.partition.customers().map(|customer| CustomerKey::of(&customer.id)).collect();
        keys.sort_unstable();
        for key in keys {
            let progress = self.skipped.review_now(offset, key, &mut self.partition, &mut self.outputs);
            if progress.is_poisoned() {
                return Err((offset, progress));
            }
        }
        self.take_outputs();
        Ok(())
    }

    /// What was observed, once all is folded. The states are given up.
    pub fn finish(self) -> Observed {
        self.observer.finish(&self.partition, self.log.end)
    }

    fn fold_part(&mut self, run: &Run<'_>, from: usize, to: usize) -> Result<(), Poisoned> {
        if from == to {
            return Ok(());
        }
        let part = if to < run.len() { run.up_to(to) } else { *run };
        let (end, progress) = part.fold(from, &mut self.partition, &mut Budget { ..Budget::UNLIMITED }, &self.skipped, &mut self.outputs);
        self.take_outputs();
        if progress == Progress::Done { Ok(()) } else { Err((run.offset(end), progress)) }
    }

    /// Whether a date has come by then at which health or features are still to be noted.
    fn is_date_due(&mut self, watermark: Time) -> bool {
        if watermark == Time::MIN {
            return false;
        }
        if self.next_month.is_none() {
            let month = month_of(watermark.plus_ms(-1)) + 1;
            self.next_month = Some((month, start_of(month)));
            let first = |every: i64| Time(watermark.plus_ms(-1).0.div_euclid(every).saturating_add(1).saturating_mul(every));
            self.next_features = self.features_every_ms.map(first);
        }
        self.next_date() <= watermark
    }

    fn next_date(&self) -> Time {
        let month = self.next_month.map_or(Time::NEVER, |(_, start)| start);
        month.min(self.next_features.unwrap_or(Time::NEVER))
    }

    fn sample_until(&mut self, watermark: Time, offset: u64) -> Result<(), Poisoned> {
        while self.next_date() <= watermark {
            let date = self.next_date();
            self.tick(date, offset)?;
            if let Some((month, _)) = self.next_month.filter(|(_, start)| *start == date) {
                self.observer.sample(&self.partition, month);
                self.next_month = Some((month + 1, start_of(month + 1)));
            }
            if self.next_features == Some(date) {
                self.observer.sample_features(&self.partition, date);
                self.next_features = self.features_every_ms.map(|every| date.plus_ms(every));
            }
        }
        Ok(())
    }

    /// Runs the reviews that are due before the record at this offset, less those that are known to panic.
    fn tick(&mut self, time: Time, offset: u64) -> Result<(), Poisoned> {
        self.partition.leave_out(&self.skipped.left_out);
        let record = Record { watermark: time, payload: Payload::Tick };
        let progress = self.partition.apply(&record, &mut u64::MAX.clone(), &mut self.outputs);
        self.take_outputs();
        if progress == Progress::Done { Ok(()) } else { Err((offset, progress)) }
    }

    fn take_outputs(&mut self) {
        self.observer.follow(&self.outputs);
        if let Some(rendered) = &mut self.rendered {
            let hidden = &self.hidden;
            self.outputs.retain(|output| match output {
                Output::Signal(signal) | Output::Decision(signal, _) => !hidden.contains(&signal.rule.hash),
                Output::Kpis(_) => false,
            });
            rendered.take(&mut self.outputs);
        }
        self.outputs.clear();
    }
}

/// A hash of an event, of which sums tell logs apart.
fn fingerprint(key: CustomerKey, identity: u64, time: Time) -> u64 {
    // The finaliser of SplitMix64.
    let mut mixed = (key.0 as u64) ^ identity.rotate_left(32) ^ (time.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
