//! What a subscription paid at the end of each past month, so that late events correct the months still retained.
//!
//! What was said last stands in the subscription's registers. Here stands what was said last in each month before that, and of months that
//! say the same as both their neighbours nothing: a subscription that never changed takes one byte.

use super::month::Month;
use crate::customer::{LastWord, Packed, PackedReader, PackedWriter, Stamp, Subscription};
use crate::event::SubscriptionStep;
use crate::event_type::EventType;
use crate::time::Time;

/// The past of one subscription: the last words of months before the one of its latest event, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History(Vec<Words>);

/// The last words of one month about one subscription. Their stamps leave the identity of the event out.
#[derive(Clone, Debug, Default, PartialEq)]
struct Words {
    running: LastWord<bool>,
    trial: LastWord<bool>,
    mrr_minor: LastWord<i64>,
}

/// What one event says of a subscription's payments.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// The step of its life.
    pub step: SubscriptionStep,
    /// Whether it is a trial.
    pub trial: Option<bool>,
    /// MRR in minor units.
    pub mrr_minor: Option<i64>,
}

/// Whether a subscription is a trial after an event: a start or a renewal that does not say so is none.
#[must_use]
pub fn trial_said(step: SubscriptionStep, trial: Option<bool>) -> Option<bool> {
    trial.or(matches!(step, SubscriptionStep::Started | SubscriptionStep::Renewed).then_some(false))
}

impl Subscription {
    /// Notes what an event says before the registers take it. Returns whether it paid at the end of a month that is forgotten now.
    pub(crate) fn note_payment(&mut self, stamp: Stamp, said: Statement, oldest: Month) -> bool {
        let month = month_of(stamp);
        let latest = self.status.entry().map(|(stamp, _)| month_of(*stamp));
        let mut words = Words::default();
        words.say(coarse(stamp), said);
        match latest {
            Some(latest) if month > latest => {
                let past = self.last_words(latest);
                self.history.0.push(past);
                self.history.drop_middle(self.history.0.len() - 1, Some(&words));
            }
            Some(latest) if month < latest => {
                let last = self.last_words(latest);
                let past = &mut self.history.0;
                let place = past.partition_point(|words| words.month() < Some(month));
                if past.get(place).and_then(Words::month) == Some(month) {
                    past[place].say(coarse(stamp), said);
                } else {
                    past.insert(place, words);
                }
                for index in [place + 1, place, place.saturating_sub(1)] {
                    self.history.drop_middle(index, Some(&last));
                }
            }
            _ => {}
        }
        self.forget_payments(oldest)
    }

    /// What it pays at the end of a month, or now while it lasts.
    #[must_use]
    pub fn paid_at(&self, month: Month) -> i64 {
        if self.status.entry().is_some_and(|(stamp, _)| month_of(*stamp) <= month) {
            let mrr = self.mrr_minor.get().copied().unwrap_or(0);
            return if self.is_active() && !self.is_trial() { mrr } else { 0 };
        }
        let (mut running, mut trial, mut mrr_minor) = (false, false, 0);
        for words in self.history.0.iter().take_while(|words| words.month() <= Some(month)) {
            running = words.running.get().copied().unwrap_or(running);
            trial = words.trial.get().copied().unwrap_or(trial);
            mrr_minor = words.mrr_minor.get().copied().unwrap_or(mrr_minor);
        }
        if running && !trial { mrr_minor } else { 0 }
    }

    /// The months in which anything was said that may have changed what it pays.
    pub fn months(&self) -> impl Iterator<Item = Month> {
        let latest = self.status.entry().map(|(stamp, _)| month_of(*stamp));
        self.history.0.iter().filter_map(Words::month).chain(latest)
    }

    /// The words of the month of the latest event, from the registers.
    fn last_words(&self, month: Month) -> Words {
        let within = |word: &Stamp| month_of(*word) == month;
        let mut words = Words::default();
        if let Some((stamp, step)) = self.status.entry() {
            words.running.set(coarse(*stamp), *step != SubscriptionStep::Ended);
        }
        if let Some((stamp, trial)) = self.trial_word().filter(|(stamp, _)| within(stamp)) {
            words.trial.set(coarse(stamp), trial);
        }
        if let Some((stamp, mrr)) = self.mrr_minor.entry().filter(|(stamp, _)| within(stamp)) {
            words.mrr_minor.set(coarse(*stamp), *mrr);
        }
        words
    }

    /// Drops what was said so long ago that no retained month can change by it.
    fn forget_payments(&mut self, oldest: Month) -> bool {
        let mut paid = false;
        while let Some(first) = self.history.0.first().and_then(Words::month)
            && self.months().nth(1).is_some_and(|next| next <= oldest)
        {
            paid |= self.paid_at(first) > 0;
            let dropped = self.history.0.remove(0);
            // What the next words do not say, these have said; where none are left, the registers know.
            if let Some(next) = self.history.0.first_mut() {
                next.fill(dropped);
            }
        }
        paid
    }

    /// The words of a start that says what the next words repeat: they follow from the rest.
    fn first_words(&self, mrr_minor: i64) -> Option<Words> {
        let stamp = Stamp::new(self.started_at?, EventType::SubscriptionStarted);
        let mut words = Words::default();
        words.say(stamp, Statement { step: SubscriptionStep::Started, trial: Some(false), mrr_minor: Some(mrr_minor) });
        Some(words)
    }

    fn implied_first(&self, next: Option<&Words>) -> Option<Words> {
        let next_mrr = next.map_or_else(|| self.mrr_minor.get(), |words| words.mrr_minor.get());
        next_mrr.and_then(|mrr| self.first_words(*mrr))
    }

    pub(crate) fn pack_history(&self, writer: &mut PackedWriter) {
        let past = &self.history.0;
        let is_implied = past.first().is_some_and(|first| Some(first) == self.implied_first(past.get(1)).as_ref());
        let stored = &past[usize::from(is_implied)..];
        // Nearly always a term is due when the paid period ends: that is told in bits that cost nothing.
        let due = match self.term_due {
            None => NOT_DUE,
            due if due == self.period_end.get().copied() => AT_PERIOD_END,
            Some(_) => APART,
        };
        writer.put((stored.len() << 3 | usize::from(due) << 1 | usize::from(is_implied)) as u64);
        if let (APART, Some(due)) = (due, self.term_due) {
            writer.put_time(due);
        }
        stored.iter().for_each(|words| words.pack(writer));
    }

    pub(crate) fn unpack_history(&mut self, reader: &mut PackedReader<'_>) -> Option<()> {
        let header = reader.take()?;
        self.term_due = match (header >> 1 & 3) as u8 {
            NOT_DUE => None,
            AT_PERIOD_END => self.period_end.get().copied(),
            _ => Some(reader.take_time()?),
        };
        for _ in 0..header >> 3 {
            self.history.0.push(Words::unpack(reader)?);
        }
        if header & 1 != 0 {
            let first = self.implied_first(self.history.0.first())?;
            self.history.0.insert(0, first);
        }
        Some(())
    }
}

impl History {
    /// A month that says what the one before and the one after say needs no telling; `last` are the words after the last of the past.
    fn drop_middle(&mut self, index: usize, last: Option<&Words>) {
        let neighbours = (index.checked_sub(1).and_then(|before| self.0.get(before)), self.0.get(index + 1).or(last));
        if let ((Some(before), Some(after)), Some(middle)) = (neighbours, self.0.get(index))
            && before.says_the_same(middle)
            && middle.says_the_same(after)
        {
            self.0.remove(index);
        }
    }
}

fn month_of(stamp: Stamp) -> Month {
    Month::of(stamp.time.day())
}

/// A stamp without the identity of its event.
fn coarse(stamp: Stamp) -> Stamp {
    stamp.without_identity()
}

impl Words {
    fn say(&mut self, stamp: Stamp, said: Statement) {
        self.running.set(stamp, said.step != SubscriptionStep::Ended);
        self.trial.set_some(stamp, trial_said(said.step, said.trial));
        self.mrr_minor.set_some(stamp, said.mrr_minor);
    }

    fn month(&self) -> Option<Month> {
        self.running.entry().map(|(stamp, _)| month_of(*stamp))
    }

    fn says_the_same(&self, other: &Self) -> bool {
        self.mrr_minor.get().is_some()
            && (self.running.get(), self.mrr_minor.get()) == (other.running.get(), other.mrr_minor.get())
            && self.trial.get().copied().unwrap_or(false) == other.trial.get().copied().unwrap_or(false)
    }

    fn fill(&mut self, earlier: Self) {
        if self.trial.get().is_none() {
            self.trial = earlier.trial;
        }
        if self.mrr_minor.get().is_none() {
            self.mrr_minor = earlier.mrr_minor;
        }
    }
}

/// How a word stands beside the word on whether it runs: not there, of the same event, or with a stamp of its own.
const BESIDE: u8 = 1;
const APART: u8 = 2;

/// When the current term is due, in the same way: not at all, when the paid period ends, or at a time of its own.
const NOT_DUE: u8 = 0;
const AT_PERIOD_END: u8 = 1;

fn form<T>(word: &LastWord<T>, stamp: Option<Stamp>) -> u8 {
    match word.entry() {
        None => 0,
        Some((own, _)) if Some(*own) == stamp => BESIDE,
        Some(_) => APART,
    }
}

impl Packed for Words {
    fn pack(&self, writer: &mut PackedWriter) {
        let Some((stamp, running)) = self.running.entry() else { return };
        let (trial, mrr) = (form(&self.trial, Some(*stamp)), form(&self.mrr_minor, Some(*stamp)));
        let is_trial = self.trial.get().copied().unwrap_or(false);
        writer.bytes.push(u8::from(*running) | trial << 1 | mrr << 3 | u8::from(is_trial) << 5);
        put_stamp(writer, *stamp);
        if let (APART, Some((own, _))) = (trial, self.trial.entry()) {
            put_stamp(writer, *own);
        }
        if let (APART, Some((own, _))) = (mrr, self.mrr_minor.entry()) {
            put_stamp(writer, *own);
        }
        if let Some(mrr) = self.mrr_minor.get() {
            writer.put_signed(*mrr);
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let bits = reader.take_byte()?;
        let stamp = take_stamp(reader)?;
        let trial = match bits >> 1 & 3 {
            0 => None,
            BESIDE => Some(stamp),
            _ => Some(take_stamp(reader)?),
        };
        let mrr = match bits >> 3 & 3 {
            0 => None,
            BESIDE => Some(stamp),
            _ => Some(take_stamp(reader)?),
        };
        let trial = trial.map_or_else(LastWord::default, |stamp| LastWord::from_entry(stamp, bits >> 5 & 1 != 0));
        let mrr_minor = match mrr {
            Some(stamp) => LastWord::from_entry(stamp, reader.take_signed()?),
            None => LastWord::default(),
        };
        Some(Self { running: LastWord::from_entry(stamp, bits & 1 != 0), trial, mrr_minor })
    }
}

fn put_stamp(writer: &mut PackedWriter, stamp: Stamp) {
    writer.put_time(stamp.time);
    writer.bytes.push(stamp.rank());
}

fn take_stamp(reader: &mut PackedReader<'_>) -> Option<Stamp> {
    let time: Time = reader.take_time()?;
    Some(Stamp::of_rank(time, reader.take_byte()?))
}
