//! The largest customer that there can be: every collection of its state is full, and what it cannot know any more is absent.

use std::sync::Arc;

use bellwether_codec::event::Decoder;
use bellwether_codec::rules::RuleFile;
use bellwether_codec::state::{MAX_STATE_BYTES, encode_customer};
use bellwether_engine::event::CustomerKey;
use bellwether_engine::feature::{Change, Feature};
use bellwether_engine::own_feature::MAX_OWN_FEATURES;
use bellwether_engine::partition::{Header, Partition, Payload, Record};
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::time::{DAY_MS, Time};
use bellwether_engine::view::View;

const PACK: &str = include_str!("../../deploy/rules/default.yaml");

/// Things of each kind: more than any table holds.
const THINGS: u32 = 300;
/// Days that its life lasts.
const DAYS: u32 = 200;

/// Every feature that is made from a collection.
const OF_FULL_TABLES: [Feature; 44] = [
    Feature::ActiveUsers28d,
    Feature::ActiveUsersPrev28d,
    Feature::ActiveUsers30d,
    Feature::DormantUsers30d,
    Feature::TopUserShare56d,
    Feature::IdentifiedEvents56d,
    Feature::SeatUtilisation,
    Feature::FeaturesUsed28d,
    Feature::CoreFeaturesDropped,
    Feature::UnusedEntitlements,
    Feature::TicketsOpen,
    Feature::OldestUrgentTicketHours,
    Feature::FirstResponseHours,
    Feature::SlowFirstResponses28d,
    Feature::Csat84d,
    Feature::Ces84d,
    Feature::LowRatings56d,
    Feature::Mrr,
    Feature::MrrChange90d,
    Feature::DaysSinceContraction,
    Feature::DaysSinceExpansion,
    Feature::Subscriptions,
    Feature::TermDays,
    Feature::DaysToRenewal,
    Feature::Seats,
    Feature::PaymentAttemptsFailed,
    Feature::OverdueDays,
    Feature::CancelSessions28d,
    Feature::PendingActivations,
    Feature::OldestPendingActivationDays,
    Feature::NextActivationExpiryHours,
    Feature::MilestonesReached,
    Feature::DaysSinceMilestone,
    Feature::FirstValue,
    Feature::FeatureRequestsOpen,
    Feature::OldestFeatureRequestDays,
    Feature::RiskNotesOpen,
    Feature::SeriousIncidentOpen,
    Feature::DaysSinceIncidentEnd,
    Feature::QuotaUtilisation,
    Feature::ContactChangedDays,
    Feature::ChampionDaysSinceLogin,
    Feature::ChampionLoggedIn,
    Feature::MarketingConsent,
];

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
        ("consent.changed", format!(r#"{{"marketing":true,"user":"{user}"}}"#)),
    ]
}

/// A customer to whom everything happens too often, at its fullest.
struct Fullest {
    partition: Partition,
    /// The largest state that it had.
    bytes: usize,
    now: Time,
}

fn fullest(rules: &Arc<RuleSet>) -> Fullest {
    let mut partition = Partition::new(rules.clone(), Header::default());
    let decoder = Decoder::default();
    let (mut outputs, mut bytes) = (Vec::new(), Vec::new());
    let (mut largest, mut events, mut now) = (0, 0_u64, Time(0));
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
            outputs.clear();
            events += 1;
        }
        let state = partition.customers().next().expect("there is one customer");
        encode_customer(state, &mut bytes).expect("it can be encoded");
        largest = largest.max(bytes.len());
    }
    println!("{events} events, largest state {largest} bytes, {} that met a full table", partition.header.aggregates.limited);
    Fullest { partition, bytes: largest, now }
}

fn rules(text: &str) -> Arc<RuleSet> {
    Arc::new(RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}")).rule_set(1))
}

#[test]
fn the_largest_customer_stays_within_the_cap_and_what_is_not_known_is_absent_and_counted() {
    let rules = rules(PACK);
    let Fullest { partition, bytes, now } = fullest(&rules);
    assert!(bytes <= MAX_STATE_BYTES, "{bytes} bytes");
    assert!(bytes > 4_000, "a state of {bytes} bytes is not full");
    assert!(partition.header.aggregates.limited > u64::from(THINGS), "{}", partition.header.aggregates.limited);
    let state = partition.customers().next().expect("there is one customer");
    let at = Time(now.0 + DAY_MS / 2);
    let view = View::new(state, &rules.settings, at);
    for feature in OF_FULL_TABLES {
        assert!(view.value(feature as u16).is_nan(), "{feature:?} is {}", view.value(feature as u16));
        assert!(feature.info().change != Change::Clock || view.clock(feature).is_none(), "{feature:?} runs");
    }
    // What needs no table is still known.
    assert!(view.value(Feature::Logins7d as u16) > 0.0);
    // So are, half a year later, most of those that were not.
    let later = View::new(state, &rules.settings, Time(now.0 + 200 * DAY_MS));
    let known = OF_FULL_TABLES.iter().filter(|feature| !later.value(**feature as u16).is_nan());
    let known: Vec<_> = known.collect();
    assert!(known.len() > 15 && known.contains(&&Feature::Mrr), "{known:?}");
}

/// Rules of one's own that speak about all things at once, and as many own features as there may be.
#[test]
fn own_rules_and_features_do_not_make_it_larger_than_it_may_be() {
    let objects = [
        ("ticket", "ticket_unsolved"),
        ("invoice", "invoice_attempts_failed >= 1"),
        ("incident", "incident_open"),
        ("quota", "quota_share >= 0.5"),
        ("invitation", "invitation_age_days >= 0"),
    ];
    let signals: String = (0..10)
        .map(|number| {
            let (object, when) = objects[number % objects.len()];
            format!("\n  - {{ name: own-{number}, kind: attention, object: {object}, when: {when}, warm_up: 0s, summary: x }}")
        })
        .collect();
    let gathered = ["count: true", "distinct: user"];
    let features: String = (0..MAX_OWN_FEATURES)
        .map(|number| {
            let event = ["usage", "login", "cancellation.viewed"][number / 2 % 3];
            format!("\n  - {{ name: own_{number}, event: {event}, {}, window: {}d }}", gathered[number % 2], 100 + number)
        })
        .collect();
    let text = PACK.replace("\nsignals:\n", &format!("\nfeatures:{features}\nsignals:{signals}\n"));
    let (before_tests, _) = text.split_once("\ntests:\n").expect("the pack has tests");
    let Fullest { partition, bytes, .. } = fullest(&rules(before_tests));
    assert!(bytes <= MAX_STATE_BYTES && bytes > MAX_STATE_BYTES / 2, "{bytes} bytes");
    let state = partition.customers().next().expect("there is one customer");
    assert!(state.episodes.iter().filter(|episode| !episode.object.is_empty()).count() > 30);
}

/// The date of a day of 2024, counted from 0.
fn date_of(day: u32) -> String {
    const DAYS_BEFORE: [u32; 12] = [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335];
    let month = DAYS_BEFORE.iter().rposition(|before| *before <= day).expect("the first is 0");
    format!("2024-{:02}-{:02}", month + 1, day - DAYS_BEFORE[month] + 1)
}
