//! A producer that makes up currencies does not make what a partition remembers grow without bound.

use std::borrow::Cow;

use bellwether_codec::state::{decode_header, encode_header};
use bellwether_engine::event::{Body, CampaignStep, Currency, Event, SubscriptionStep};
use bellwether_engine::time::DAY_MS;
use bellwether_tests::company::START;
use bellwether_tests::folding::{Cuts, default_rules, fold};

/// More months than are retained.
const MONTHS: i64 = 16;

/// Currencies that ISO 4217 lists; `XXX` is one of them.
const MOST_CURRENCIES: usize = 183;

const SEGMENTS: [&str; 4] = ["small", "mid-market", "enterprise", "another"];

/// All codes of three letters.
fn codes() -> impl Iterator<Item = Currency> {
    let letters = || b'A'..=b'Z';
    letters().flat_map(move |first| letters().flat_map(move |second| letters().map(move |third| Currency([first, second, third]))))
}

/// A customer for each currency that is made up, and one in each segment for each that is listed, who pays more or less each month. There are costs in each
/// currency, and whoever pays in it buys in it after a campaign.
fn events() -> Vec<Event<'static>> {
    let mut events = Vec::new();
    let copies = |currency: &Currency| if currency.counted() == *currency { SEGMENTS.len() } else { 1 };
    for (number, currency) in codes().flat_map(|currency| std::iter::repeat_n(currency, copies(&currency))).enumerate() {
        let mut event = |day: i64, what: &str, customer: &str, body: Body<'static>| {
            events.push(Event {
                time: START.plus_ms(day * DAY_MS),
                source: "/test".into(),
                id: format!("{what}-{number}-{day}").into(),
                customer: Cow::Owned(customer.to_owned()),
                traceparent: None,
                body,
            });
        };
        let customer = format!("c-{number}");
        let segment = Some(SEGMENTS[number % SEGMENTS.len()].into());
        event(0, "account", &customer, Body::Account { created: true, segment, industry: None, country: None, owner: None });
        for month in 0..if copies(&currency) > 1 { MONTHS } else { 1 } {
            let step = if month == 0 { SubscriptionStep::Started } else { SubscriptionStep::Changed };
            let mrr_minor = Some(1_000 + 100 * (month % 3));
            let body = Body::Subscription {
                step,
                subscription: "s".into(),
                plan: None,
                mrr_minor,
                currency: Some(currency),
                seats: None,
                period_end: None,
                reason: None,
                trial: None,
            };
            event(month * 30 + 1, "subscription", &customer, body);
        }
        let campaign = || Cow::Borrowed("spring");
        let converted = Body::Campaign {
            step: CampaignStep::Converted,
            campaign: campaign(),
            user: None,
            amount_minor: Some(5),
            currency: Some(currency),
        };
        event(2, "campaign", &customer, converted);
        event(3, "cost", "_company", Body::Cost { acquisition: true, amount_minor: 7, currency, period: "2024-01".into() });
    }
    events.sort_by(|one, other| (one.time, &one.customer, &one.id).cmp(&(other.time, &other.customer, &other.id)));
    events
}

#[test]
fn a_header_knows_no_more_currencies_than_iso_4217_lists() {
    let (partitions, _) = fold(&events(), &default_rules(), 1, START.plus_ms(MONTHS * 30 * DAY_MS), Cuts::None);
    let header = &partitions[0].header;
    assert_eq!(header.aggregates.customers as usize, 26 * 26 * 26 + (SEGMENTS.len() - 1) * MOST_CURRENCIES);
    assert_eq!(header.aggregates.mrr_minor.len(), MOST_CURRENCIES);
    assert_eq!(header.aggregates.kpis.currencies().len(), MOST_CURRENCIES);
    let mut bytes = Vec::new();
    encode_header(header, &mut bytes).expect("it is within the cap");
    println!("{} bytes", bytes.len());
    assert!(decode_header(&bytes).expect("what is written can be read") == *header);
}
