//! The section `targets`: KPIs in their units, shares of money for all currencies, amounts by currency, and health.

use std::collections::BTreeMap;

use crate::{mistakes, parse};

#[test]
fn targets_have_a_number_or_one_for_each_currency() {
    let text = "targets: { nps: 30, net_retention: 1.05, red_customers: 0.1, mrr_minor: { EUR: 5000000, USD: 100 }, cac_minor: { EUR: 20 } }\nsignals: []";
    let expected = [
        ("cac_minor.EUR", 20.0),
        ("mrr_minor.EUR", 5_000_000.0),
        ("mrr_minor.USD", 100.0),
        ("net_retention", 1.05),
        ("nps", 30.0),
        ("red_customers", 0.1),
    ];
    let expected: BTreeMap<String, f64> = expected.map(|(name, target)| (name.to_owned(), target)).into();
    assert_eq!(parse(text).settings.kpis.targets, expected);
}

#[test]
fn mistakes_in_targets() {
    let of = |targets: &str| mistakes(&format!("targets: {{ {targets} }}\nsignals: []"));
    assert_eq!(of("npss: 3"), ["1:12: unknown KPI `npss`; did you mean `nps`?"]);
    assert_eq!(of("mrr_minors: 3"), ["1:12: unknown KPI `mrr_minors`; did you mean `mrr_minor`?"]);
    assert_eq!(of("mrr_minor: 3"), ["1:23: expected mrr_minor by currency, in minor units, a mapping, found the number 3"]);
    assert_eq!(of("mrr_minor: { EURO: 3 }"), ["1:25: `EURO` is no currency of ISO 4217; write it like EUR"]);
    assert_eq!(of("mrr_minor: { EUR: much }"), ["1:30: expected mrr_minor of EUR, a number, found the text `much`"]);
    assert_eq!(of("net_retention: { EUR: 1 }"), ["1:27: expected net_retention, a number, found a mapping"]);
}
