//! What a customer pays: subscriptions, invoices, and the history of its MRR.

use super::last_word::{LastWord, Stamp};
use super::packed::{Packed, PackedReader, PackedWriter};
use super::table::{Entry, Table};
use crate::currency::NO_CURRENCY;
use crate::event::{Currency, EndReason, InvoiceStep, SubscriptionStep};
use crate::kpi::History;
use crate::time::{Day, Time};

/// Subscriptions remembered per customer.
pub const MAX_SUBSCRIPTIONS: usize = 8;
/// Invoices remembered per customer.
pub const MAX_INVOICES: usize = 16;
/// Changes of MRR remembered per customer.
pub const MAX_MRR_CHANGES: usize = 16;
/// Window of `mrr_change_90d`.
const MRR_WINDOW_DAYS: i32 = 90;

/// Billing of a customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Billing {
    /// The subscriptions.
    pub subscriptions: Table<Subscription>,
    /// The invoices, and payments that failed.
    pub invoices: Table<Invoice>,
    /// MRR at the end of each day on which it changed, oldest first.
    mrr_changes: Vec<(Day, i64)>,
    /// When MRR or seats were last cut by a tenth or more, while still a customer.
    pub contracted_at: Option<Time>,
    /// When MRR or seats last rose.
    pub expanded_at: Option<Time>,
    /// Sum of what the running subscriptions pay, trials nothing; kept because every rule asks for it.
    mrr_minor: i64,
}

/// One subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    name: Box<str>,
    /// The latest step of its life.
    pub status: LastWord<SubscriptionStep>,
    /// When the current term began: the latest start or renewal.
    pub term_start: LastWord<()>,
    /// When the event that began the current term says that it ends: when it is due for renewal. A trial is not due.
    pub term_due: Option<Time>,
    /// When it was last started.
    pub started_at: Option<Time>,
    /// The plan.
    pub plan: LastWord<Box<str>>,
    /// Monthly recurring revenue in minor units.
    pub mrr_minor: LastWord<i64>,
    /// Currency of `mrr_minor`.
    pub currency: LastWord<Currency>,
    /// Seats paid for.
    pub seats: LastWord<u32>,
    /// End of the paid period.
    pub period_end: LastWord<Time>,
    /// Why it ended.
    pub reason: LastWord<EndReason>,
    /// Whether it is a trial, where that was ever said.
    pub trial: LastWord<bool>,
    /// What it paid in the months before that of its latest event.
    pub(crate) history: History,
}

impl Subscription {
    /// A subscription of that name of which nothing is known yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            status: LastWord::default(),
            term_start: LastWord::default(),
            term_due: None,
            started_at: None,
            plan: LastWord::default(),
            mrr_minor: LastWord::default(),
            currency: LastWord::default(),
            seats: LastWord::default(),
            period_end: LastWord::default(),
            reason: LastWord::default(),
            trial: LastWord::default(),
            history: History::default(),
        }
    }

    /// Whether it is a trial: then nothing is paid.
    #[must_use]
    pub fn is_trial(&self) -> bool {
        self.trial_word().is_some_and(|(_, is_trial)| is_trial)
    }

    /// The last word on whether it is a trial: a start or a renewal that does not say so is none.
    pub(crate) fn trial_word(&self) -> Option<(Stamp, bool)> {
        let said = self.trial.entry().copied();
        let term = self.term_start.entry().map(|(stamp, ())| (*stamp, false));
        said.filter(|(said, _)| term.is_none_or(|(term, _)| term <= *said)).or(term)
    }

    /// The currency under which what it pays counts in sums.
    #[must_use]
    pub fn paid_currency(&self) -> Currency {
        self.currency.get().map_or(NO_CURRENCY, |currency| currency.counted())
    }

    /// Whether it runs.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status.get().is_some_and(|step| *step != SubscriptionStep::Ended)
    }
}

impl Entry for Subscription {
    fn name(&self) -> &str {
        &self.name
    }

    fn ended_at(&self) -> Option<Time> {
        if self.is_active() { None } else { self.status.time() }
    }
}

/// One invoice.
#[derive(Clone, Debug, PartialEq)]
pub struct Invoice {
    name: Box<str>,
    /// The latest step of its life.
    pub status: LastWord<InvoiceStep>,
    /// When it is due.
    pub due: LastWord<Time>,
    /// Failed attempts to charge it that were told.
    pub failures: u32,
    /// The largest number that a failed attempt was told under.
    pub attempt: u32,
    /// The first failed attempt.
    pub failed_at: Option<Time>,
}

impl Invoice {
    /// An invoice of that name of which nothing is known yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), status: LastWord::default(), due: LastWord::default(), failures: 0, attempt: 0, failed_at: None }
    }

    /// Whether it still waits for money.
    #[must_use]
    pub fn is_unpaid(&self) -> bool {
        matches!(self.status.get(), Some(InvoiceStep::Issued | InvoiceStep::PaymentFailed))
    }

    /// Failed attempts while it waits for money.
    #[must_use]
    pub fn attempts_failed(&self) -> u32 {
        if self.is_unpaid() { self.failures.max(self.attempt) } else { 0 }
    }

    /// UTC days past its due date, while unpaid and at least one.
    #[must_use]
    pub fn overdue_days(&self, today: Day) -> Option<i32> {
        let due = self.due.get().filter(|_| self.is_unpaid())?;
        Some(today.0 - due.day().0).filter(|days| *days > 0)
    }
}

impl Entry for Invoice {
    fn name(&self) -> &str {
        &self.name
    }

    fn ended_at(&self) -> Option<Time> {
        if self.is_unpaid() { None } else { self.status.time() }
    }
}

impl Billing {
    /// When a subscription was started last.
    #[must_use]
    pub fn last_start(&self) -> Option<Time> {
        self.subscriptions.iter().filter_map(|subscription| subscription.started_at).max()
    }

    /// The running subscriptions.
    pub fn active(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.iter().filter(|subscription| subscription.is_active())
    }

    /// The customer's main currency: of the running subscriptions that name one, that of the one that has run longest since its last start.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        let named = self.active().filter_map(|subscription| Some((subscription, *subscription.currency.get()?)));
        let age = |subscription: &Subscription| subscription.started_at.unwrap_or(Time::NEVER);
        let first = named.min_by(|(one, _), (other, _)| (age(one), &one.name).cmp(&(age(other), &other.name)));
        first.map(|(_, currency)| currency)
    }

    /// MRR of the running subscriptions in the main currency (those without a currency included), minor units.
    #[must_use]
    pub fn mrr_minor(&self) -> i64 {
        self.mrr_minor
    }

    /// Sums the subscriptions up again, after one of them changed.
    pub fn recount(&mut self) {
        let main = self.currency();
        self.mrr_minor = self
            .active()
            .filter(|subscription| !subscription.is_trial())
            .filter(|subscription| subscription.currency.get().is_none_or(|currency| Some(*currency) == main))
            .filter_map(|subscription| subscription.mrr_minor.get())
            .fold(0, |sum: i64, mrr| sum.saturating_add(*mrr));
    }

    /// Seats of the running subscriptions, if any names them.
    #[must_use]
    pub fn seats(&self) -> Option<u64> {
        self.active().filter_map(|subscription| subscription.seats.get()).map(|seats| u64::from(*seats)).reduce(|a, b| a + b)
    }

    /// The running subscription whose paid period ends first.
    #[must_use]
    pub fn next_renewal(&self) -> Option<(&Subscription, Time)> {
        let ends = self.active().filter_map(|subscription| Some((subscription, *subscription.period_end.get()?)));
        ends.min_by(|(one, end), (other, other_end)| (end, &one.name).cmp(&(other_end, &other.name)))
    }

    /// Writes the MRR of this day into the history when it changed.
    pub fn note_mrr(&mut self, today: Day) {
        let mrr = self.mrr_minor();
        match self.mrr_changes.last_mut() {
            Some((day, known)) if *day >= today => *known = mrr,
            Some((_, known)) if *known == mrr => {}
            _ => self.mrr_changes.push((today, mrr)),
        }
        let old = self.mrr_changes.iter().skip(1).take_while(|(day, _)| day.0 <= today.0 - MRR_WINDOW_DAYS).count();
        let surplus = self.mrr_changes.len().saturating_sub(MAX_MRR_CHANGES);
        self.mrr_changes.drain(..old.max(surplus));
    }

    /// Relative change of MRR over 90 days.
    #[must_use]
    pub fn mrr_change_90d(&self, today: Day) -> Option<f64> {
        let then = self.mrr_changes.iter().rev().find(|(day, _)| day.0 <= today.0 - MRR_WINDOW_DAYS)?.1;
        (then > 0).then(|| (self.mrr_minor() - then) as f64 / then as f64)
    }

    /// Whether midnight can change nothing here.
    #[must_use]
    pub fn is_quiet(&self, today: Day) -> bool {
        self.active().all(|subscription| subscription.period_end.get().is_none())
            && !self.invoices.iter().any(|invoice| invoice.is_unpaid() && invoice.due.get().is_some())
            && self.mrr_changes.last().is_none_or(|(day, _)| today.0 - day.0 > MRR_WINDOW_DAYS)
    }
}

impl Packed for Subscription {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_text(&self.name);
        writer.put_word(&self.status, |writer, step| writer.bytes.push(*step as u8));
        writer.put_word(&self.term_start, |_, ()| ());
        writer.put_optional_time(self.started_at);
        writer.put_word(&self.plan, |writer, plan| writer.put_text(plan));
        writer.put_word(&self.mrr_minor, |writer, mrr| writer.put_signed(*mrr));
        writer.put_word(&self.currency, |writer, currency| writer.bytes.extend_from_slice(&currency.0));
        writer.put_word(&self.seats, |writer, seats| writer.put(u64::from(*seats)));
        writer.put_word(&self.period_end, |writer, end| writer.put_time(*end));
        writer.put_word(&self.reason, |writer, reason| writer.bytes.push(*reason as u8));
        writer.put_word(&self.trial, |writer, trial| writer.bytes.push(u8::from(*trial)));
        self.pack_history(writer);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        const STEPS: [SubscriptionStep; 4] =
            [SubscriptionStep::Started, SubscriptionStep::Changed, SubscriptionStep::Renewed, SubscriptionStep::Ended];
        const REASONS: [EndReason; 3] = [EndReason::Voluntary, EndReason::Involuntary, EndReason::Other];
        let mut subscription = Self {
            name: reader.take_name()?,
            status: reader.take_word(|reader| reader.take_one_of(&STEPS))?,
            term_start: reader.take_word(|_| Some(()))?,
            term_due: None,
            started_at: reader.take_optional_time()?,
            plan: reader.take_word(PackedReader::take_name)?,
            mrr_minor: reader.take_word(PackedReader::take_signed)?,
            currency: reader.take_word(|reader| reader.take_array().map(Currency))?,
            seats: reader.take_word(PackedReader::take_u32)?,
            period_end: reader.take_word(PackedReader::take_time)?,
            reason: reader.take_word(|reader| reader.take_one_of(&REASONS))?,
            trial: reader.take_word(PackedReader::take_bool)?,
            history: History::default(),
        };
        subscription.unpack_history(reader)?;
        Some(subscription)
    }
}

impl Packed for Invoice {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_text(&self.name);
        writer.put_word(&self.status, |writer, step| writer.bytes.push(*step as u8));
        writer.put_word(&self.due, |writer, due| writer.put_time(*due));
        writer.put(u64::from(self.failures));
        writer.put(u64::from(self.attempt));
        writer.put_optional_time(self.failed_at);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        const STEPS: [InvoiceStep; 4] = [InvoiceStep::Issued, InvoiceStep::PaymentFailed, InvoiceStep::PaymentRecovered, InvoiceStep::Paid];
        Some(Self {
            name: reader.take_name()?,
            status: reader.take_word(|reader| reader.take_one_of(&STEPS))?,
            due: reader.take_word(PackedReader::take_time)?,
            failures: reader.take_u32()?,
            attempt: reader.take_u32()?,
            failed_at: reader.take_optional_time()?,
        })
    }
}

impl Packed for Billing {
    fn pack(&self, writer: &mut PackedWriter) {
        self.subscriptions.pack(writer);
        self.invoices.pack(writer);
        writer.put(self.mrr_changes.len() as u64);
        for (day, mrr) in &self.mrr_changes {
            writer.put_day(*day);
            writer.put_signed(*mrr);
        }
        writer.put_optional_time(self.contracted_at);
        writer.put_optional_time(self.expanded_at);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let mut billing = Self {
            subscriptions: Packed::unpack(reader)?,
            invoices: Packed::unpack(reader)?,
            mrr_changes: reader.take_list(|reader| Some((reader.take_day()?, reader.take_signed()?)))?,
            contracted_at: reader.take_optional_time()?,
            expanded_at: reader.take_optional_time()?,
            mrr_minor: 0,
        };
        billing.recount();
        Some(billing)
    }
}
