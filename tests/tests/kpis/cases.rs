//! Single customers whose movements are known: several subscriptions, trials, currencies, coming back, campaigns, consent.

use std::borrow::Cow;
use std::sync::Arc;

use bellwether_engine::aggregates::Aggregates;
use bellwether_engine::event::{Body, CampaignStep, Currency, Event, SubscriptionStep, UserToken};
use bellwether_engine::kpi::{Flow, Kpis, Level, Month};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::settings::Settings;
use bellwether_engine::time::DAY_MS;
use bellwether_tests::company::START;
use bellwether_tests::folding::{Cuts, fold};

const EUR: Currency = Currency(*b"EUR");
const USD: Currency = Currency(*b"USD");

fn event(day: i64, number: usize, body: Body<'static>) -> Event<'static> {
    let id = Cow::Owned(number.to_string());
    Event { time: START.plus_ms(day * DAY_MS), source: Cow::Borrowed("/test"), id, customer: Cow::Borrowed("c-1"), traceparent: None, body }
}

fn subscription(name: &'static str, step: SubscriptionStep, mrr: i64, currency: Currency, trial: Option<bool>) -> Body<'static> {
    Body::Subscription {
        step,
        subscription: Cow::Borrowed(name),
        plan: None,
        mrr_minor: Some(mrr),
        currency: Some(currency),
        seats: None,
        period_end: None,
        trial,
        reason: None,
    }
}

fn started(name: &'static str, mrr: i64) -> Body<'static> {
    subscription(name, SubscriptionStep::Started, mrr, EUR, None)
}

fn ended(name: &'static str) -> Body<'static> {
    subscription(name, SubscriptionStep::Ended, 0, EUR, None)
}

/// What the events of one customer, by days after 2024-01-01 in the order of arrival, come to on a day; the same however they are cut.
fn aggregates(events: Vec<(i64, Body<'static>)>, day: i64) -> Aggregates {
    let events: Vec<_> = events.into_iter().enumerate().map(|(number, (day, body))| event(day, number, body)).collect();
    let rules = Arc::new(RuleSet::new(1, Vec::new(), Settings::default()));
    let until = START.plus_ms(day * DAY_MS);
    let tidied = |cuts| {
        let mut aggregates = fold(&events, &rules, 1, until, cuts).0.remove(0).header.aggregates;
        aggregates.kpis.tidy();
        aggregates
    };
    let straight = tidied(Cuts::None);
    (1..6).for_each(|seed| assert_eq!(tidied(Cuts::Random(seed)), straight, "seed {seed}"));
    straight
}

#[test]
fn the_end_of_one_of_two_subscriptions_is_contraction_and_of_the_last_one_churn() {
    let events = vec![(3, started("a", 100)), (4, started("b", 40)), (40, ended("b")), (70, ended("a")), (100, started("a", 90))];
    let sums = aggregates(events, 110).kpis;
    let moved = |month| sums.moved(EUR, Month::new(2024, month));
    assert_eq!((moved(1).new, moved(2).contraction, moved(3).churned, moved(4).reactivated), (140, 40, 100, 90));
    let ends = [0, 140, 100, 0, 90].map(|mrr: i64| mrr);
    for (month, mrr) in (0..).zip(ends) {
        assert_eq!(sums.mrr_minor_at(EUR, Month::new(2024, 1).back(1 - month)), mrr, "month {month}");
    }
    assert_eq!((sums.customers_at(Month::new(2024, 2)), sums.customers_at(Month::new(2024, 3))), (1, 0));
}

#[test]
fn a_trial_pays_nothing_until_it_is_renewed() {
    let trial = subscription("a", SubscriptionStep::Started, 100, EUR, Some(true));
    let sums = aggregates(vec![(3, trial.clone())], 40).kpis;
    assert_eq!((sums.level(Level::Trials), sums.level(Level::Subscriptions), sums.mrr_minor(EUR)), (1, 0, 0));
    let renewed = subscription("a", SubscriptionStep::Renewed, 100, EUR, None);
    let sums = aggregates(vec![(3, trial), (33, renewed)], 40).kpis;
    assert_eq!((sums.level(Level::Trials), sums.level(Level::Subscriptions)), (0, 1));
    assert_eq!((sums.moved(EUR, Month::new(2024, 1)).new, sums.moved(EUR, Month::new(2024, 2)).new), (0, 100));
}

#[test]
fn currencies_are_kept_apart_and_a_customer_who_changes_them_stays() {
    let dollars = subscription("b", SubscriptionStep::Started, 70, USD, None);
    let sums = aggregates(vec![(3, started("a", 100)), (40, dollars), (41, ended("a"))], 50).kpis;
    let february = Month::new(2024, 2);
    assert_eq!((sums.moved(EUR, february).contraction, sums.moved(USD, february).expansion), (100, 70));
    assert_eq!((sums.mrr_minor(EUR), sums.mrr_minor(USD), sums.level(Level::CurrentCustomers)), (0, 70, 1));
}

#[test]
fn a_late_change_corrects_the_months_since() {
    let renewed = |mrr| subscription("a", SubscriptionStep::Renewed, mrr, EUR, None);
    let changed = |mrr| subscription("a", SubscriptionStep::Changed, mrr, EUR, None);
    let events = vec![(3, started("a", 100)), (70, renewed(120)), (40, changed(120)), (10, changed(110))];
    let sums = aggregates(events, 80).kpis;
    let expansion = [1, 2, 3].map(|month| sums.moved(EUR, Month::new(2024, month)).expansion);
    assert_eq!((sums.moved(EUR, Month::new(2024, 1)).new, expansion), (110, [0, 10, 0]));
}

#[test]
fn a_year_later_retention_is_told_without_any_further_event() {
    let changed = subscription("a", SubscriptionStep::Changed, 150, EUR, None);
    let sums = aggregates(vec![(3, started("a", 100)), (200, changed)], 31 + 366).kpis;
    let today = START.plus_ms((31 + 366) * DAY_MS).day();
    let kpis = Kpis::of(&sums, today, &Settings::default().kpis);
    // At the end of January 2025 it pays 150, where it paid 100 a year before.
    assert_eq!((kpis.money[&EUR].net_retention_year, kpis.money[&EUR].gross_retention_year), (Some(1.5), Some(1.0)));
}

#[test]
fn money_from_a_campaign_counts_until_the_horizon() {
    let step =
        |step, amount_minor| Body::Campaign { step, campaign: Cow::Borrowed("spring"), user: None, amount_minor, currency: Some(EUR) };
    let converted = |amount| step(CampaignStep::Converted, Some(amount));
    let sums = aggregates(vec![(1, step(CampaignStep::Sent, None)), (20, converted(500)), (40, converted(70))], 50).kpis;
    let campaign = sums.campaigns.values().next().expect("there is one");
    assert_eq!((campaign.sent, campaign.converted, campaign.converted_late, campaign.converted_minor[&EUR]), (1, 1, 1, 500));
}

#[test]
fn who_unsubscribes_withdraws_its_own_consent() {
    let campaign = Cow::Borrowed("spring");
    let user = Some(UserToken(7));
    let unsubscribed = Body::Campaign { step: CampaignStep::Unsubscribed, campaign, user, amount_minor: None, currency: None };
    let agreed = Body::Consent { marketing: true, user: None };
    let sums = aggregates(vec![(1, agreed), (2, unsubscribed.clone())], 5).kpis;
    assert_eq!((sums.level(Level::ConsentGiven), sums.level(Level::UsersWithdrawn)), (1, 1));
    let sums = aggregates(vec![(2, unsubscribed)], 5).kpis;
    assert_eq!((sums.level(Level::ConsentGiven), sums.level(Level::ConsentRefused), sums.level(Level::UsersWithdrawn)), (0, 1, 1));
}

/// An event on a term that ends on a day.
fn term(step: SubscriptionStep, end: i64, trial: Option<bool>) -> Body<'static> {
    match subscription("a", step, 100, EUR, trial) {
        Body::Subscription { step, subscription, plan, mrr_minor, currency, seats, trial, reason, .. } => {
            let period_end = Some(START.plus_ms(end * DAY_MS));
            Body::Subscription { step, subscription, plan, mrr_minor, currency, seats, period_end, trial, reason }
        }
        other => other,
    }
}

#[test]
fn what_was_due_counts_in_its_month_whenever_its_renewal_came_or_was_heard_of() {
    let (started, renewed) = (|end| term(SubscriptionStep::Started, end, None), |end| term(SubscriptionStep::Renewed, end, None));
    // Due on 3 February, 5 March and 5 April 2024. A change of the second term moves no due date, also if it comes before the renewal itself.
    let changed = term(SubscriptionStep::Changed, 200, None);
    let in_order = vec![(3, started(33)), (40, renewed(64)), (45, changed.clone()), (70, renewed(95))];
    let late = vec![(3, started(33)), (45, changed), (70, renewed(95)), (40, renewed(64))];
    let due = |events, day| {
        let sums = aggregates(events, day).kpis;
        [2, 3, 4].map(|month| {
            let month = sums.months.get(&Month::new(2024, month)).cloned().unwrap_or_default();
            (month.flow(Flow::Due), month.flow(Flow::DueRenewed))
        })
    };
    assert_eq!(due(in_order.clone(), 80), [(1, 1), (1, 1), (1, 0)]);
    assert_eq!(due(late, 80), [(1, 1), (1, 1), (1, 0)]);
    assert_eq!(due(in_order[..3].to_vec(), 80), [(1, 1), (1, 0), (0, 0)]);
    // Who ends before the due date was due all the same; a trial that is paid from then on was not.
    assert_eq!(due(vec![(3, started(33)), (10, ended("a"))], 80), [(1, 0), (0, 0), (0, 0)]);
    let trial = term(SubscriptionStep::Started, 33, Some(true));
    assert_eq!(due(vec![(3, trial), (33, renewed(64))], 80), [(0, 0), (1, 0), (0, 0)]);
    // Coming back is no renewal of what ended.
    let back = vec![(3, started(33)), (33, ended("a")), (50, term(SubscriptionStep::Started, 95, None))];
    assert_eq!(due(back, 80), [(1, 0), (0, 0), (1, 0)]);
    // A paid period of centuries is a mistake.
    assert_eq!(due(vec![(3, started(90_000)), (40, renewed(64))], 80), [(0, 0), (1, 0), (0, 0)]);
}

#[test]
fn what_forgotten_subscriptions_were_due_stays_counted() {
    let names = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"];
    let mut events = Vec::new();
    for name in names {
        let mut body = term(SubscriptionStep::Started, 64, None);
        if let Body::Subscription { subscription, .. } = &mut body {
            *subscription = Cow::Borrowed(name);
        }
        // The ninth comes when the others have been gone for more than a month.
        events.push((if name == "s8" { 60 } else { 3 }, body));
    }
    events.splice(8..8, names[..8].iter().map(|name| (10, ended(name))));
    let sums = aggregates(events, 70).kpis;
    assert_eq!(sums.months[&Month::new(2024, 3)].flow(Flow::Due), 9);
}
