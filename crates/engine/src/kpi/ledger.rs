//! What a customer has to remember for KPIs: what each subscription paid at the end of each month, and which campaigns reached it.

use super::month::Month;
use crate::customer::{LastWord, Packed, PackedReader, PackedWriter, Stamp, name_hash};
use crate::event::{Currency, SubscriptionStep};
use crate::time::Time;

/// Months whose movements are kept and corrected by late events: the present one and thirteen before it, so that two can be compared with
/// those a year before them.
pub const RETAINED_MONTHS: i32 = 14;

/// Subscriptions of a customer whose payments are remembered; those that ended before the retained months make room.
pub const MAX_LEDGER_SUBSCRIPTIONS: usize = 16;

/// Campaigns of a customer that are remembered; the oldest give way.
pub const MAX_LEDGER_CAMPAIGNS: usize = 8;

/// A customer's payments by month, and its campaigns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    accounts: Vec<Account>,
    /// Whether it paid at the end of a month that is not kept any more.
    paid_before: bool,
    /// Hash of the name, and when it was last sent.
    campaigns: Vec<(u32, Time)>,
}

/// One subscription.
#[derive(Clone, Debug, PartialEq)]
struct Account {
    name: u32,
    currency: LastWord<Currency>,
    /// What was said last in each month in which anything was said; oldest first, and never two of a month.
    months: Vec<Words>,
}

/// The last words of one month about one subscription.
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
    /// The currency of that.
    pub currency: Option<Currency>,
}

/// Whether a subscription is a trial after an event: a start or a renewal that does not say so is none.
#[must_use]
pub fn trial_said(step: SubscriptionStep, trial: Option<bool>) -> Option<bool> {
    trial.or(matches!(step, SubscriptionStep::Started | SubscriptionStep::Renewed).then_some(false))
}

/// Money of one customer by currency; a currency stands in it once, and without money it does not.
pub type Money = Vec<(Currency, i64)>;

/// A customer's money at the end of a month and of the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthEnds {
    /// The month.
    pub month: Month,
    /// MRR at the end of the month before.
    pub before: Money,
    /// MRR at its end, or now while it lasts.
    pub after: Money,
    /// Whether it paid at the end of any earlier month.
    pub paid_before: bool,
}

impl Ledger {
    /// Notes what an event says. Returns false if there are too many subscriptions to keep.
    pub fn note(&mut self, subscription: &str, stamp: Stamp, said: Statement, today: Month) -> bool {
        let oldest = today.back(RETAINED_MONTHS);
        let name = name_hash(subscription);
        let place = self.accounts.iter().position(|account| account.name == name);
        if place.is_none() && self.accounts.len() >= MAX_LEDGER_SUBSCRIPTIONS {
            self.close_accounts(oldest);
        }
        if place.is_none() && self.accounts.len() >= MAX_LEDGER_SUBSCRIPTIONS {
            return false;
        }
        let index = place.unwrap_or_else(|| {
            self.accounts.push(Account { name, currency: LastWord::default(), months: Vec::new() });
            self.accounts.len() - 1
        });
        let account = &mut self.accounts[index];
        account.currency.set_some(stamp, said.currency);
        account.note(stamp, said);
        self.forget(oldest);
        true
    }

    /// A campaign reached the customer.
    pub fn campaign_sent(&mut self, campaign: &str, time: Time) {
        let name = name_hash(campaign);
        match self.campaigns.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sent)) => *sent = time.max(*sent),
            None => {
                if self.campaigns.len() >= MAX_LEDGER_CAMPAIGNS
                    && let Some(oldest) = (0..self.campaigns.len()).min_by_key(|index| self.campaigns[*index].1)
                {
                    self.campaigns.remove(oldest);
                }
                self.campaigns.push((name, time));
            }
        }
    }

    /// When a campaign was last sent to the customer, if that is remembered.
    #[must_use]
    pub fn campaign_sent_at(&self, campaign: &str) -> Option<Time> {
        let name = name_hash(campaign);
        self.campaigns.iter().find(|(known, _)| *known == name).map(|(_, sent)| *sent)
    }

    /// MRR at the end of a month by currency, trials left out.
    #[must_use]
    pub fn money_at(&self, month: Month) -> Money {
        let mut money = Money::new();
        for account in &self.accounts {
            add(&mut money, account.currency(), account.paid_at(month));
        }
        money.retain(|(_, amount)| *amount != 0);
        money
    }

    /// The months in which the customer's payments may have changed, with both ends of each.
    #[must_use]
    pub fn changes(&self) -> Vec<MonthEnds> {
        let mut months: Vec<Month> = self.accounts.iter().flat_map(|account| account.months.iter().filter_map(Words::month)).collect();
        months.sort_unstable();
        months.dedup();
        let mut changes = Vec::new();
        let (mut before, mut paid_before) = (Money::new(), self.paid_before);
        for month in months {
            let after = self.money_at(month);
            if after != before {
                changes.push(MonthEnds { month, before: before.clone(), after: after.clone(), paid_before });
            }
            paid_before |= !after.is_empty();
            before = after;
        }
        changes
    }

    /// Drops what was said so long ago that no retained month can change by it.
    fn forget(&mut self, oldest: Month) {
        let surplus = |account: &Account| account.months.iter().skip(1).take_while(|words| words.month() <= Some(oldest)).count();
        if self.accounts.iter().all(|account| surplus(account) == 0) {
            return;
        }
        let gone = self.accounts.iter().flat_map(|account| account.months.iter().take(surplus(account)).filter_map(Words::month));
        let gone: Vec<Month> = gone.collect();
        self.paid_before |= gone.into_iter().any(|month| !self.money_at(month).is_empty());
        for account in &mut self.accounts {
            let surplus = surplus(account);
            let mut kept = account.months.split_off(surplus);
            // What the first kept words do not say, the last dropped ones have said.
            for dropped in account.months.drain(..).rev() {
                kept[0].fill(dropped);
            }
            account.months = kept;
        }
    }

    /// Drops subscriptions that ended before a month.
    fn close_accounts(&mut self, oldest: Month) {
        let closed =
            |account: &Account| account.months.last().and_then(Words::month) <= Some(oldest) && account.paid_at(Month(i32::MAX)) == 0;
        let paid = self.accounts.iter().filter(|account| closed(account)).any(|account| account.months.iter().any(Words::is_paid));
        self.paid_before |= paid;
        self.accounts.retain(|account| !closed(account));
    }
}

fn add(money: &mut Money, currency: Currency, amount: i64) {
    match money.binary_search_by_key(&currency, |(known, _)| *known) {
        Ok(index) => money[index].1 = money[index].1.saturating_add(amount),
        Err(_) if amount == 0 => {}
        Err(index) => money.insert(index, (currency, amount)),
    }
}

impl Account {
    fn currency(&self) -> Currency {
        self.currency.get().copied().unwrap_or(crate::aggregates::NO_CURRENCY)
    }

    fn note(&mut self, stamp: Stamp, said: Statement) {
        let month = Month::of(stamp.time.day());
        let place = self.months.partition_point(|words| words.month() < Some(month));
        if self.months.get(place).and_then(Words::month) != Some(month) {
            self.months.insert(place, Words::default());
        }
        let words = &mut self.months[place];
        words.running.set(stamp, said.step != SubscriptionStep::Ended);
        words.trial.set_some(stamp, trial_said(said.step, said.trial));
        words.mrr_minor.set_some(stamp, said.mrr_minor);
        // A month that says what the one before and the one after say needs no telling.
        for index in [place + 1, place, place.saturating_sub(1)] {
            if index > 0
                && index + 1 < self.months.len()
                && self.months[index - 1..=index + 1].windows(2).all(|pair| pair[0].says_the_same(&pair[1]))
            {
                self.months.remove(index);
            }
        }
    }

    /// What is paid at the end of a month.
    fn paid_at(&self, month: Month) -> i64 {
        let (mut running, mut trial, mut mrr_minor) = (false, false, 0);
        for words in self.months.iter().take_while(|words| words.month() <= Some(month)) {
            running = words.running.get().copied().unwrap_or(running);
            trial = words.trial.get().copied().unwrap_or(trial);
            mrr_minor = words.mrr_minor.get().copied().unwrap_or(mrr_minor);
        }
        if running && !trial { mrr_minor } else { 0 }
    }
}

impl Words {
    fn month(&self) -> Option<Month> {
        self.running.time().map(|time| Month::of(time.day()))
    }

    fn is_paid(&self) -> bool {
        self.running.get() == Some(&true) && self.trial.get() != Some(&true) && self.mrr_minor.get().is_some_and(|mrr| *mrr > 0)
    }

    fn says_the_same(&self, other: &Self) -> bool {
        self.mrr_minor.get().is_some()
            && (self.running.get(), self.trial.get(), self.mrr_minor.get())
                == (other.running.get(), other.trial.get(), other.mrr_minor.get())
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

impl Packed for Words {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_word(&self.running, |writer, running| writer.bytes.push(u8::from(*running)));
        writer.put_word(&self.trial, |writer, trial| writer.bytes.push(u8::from(*trial)));
        writer.put_word(&self.mrr_minor, |writer, mrr| writer.put_signed(*mrr));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self {
            running: reader.take_word(PackedReader::take_bool)?,
            trial: reader.take_word(PackedReader::take_bool)?,
            mrr_minor: reader.take_word(PackedReader::take_signed)?,
        })
    }
}

impl Packed for Account {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.bytes.extend_from_slice(&self.name.to_le_bytes());
        writer.put_word(&self.currency, |writer, currency| writer.bytes.extend_from_slice(&currency.0));
        writer.put_list(&self.months);
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self {
            name: u32::from_le_bytes(reader.take_array()?),
            currency: reader.take_word(|reader| reader.take_array().map(Currency))?,
            months: reader.take_list(Words::unpack)?,
        })
    }
}

impl Packed for Ledger {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_list(&self.accounts);
        writer.bytes.push(u8::from(self.paid_before));
        writer.put(self.campaigns.len() as u64);
        for (name, sent) in &self.campaigns {
            writer.bytes.extend_from_slice(&name.to_le_bytes());
            writer.put_time(*sent);
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self {
            accounts: reader.take_list(Account::unpack)?,
            paid_before: reader.take_bool()?,
            campaigns: reader.take_list(|reader| Some((u32::from_le_bytes(reader.take_array()?), reader.take_time()?)))?,
        })
    }
}
