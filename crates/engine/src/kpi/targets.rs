//! What may have a target besides the KPIs of [`KPI_NAMES`]: those of money, and health as the share of customers in red.

use super::ratios::{KPI_NAMES, Kpi, kpi};

/// Health, as a KPI that has a target: there is a target for it, while the grades themselves are levels.
pub const RED_CUSTOMERS: Kpi = kpi("red_customers", "0 to 1", "Customers whose health is red over those who have a grade.");

/// KPIs of money that are shares: one target holds for each currency.
pub const MONEY_SHARES: [Kpi; 7] = [
    kpi("net_retention", "share", "What those who paid at the beginning of the last whole month pay at its end, over what they paid then."),
    kpi("gross_retention", "0 to 1", "The same without expansion."),
    kpi("net_retention_year", "share", "Net retention year over year."),
    kpi("gross_retention_year", "0 to 1", "Gross retention year over year."),
    kpi("revenue_churn", "0 to 1", "Churned and contracted MRR of the last whole month over MRR at its beginning."),
    kpi("revenue_churn_quarter", "0 to 1", "The same of the last three whole months."),
    kpi("revenue_churn_annualised", "0 to 1", "1 - (1 - q)^4 of the revenue churn of the quarter."),
];

/// KPIs of money that are amounts: each currency has a target of its own, in minor units. See [`amount_target`].
pub const MONEY_AMOUNTS: [Kpi; 5] = [
    kpi("mrr_minor", "minor units", "MRR now."),
    kpi("arpa_minor", "minor units", "MRR per customer who pays in the currency."),
    kpi("cltv_minor", "minor units", "Worth of a customer over its life."),
    kpi("cac_minor", "minor units", "Cost of acquisition of the last whole month per new or reactivated customer."),
    kpi("crc_minor", "minor units", "Cost of retention of the last whole month per current customer."),
];

/// What has one target, which holds for every currency.
pub fn plain_targets() -> impl Iterator<Item = &'static Kpi> + Clone {
    KPI_NAMES.iter().chain(&MONEY_SHARES).chain([&RED_CUSTOMERS])
}

/// The name of the target of an amount among [`KpiSettings::targets`](super::KpiSettings::targets), such as `mrr_minor.EUR`.
#[must_use]
pub fn amount_target(kpi: &str, currency: &str) -> String {
    format!("{kpi}.{currency}")
}

/// The KPI of a target, and its currency if it is that of an amount.
#[must_use]
pub fn target_parts(name: &str) -> (&str, Option<&str>) {
    name.split_once('.').map_or((name, None), |(kpi, currency)| (kpi, Some(currency)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_tell_their_currency() {
        let names: Vec<&str> = plain_targets().chain(&MONEY_AMOUNTS).map(|kpi| kpi.name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| target_parts(name) == (*name, None)));
        assert_eq!(target_parts(&amount_target("mrr_minor", "EUR")), ("mrr_minor", Some("EUR")));
    }
}
