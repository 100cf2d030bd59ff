//! The largest customer that there can be: every collection of its state is full, and what it cannot know any more is absent.

use std::sync::Arc;

use bellwether_codec::event::Decoder;
use bellwether_codec::rules::RuleFile;
use bellwether_codec::state::encode_customer;
use bellwether_engine::event::CustomerKey;
use bellwether_engine::feature::Feature;
use bellwether_engine::partition::{Header, Partition, Payload, Record};
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_engine::view::View;

const PACK: &str = include_str!("../../deploy/rules/default.yaml");

/// The hard cap of an encoded state.
const MOST_BYTES: usize = 16 * 1024;
/// Things of each kind: more than any table holds.
const THINGS: u32 = 300;
/// Days that its life lasts.
const DAYS: u32 = 200;

/// Ids and names as long as any that are kept, different at their beginnings.
fn long(prefix: &str, number: u32) -> String {
    format!("{prefix}-{number:05}-{}", "x".repeat(100))
}

/// Type and data of what happens with thing number `n` of a kind.
fn happenings(n: u32) -> Vec<(&'static str, String)> {
    let (user, ticket, invoice) = (long("user", n), long("ticket", n), long("invoice", n));
    let (note, incident, name, role) = (long("note", n), long("incident", n), long("name", n), long("role", n));
    vec![
        (
            "subscription.started",
            format!(r#"{{"subscription":"{name}","mrr_minor":{},"currency":"EUR","seats":9,"period_end":"2025-01-01"}}"#, n + 1),
        ),
        ("user.invited", format!(r#"{{"user":"{user}-invited","expires":"2025-01-01T00:00:00Z"}}"#)),
        ("login", format!(r#"{{"user":"{user}"}}"#)),
        ("usage", format!(r#"{{"feature":"{name}","count":{},"user":"{user}"}}"#, n + 1)),
        ("ticket.opened", format!(r#"{{"ticket":"{ticket}","priority":"urgent"}}"#)),
        ("invoice.issued", format!(r#"{{"invoice":"{invoice}","amount_minor":100,"currency":"EUR","due":"2024-01-02"}}"#)),
        ("payment.failed", format!(r#"{{"invoice":"{invoice}","attempt":1}}"#)),
        ("note.recorded", format!(r#"{{"note":"{note}","kind":"feature_request"}}"#)),
        ("incident.started", format!(r#"{{"incident":"{incident}","severity":"critical"}}"#)),
        ("contact.changed", format!(r#"{{"role":"{role}","user":"{user}"}}"#)),
        ("milestone.reached", format!(r#"{{"name":"{name}"}}"#)),
        ("quota", format!(r#"{{"name":"{name}","used":9,"limit":10}}"#)),
        ("survey.answered", format!(r#"{{"kind":"csat","score":1,"scale_min":1,"scale_max":5,"user":"{user}"}}"#)),
        ("survey.answered", format!(r#"{{"kind":"nps","score":{},"user":"{user}"}}"#, n % 11)),
        ("cancellation.viewed", format!(r#"{{"user":"{user}"}}"#)),
        ("goal.set", format!(r#"{{"metric":"{name}","target":10}}"#)),
    ]
}

#[test]
fn the_largest_customer_stays_within_the_cap_and_what_is_not_known_is_absent_and_counted() {
    let rules = Arc::new(RuleFile::parse("default.yaml", PACK).unwrap_or_else(|errors| panic!("{errors}")).rule_set(1));
    let mut partition = Partition::new(rules.clone(), Header::default());
    let decoder = Decoder::default();
    let (mut outputs, mut bytes) = (Vec::new(), Vec::new());
    let (mut largest, mut events) = (0, 0_u64);
    let mut now = Time(0);
    let customer = long("customer", 1);
    for step in 0..THINGS {
        let (day, hour) = (step * DAYS / THINGS, step * 24 * DAYS / THINGS % 24);
        for (second, (kind, data)) in happenings(step).into_iter().enumerate() {
            let date = date_of(day);
            let line = format!(
                r#"{{"specversion":"1.0","id":"{}","source":"/{}","type":"{kind}","subject":"{customer}","time":"{date}T{hour:02}:00:{second:02}Z","data":{data}}}"#,
                long("id", step * 100 + second as u32),
                long("source", second as u32),
            );
            let event = decoder.decode_text(&line).unwrap_or_else(|rejection| panic!("{}: {line}", rejection.detail));
            now = event.time;
            let (key, identity) = (CustomerKey::of(&event.customer), event.identity());
            let record = Record { watermark: now, payload: Payload::Event { event: &event, key, identity } };
            partition.apply(&record, &mut u64::MAX.clone(), &mut outputs);
            events += 1;
        }
        let state = partition.customers().next().expect("there is one customer");
        encode_customer(state, &mut bytes).expect("it can be encoded");
        largest = largest.max(bytes.len());
    }
    println!("{events} events, largest state {largest} bytes, {} that met a full table", partition.header.aggregates.limited);
    assert!(largest <= MOST_BYTES, "{largest} bytes");
    assert!(largest > 4_000, "a state of {largest} bytes is not full");
    assert!(partition.header.aggregates.limited > u64::from(THINGS), "{}", partition.header.aggregates.limited);
    let state = partition.customers().next().expect("there is one customer");
    let view = View::new(state, &rules.settings, Time(now.0 + DAY_MS / 2));
    for feature in [
        Feature::ActiveUsers28d,
        Feature::ActiveUsers30d,
        Feature::SeatUtilisation,
        Feature::FeaturesUsed28d,
        Feature::CoreFeaturesDropped,
        Feature::TicketsOpen,
        Feature::FeatureRequestsOpen,
        Feature::Subscriptions,
    ] {
        assert!(view.value(feature as u16).is_nan(), "{feature:?} is {}", view.value(feature as u16));
    }
    // What needs no table is still known.
    assert!(view.value(Feature::Logins7d as u16) > 0.0);
}

/// The date of a day of 2024, counted from 0.
fn date_of(day: u32) -> String {
    const DAYS_BEFORE: [u32; 12] = [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335];
    let month = DAYS_BEFORE.iter().rposition(|before| *before <= day).expect("the first is 0");
    format!("2024-{:02}-{:02}", month + 1, day - DAYS_BEFORE[month] + 1)
}
