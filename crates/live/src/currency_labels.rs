//! The currencies that metrics tell apart: a bounded number, whatever producers send.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bellwether_engine::event::Currency;
use bellwether_engine::kpi::{KpiSums, OTHER};

/// Currencies that an instance tells apart at most. The sums know no others than those of ISO 4217; who bills in more than this many is not known to us.
pub const MAX_CURRENCIES: usize = 32;

/// Which currencies have a label of their own; the rest is [`OTHER`], where amounts of several are added up that have nothing in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CurrencyLabels(BTreeSet<Currency>);

impl CurrencyLabels {
    /// All currencies in which anything is told, by the sums or as MRR; where they are too many, those in which the most customers pay.
    #[must_use]
    pub fn of(sums: &KpiSums, mrr_minor: &BTreeMap<Currency, i64>) -> Self {
        let plans = sums.plans.values().flat_map(|plan| plan.mrr_minor.keys());
        let campaigns = sums.campaigns.values().flat_map(|campaign| campaign.converted_minor.keys());
        let mut all: BTreeSet<Currency> = mrr_minor.keys().chain(plans).chain(campaigns).copied().chain(sums.currencies()).collect();
        if all.len() > MAX_CURRENCIES {
            let paying = |currency: &Currency| -> i64 { sums.segments.values().filter_map(|segment| segment.paying.get(currency)).sum() };
            let mut ranked: Vec<Currency> = all.into_iter().collect();
            ranked.sort_by_cached_key(|currency| (Reverse(paying(currency)), *currency));
            all = ranked.into_iter().take(MAX_CURRENCIES).collect();
        }
        Self(all)
    }

    /// The label of a currency.
    #[must_use]
    pub fn label(&self, currency: Currency) -> String {
        if self.0.contains(&currency) { String::from_utf8_lossy(&currency.0).into_owned() } else { OTHER.to_owned() }
    }

    /// Amounts by label.
    #[must_use]
    pub fn by_label(&self, amounts: &BTreeMap<Currency, i64>) -> BTreeMap<String, i64> {
        let mut sums = BTreeMap::new();
        for (currency, amount) in amounts {
            let sum: &mut i64 = sums.entry(self.label(*currency)).or_default();
            *sum = sum.saturating_add(*amount);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums in which so many customers pay in each of these currencies.
    fn sums(paying: impl IntoIterator<Item = (Currency, i64)>) -> KpiSums {
        let mut sums = KpiSums::default();
        let segment = sums.segments.entry("other".into()).or_default();
        for (currency, customers) in paying {
            segment.paying.insert(currency, customers);
            segment.mrr_minor.insert(currency, 100 * customers);
        }
        sums
    }

    fn code(number: usize) -> Currency {
        Currency([b'A', b'A' + (number / 26) as u8, b'A' + (number % 26) as u8])
    }

    #[test]
    fn few_are_all_told_apart() {
        let labels = CurrencyLabels::of(&sums((0..MAX_CURRENCIES).map(|number| (code(number), 1))), &BTreeMap::new());
        (0..MAX_CURRENCIES).for_each(|number| assert_ne!(labels.label(code(number)), OTHER));
        assert_eq!(labels.label(Currency(*b"ZZZ")), OTHER);
    }

    #[test]
    fn of_many_those_with_the_most_customers_are() {
        let sums = sums((0..100).map(|number| (code(number), number as i64)));
        let labels = CurrencyLabels::of(&sums, &BTreeMap::new());
        let own = (0..100).filter(|number| labels.label(code(*number)) != OTHER);
        assert_eq!(own.collect::<Vec<_>>(), (100 - MAX_CURRENCIES..100).collect::<Vec<_>>());
        let amounts = labels.by_label(&sums.segments["other"].mrr_minor);
        assert_eq!((amounts.len(), amounts[OTHER]), (MAX_CURRENCIES + 1, (0..68).map(|number| 100 * number).sum::<i64>()));
    }
}
