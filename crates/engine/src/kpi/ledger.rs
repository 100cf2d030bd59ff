//! A customer's money at the ends of months, over its subscriptions; and the campaigns that reached it.

use super::month::Month;
use crate::customer::{Billing, Packed, PackedReader, PackedWriter, Subscription, name_hash};
use crate::event::Currency;
use crate::time::Time;

/// Months whose movements are kept and corrected by late events: the present one and thirteen before it, so that two can be compared with
/// those a year before them.
pub const RETAINED_MONTHS: i32 = 14;

/// Changes of what forgotten subscriptions paid that are remembered per customer; the oldest give way.
pub const MAX_FORGOTTEN_CHANGES: usize = 32;

/// Campaigns of a customer that are remembered; the oldest give way.
pub const MAX_LEDGER_CAMPAIGNS: usize = 8;

/// What KPIs need of a customer beside its subscriptions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// Whether it paid at the end of a month that is not kept any more.
    pub(crate) paid_before: bool,
    /// By how much what forgotten subscriptions paid changed in a month.
    forgotten: Vec<(Month, Currency, i64)>,
    /// Hash of the name, and when it was last sent.
    campaigns: Vec<(u32, Time)>,
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
    /// Keeps what a subscription paid that is about to be forgotten.
    pub fn forget(&mut self, subscription: &Subscription) {
        let mut before = 0;
        for month in subscription.months() {
            let after = subscription.paid_at(month);
            if after != before {
                self.forgotten.push((month, subscription.paid_currency(), after - before));
            }
            before = after;
        }
        self.forgotten.sort_unstable();
        if self.forgotten.len() > MAX_FORGOTTEN_CHANGES {
            self.paid_before = true;
            self.forgotten.drain(..self.forgotten.len() - MAX_FORGOTTEN_CHANGES);
        }
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
}

/// MRR at the end of a month by currency, trials left out.
#[must_use]
pub fn money_at(billing: &Billing, ledger: Option<&Ledger>, month: Month) -> Money {
    let mut money = Money::new();
    for subscription in billing.subscriptions.iter() {
        add(&mut money, subscription.paid_currency(), subscription.paid_at(month));
    }
    for (_, currency, change) in ledger.iter().flat_map(|ledger| &ledger.forgotten).filter(|(changed, ..)| *changed <= month) {
        add(&mut money, *currency, *change);
    }
    money.retain(|(_, amount)| *amount != 0);
    money
}

/// The months in which the customer's payments changed, with both ends of each.
#[must_use]
pub fn changes(billing: &Billing, ledger: Option<&Ledger>) -> Vec<MonthEnds> {
    let forgotten = ledger.iter().flat_map(|ledger| &ledger.forgotten).map(|(month, ..)| *month);
    let mut months: Vec<Month> = billing.subscriptions.iter().flat_map(Subscription::months).chain(forgotten).collect();
    months.sort_unstable();
    months.dedup();
    let mut changes = Vec::new();
    let (mut before, mut paid_before) = (Money::new(), ledger.is_some_and(|ledger| ledger.paid_before));
    for month in months {
        let after = money_at(billing, ledger, month);
        if after != before {
            changes.push(MonthEnds { month, before, after: after.clone(), paid_before });
        }
        paid_before |= !after.is_empty();
        before = after;
    }
    changes
}

fn add(money: &mut Money, currency: Currency, amount: i64) {
    match money.binary_search_by_key(&currency, |(known, _)| *known) {
        Ok(index) => money[index].1 = money[index].1.saturating_add(amount),
        Err(_) if amount == 0 => {}
        Err(index) => money.insert(index, (currency, amount)),
    }
}

impl Packed for Ledger {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.bytes.push(u8::from(self.paid_before));
        writer.put(self.forgotten.len() as u64);
        for (month, currency, change) in &self.forgotten {
            writer.put_signed(i64::from(month.0));
            writer.bytes.extend_from_slice(&currency.0);
            writer.put_signed(*change);
        }
        writer.put(self.campaigns.len() as u64);
        for (name, sent) in &self.campaigns {
            writer.bytes.extend_from_slice(&name.to_le_bytes());
            writer.put_time(*sent);
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let forgotten =
            |reader: &mut PackedReader<'_>| Some((Month(reader.take_i32()?), Currency(reader.take_array()?), reader.take_signed()?));
        Some(Self {
            paid_before: reader.take_bool()?,
            forgotten: reader.take_list(forgotten)?,
            campaigns: reader.take_list(|reader| Some((u32::from_le_bytes(reader.take_array()?), reader.take_time()?)))?,
        })
    }
}
