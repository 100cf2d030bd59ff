//! The compact form in which a customer's contribution is remembered: a tenth of what its lists and maps take.

use super::contribution::{KpiContribution, Process};
use super::durations::Duration;
use super::ledger::Money;
use super::month::Month;
use super::sums::{Level, MoneyMoved, Movements};
use crate::customer::{Packed, PackedReader, PackedWriter};
use crate::event::Currency;

impl Packed for KpiContribution {
    fn pack(&self, writer: &mut PackedWriter) {
        writer.put_text(&self.segment);
        writer.put(self.levels.len() as u64);
        for (level, count) in &self.levels {
            writer.bytes.push(*level as u8);
            writer.put_signed(*count);
        }
        put_money(writer, &self.money);
        writer.put(self.movements.len() as u64);
        for (month, moved) in &self.movements {
            writer.put_signed(i64::from(month.0));
            moved.pack(writer);
        }
        writer.put(self.plans.len() as u64);
        for (plan, paid) in &self.plans {
            writer.put_text(plan);
            put_money(writer, paid.as_slice());
        }
        writer.put(self.durations.len() as u64);
        for (process, began, duration) in &self.durations {
            writer.bytes.push(*process as u8);
            writer.put_day(*began);
            duration.pack(writer);
        }
        writer.put(self.due.len() as u64);
        self.due.iter().for_each(|month| writer.put_signed(i64::from(month.0)));
        writer.put(self.grade.map_or(0, |grade| u64::from(grade) + 1));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        Some(Self {
            segment: reader.take_name()?,
            levels: reader.take_list(|reader| Some((reader.take_one_of(&Level::ALL)?.0, reader.take_signed()?)))?,
            money: take_money(reader)?,
            movements: reader.take_list(|reader| Some((Month(reader.take_i32()?), Movements::unpack(reader)?)))?,
            plans: reader.take_list(|reader| Some((reader.take_name()?, take_money(reader)?.pop())))?,
            durations: reader
                .take_list(|reader| Some((reader.take_one_of(&Process::ALL)?, reader.take_day()?, Duration::unpack(reader)?)))?,
            due: reader.take_list(|reader| Some(Month(reader.take_i32()?)))?,
            grade: reader.take()?.checked_sub(1).and_then(|grade| u8::try_from(grade).ok()),
        })
    }
}

impl Packed for Movements {
    fn pack(&self, writer: &mut PackedWriter) {
        for count in [self.new_customers, self.reactivated_customers, self.churned_customers] {
            writer.put_signed(count);
        }
        writer.put(self.money.len() as u64);
        for (currency, moved) in &self.money {
            writer.bytes.extend_from_slice(&currency.0);
            let MoneyMoved { new, reactivated, expansion, contraction, churned, year_gained, year_lost } = *moved;
            for amount in [new, reactivated, expansion, contraction, churned, year_gained, year_lost] {
                writer.put_signed(amount);
            }
        }
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let mut movements = Self {
            new_customers: reader.take_signed()?,
            reactivated_customers: reader.take_signed()?,
            churned_customers: reader.take_signed()?,
            ..Self::default()
        };
        for _ in 0..reader.take()? {
            let currency = Currency(reader.take_array()?);
            let moved = MoneyMoved {
                new: reader.take_signed()?,
                reactivated: reader.take_signed()?,
                expansion: reader.take_signed()?,
                contraction: reader.take_signed()?,
                churned: reader.take_signed()?,
                year_gained: reader.take_signed()?,
                year_lost: reader.take_signed()?,
            };
            movements.money.insert(currency, moved);
        }
        Some(movements)
    }
}

impl Packed for Duration {
    fn pack(&self, writer: &mut PackedWriter) {
        let (form, days) = match *self {
            Duration::Waiting => (0, 0),
            Duration::Done(days) => (1, days),
            Duration::GivenUp(days) => (2, days),
        };
        writer.bytes.push(form);
        writer.put(u64::from(days));
    }

    fn unpack(reader: &mut PackedReader<'_>) -> Option<Self> {
        let (form, days) = (reader.take_byte()?, reader.take_u16()?);
        [Duration::Waiting, Duration::Done(days), Duration::GivenUp(days)].get(usize::from(form)).copied()
    }
}

/// Amounts in minor units by currency.
pub(crate) fn put_money(writer: &mut PackedWriter, money: &[(Currency, i64)]) {
    writer.put(money.len() as u64);
    for (currency, amount) in money {
        writer.bytes.extend_from_slice(&currency.0);
        writer.put_signed(*amount);
    }
}

/// What [`put_money`] wrote.
pub(crate) fn take_money(reader: &mut PackedReader<'_>) -> Option<Money> {
    reader.take_list(|reader| Some((Currency(reader.take_array()?), reader.take_signed()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Day;

    #[test]
    fn a_contribution_is_kept_exactly() {
        let (euro, dollar) = (Currency(*b"EUR"), Currency(*b"USD"));
        let moved = MoneyMoved { new: 1, reactivated: 2, expansion: 3, contraction: 4, churned: 5, year_gained: -6, year_lost: 7 };
        let movements = Movements {
            new_customers: 1,
            reactivated_customers: -1,
            churned_customers: 2,
            money: [(euro, moved), (dollar, MoneyMoved { new: i64::MIN, ..MoneyMoved::default() })].into(),
        };
        let full = KpiContribution {
            segment: "enterprise".into(),
            levels: Level::ALL.iter().zip(-3..).map(|((level, ..), count)| (*level, count)).collect(),
            money: vec![(euro, 12_900), (dollar, -1)],
            movements: vec![(Month(24_000), movements), (Month(-1), Movements::default())],
            plans: vec![("plan-1".into(), Some((euro, 0))), ("plan-2".into(), None)],
            durations: Process::ALL
                .into_iter()
                .zip([Duration::Waiting, Duration::Done(0), Duration::GivenUp(730)])
                .map(|(process, duration)| (process, Day(19_000), duration))
                .collect(),
            due: vec![Month(24_001), Month(24_012)],
            grade: Some(2),
        };
        for contribution in [KpiContribution::default(), full] {
            let mut writer = PackedWriter::new();
            contribution.pack(&mut writer);
            let mut reader = PackedReader::new(&writer.bytes);
            assert_eq!(KpiContribution::unpack(&mut reader), Some(contribution));
            assert!(reader.bytes.is_empty());
        }
    }
}
