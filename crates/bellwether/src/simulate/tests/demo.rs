//! The company of the demo: its figures, and whether each story shows what it is about.

use std::sync::LazyLock;

use bellwether_engine::event_type::Family;

use super::*;

static DEMO: LazyLock<Made> = LazyLock::new(|| make(&Options::default()));

#[test]
fn the_demo_has_every_story_every_family_and_the_churn_of_an_ordinary_company() {
    let totals = &DEMO.totals;
    println!("{totals:#?}");
    assert!((300_000..=600_000).contains(&totals.events));
    for (story, customers) in &totals.customers_by_story {
        assert!(*customers > 0, "nobody is {story}");
    }
    let families: BTreeSet<Family> =
        totals.events_by_type.keys().filter_map(|name| EventType::from_name(name)).map(EventType::family).collect();
    // Feedback answers signals and erasure follows requests: neither is the company's to make up.
    assert_eq!(families.len(), Family::ALL.len() - 2, "{families:?}");
    for (_, name, family) in EventType::ALL {
        let expected = !matches!(family, Family::Feedback | Family::Privacy);
        assert_eq!(totals.events_by_type.contains_key(name), expected, "{name}");
    }
    let (day, busiest) = busiest_customer_day();
    assert!(busiest < 120, "{busiest} events on {day}");
    let customer_months = customer_days() / 30.4375;
    let churn = f64::from(totals.ended) / customer_months;
    println!("{customer_months:.0} customer-months, churn {:.2} % a month", churn * 100.0);
    assert!((0.01..=0.02).contains(&churn), "churn of {churn}");
}

#[test]
fn the_silent_share_of_those_who_leave_is_as_planted() {
    let first_day = day_of(date(2024, 1, 1));
    let world = World::draw(5, first_day, months_after(first_day, 18));
    let plots = (1..=4_000).map(|number| Customer::draw(number, &world).plot).filter(|plot| plot.departure.is_some());
    let stories: Vec<Story> = plots.map(|plot| plot.story).collect();
    let silent = stories.iter().filter(|story| **story == Story::Silent).count() as f64 / stories.len() as f64;
    assert!((0.26..=0.34).contains(&silent), "{silent} of {}", stories.len());
}

/// Customers of a story that left, with the decision (of who decided nothing: the end).
fn leavers(story: &str) -> Vec<(&'static str, &'static str)> {
    let rows = DEMO.truth.lines().map(|line| line.split(',').collect::<Vec<_>>()).filter(|row| row[1] == story);
    rows.map(|row| (row[0], if row[3].is_empty() { row[5] } else { row[3] })).filter(|(_, day)| !day.is_empty()).collect()
}

/// Of those customers, how many have at least `least` events, up to that day, whose line holds all the words.
fn showing(customers: &[(&str, &str)], least: usize, words: &[&str]) -> usize {
    let mut counts: BTreeMap<&str, (&str, usize)> = customers.iter().map(|(customer, day)| (*customer, (*day, 0))).collect();
    for line in DEMO.events.lines().filter(|line| words.iter().all(|word| line.contains(word))) {
        if let Some((day, count)) = counts.get_mut(text_after(line, "\"subject\":\"", 7))
            && text_after(line, "\"time\":\"", 10) <= *day
        {
            *count += 1;
        }
    }
    counts.values().filter(|(_, count)| *count >= least).count()
}

/// The customer and day with the most events.
fn busiest_customer_day() -> (String, u32) {
    let mut days: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for line in DEMO.events.lines() {
        *days.entry((text_after(line, "\"subject\":\"", 7), text_after(line, "\"time\":\"", 10))).or_default() += 1;
    }
    let (day, events) = days.into_iter().max_by_key(|(_, events)| *events).expect("there are events");
    (format!("{day:?}"), events)
}

/// Days with a subscription, of all customers together.
fn customer_days() -> f64 {
    let last: Timestamp = "2025-07-01T00:00:00Z".parse().expect("RFC 3339");
    let days_left = |line: &str| {
        let time: Timestamp = text_after(line, "\"time\":\"", 20).parse().expect("RFC 3339");
        last.duration_since(time).as_secs_f64() / 86_400.0
    };
    let of_type = |kind: &'static str| DEMO.events.lines().filter(move |line| line.contains(kind)).map(days_left).sum::<f64>();
    of_type("\"subscription.started\"") - of_type("\"subscription.ended\"")
}

/// So many characters behind a text in a line.
fn text_after<'a>(line: &'a str, before: &str, length: usize) -> &'a str {
    line.split_once(before).map_or("", |(_, rest)| &rest[..length])
}

#[test]
fn those_who_leave_show_the_signs_of_their_story_before_they_decide() {
    let signs: [(&str, usize, &[&str]); 7] = [
        ("champion-change", 1, &["contact.changed", "previous_user"]),
        ("onboarding-stall", 2, &["user.invited"]),
        ("ticket-spike", 4, &["ticket.opened"]),
        ("dunning", 1, &["invoice.issued"]),
        ("price-shopping", 2, &["cancellation.viewed"]),
        ("unhappy", 1, &["survey.answered"]),
        ("incidents", 1, &["incident.started", "critical"]),
    ];
    for (story, least, words) in signs {
        let customers = leavers(story);
        assert!(!customers.is_empty(), "nobody left as {story}");
        assert_eq!(showing(&customers, least, words), customers.len(), "{story}");
    }
    let unpaid = leavers("dunning");
    let failed = showing(&unpaid, 4, &["payment.failed"]);
    let unpaid_transfers = unpaid.len() - showing(&unpaid, 1, &["payment.failed"]);
    assert_eq!(failed + unpaid_transfers, unpaid.len());
    assert_eq!(showing(&leavers("onboarding-stall"), 1, &["\"final\":true"]), 0);
    assert_eq!(showing(&leavers("silent"), 1, &["cancellation.viewed"]), 0);
}

#[test]
fn machines_never_log_in_and_the_intranet_has_no_users() {
    let customers = |story: &str| -> Vec<(&str, &str)> {
        let rows = DEMO.truth.lines().map(|line| line.split(',').collect::<Vec<_>>()).filter(|row| row[1] == story);
        rows.map(|row| (row[0], "9999-12-31")).collect()
    };
    let (machines, intranet) = (customers("api-only"), customers("intranet"));
    assert_eq!(showing(&machines, 1, &["\"type\":\"login\""]), 0);
    assert_eq!(showing(&machines, 10, &["\"type\":\"usage\""]), machines.len());
    assert_eq!(showing(&intranet, 10, &["\"type\":\"login\""]), intranet.len());
    assert_eq!(showing(&intranet, 1, &["\"type\":\"login\"", "\"user\""]), 0);
}
