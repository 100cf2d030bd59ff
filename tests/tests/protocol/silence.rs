//! One of two sources falls silent: no customer is taken to be inactive for it, and the replay says the same.

use std::borrow::Cow;
use std::sync::Arc;

use bellwether_engine::event::{Body, Event, SubscriptionStep, TicketStep, UserToken};
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};
use bellwether_kafka::memory::{Fault, Plan, TimestampType};
use bellwether_live::kafka::{BreakerLimits, RuleSets, SilentAfter};
use bellwether_live::metrics::Metrics;
use bellwether_tests::company::{START, subscription};
use bellwether_tests::world::{INPUT, PARTITIONS, World, journal_partition, rule_sets, source, store_in};
use tempfile::TempDir;

use crate::processing::{Restarting, assert_as_replayed, process};

/// The source of logins.
const AUTH: &str = "auth";
const CUSTOMERS: u64 = 6;
/// The one that leaves, and its last day.
const LEAVING: (u64, i64) = (5, 36);
/// The days without the source of logins; after as many again, but at most [`LISTENED_TO`], it counts as resumed.
const OUTAGE: std::ops::Range<i64> = 40..72;
/// The longest that a source is listened to, in days.
const LISTENED_TO: i64 = 30;
const DAYS: i64 = 112;

fn event(customer: u64, time: Time, what: &str, body: Body<'static>) -> Event<'static> {
    let id = Cow::Owned(format!("{what}-{customer}-{}", time.0));
    Event { time, source: Cow::Borrowed("/test"), id, customer: Cow::Owned(format!("c-{customer}")), traceparent: None, body }
}

/// What the two sources bring on a day: logins, and the rest. Who did not leave logs in every day, whether we hear of it or not.
fn day(day: i64) -> (Vec<Event<'static>>, Vec<Event<'static>>) {
    let at = |customer: u64| START.plus_ms(day * DAY_MS + (8 + customer as i64) * HOUR_MS);
    let (mut logins, mut others) = (Vec::new(), Vec::new());
    for customer in 0..CUSTOMERS {
        if !OUTAGE.contains(&day) && (customer != LEAVING.0 || day <= LEAVING.1) {
            logins.push(event(customer, at(customer), "login", Body::Login { user: Some(UserToken(customer)), ok: true }));
        }
        if day == 0 {
            others.push(event(customer, at(customer), "start", subscription(SubscriptionStep::Started, 50_000, 365)));
        }
    }
    let ticket = Cow::Owned(format!("t-{day}"));
    let body = Body::Ticket { step: TicketStep::Opened, ticket, channel: None, priority: None, topic: None };
    others.push(event(day as u64 % CUSTOMERS, at(0), "ticket", body));
    (logins, others)
}

/// The journal of all days, taken in day by day by two workers, the second of which starts anew now and then.
fn world(seed: u64, rule_sets: &Arc<RuleSets>, silent_after: SilentAfter) -> World {
    let world = World::new(seed, rule_sets);
    world.cluster.create_topic(AUTH, 2, TimestampType::CreateTime).expect("it is new");
    let start = |name: &str| {
        let sources = vec![source(AUTH, silent_after), source(INPUT, SilentAfter::Never)];
        world.ingest_from(name, 50, BreakerLimits::default(), sources).expect("it starts")
    };
    let (mut first, mut second) = (start("ingest-a"), start("ingest-b"));
    for number in 0..DAYS {
        let (logins, others) = day(number);
        world.produce_to(AUTH, 2, &logins);
        world.produce(&others);
        world.cluster.set_now_ms(START.0 + (number + 1) * DAY_MS);
        for _ in 0..12 {
            first.turn().expect("nothing fails");
            second.turn().expect("nothing fails");
            world.cluster.tick();
        }
        if number % 9 == 8 {
            drop(second);
            world.cluster.expire("ingest-b");
            second = start("ingest-b");
        }
    }
    world
}

/// The days on which signals of rules that look at the silence of users were raised, by customer.
fn raised(world: &World) -> Vec<(String, i64)> {
    let field = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("\"{name}\":\"")).expect("it is there");
        rest.split_once('"').expect("it ends").0.to_owned()
    };
    let is_one = |line: &&String| line.contains("signal.raised.v1") && line.contains("\"rule\":\"no-login-30d\"");
    let date = |day: i64| bellwether_codec::timestamp::format_time(START.plus_ms(day * DAY_MS));
    let day_of = |line: &str| (0..DAYS).filter(|day| date(*day) <= field(line, "time")).max().expect("it is within");
    world.published().iter().filter(is_one).map(|line| (field(line, "subject"), day_of(line))).collect()
}

/// How often the records of a type stand in the journal, all partitions together.
fn told(world: &World, name: &str) -> usize {
    let records = (0..PARTITIONS).flat_map(|number| world.records(&journal_partition(number)));
    let is_it = |record: &bellwether_kafka::memory::Record| {
        record.headers.iter().any(|(header, value)| header == "control" && value.as_deref() == Some(name.as_bytes()))
    };
    records.filter(is_it).count()
}

fn processed(world: &World, plan: Plan, context: &str) {
    world.cluster.set_plan(plan);
    let directory = TempDir::new().expect("a directory");
    let store = store_in(directory.path());
    process(world, &store, &mut [Restarting::new("a")], context);
    assert_as_replayed(world, &store, context);
}

#[test]
fn the_silence_of_a_source_is_no_customers() {
    let rule_sets = rule_sets();
    let heedless = world(1, &rule_sets, SilentAfter::Never);
    processed(&heedless, Plan::default(), "never");
    let everybody = raised(&heedless);
    assert!(everybody.len() >= CUSTOMERS as usize, "each customer would be taken to be inactive: {everybody:?}");
    assert_eq!(told(&heedless, "source.silent"), 0);

    let world = world(1, &rule_sets, SilentAfter::Auto);
    processed(&world, Plan::default(), "auto");
    let (customer, days) = (format!("c-{}", LEAVING.0), OUTAGE.end + (OUTAGE.end - OUTAGE.start).min(LISTENED_TO));
    assert!(told(&world, "source.silent") >= usize::from(PARTITIONS) && told(&world, "source.resumed") >= usize::from(PARTITIONS));
    let [(raised, day)] = &raised(&world)[..] else { panic!("one signal: {:?}", raised(&world)) };
    assert_eq!(*raised, customer);
    assert!((days - 1..=days + 1).contains(day), "raised on day {day}, when the source had resumed");
}

#[test]
fn metrics_tell_in_how_many_partitions_a_source_is_silent() {
    let world = world(1, &rule_sets(), SilentAfter::Auto);
    let directory = TempDir::new().expect("a directory");
    let (store, metrics) = (store_in(directory.path()), Arc::new(Metrics::new()));
    let mut worker = world.processor_with("a", &store, 5, &Arc::default(), &metrics).expect("it starts");
    let start = format!("bellwether_silent_source_partitions{{source=\"{AUTH}\"}} ");
    let mut told = Vec::new();
    for _ in 0..10_000 {
        worker.turn().expect("nothing fails");
        world.cluster.tick();
        told.extend(metrics.render().lines().find_map(|line| line.strip_prefix(&start)?.parse::<u16>().ok()));
        told.dedup();
        if world.is_processed() && told.last() == Some(&0) {
            break;
        }
    }
    assert_eq!((told.iter().max(), told.last()), (Some(&PARTITIONS), Some(&0)), "{told:?}");
}

#[test]
fn faults_change_nothing_about_it() {
    let rule_sets = rule_sets();
    let mut fired = 0;
    for seed in 0..12 {
        let world = world(seed, &rule_sets, SilentAfter::Auto);
        let faults = [Fault::Crash, Fault::LoseRequest, Fault::LoseResponse];
        processed(&world, Plan::seeded(seed, 15, &faults), &format!("seed {seed}, one step in 15 fails"));
        fired += world.cluster.fired().len();
    }
    assert!(fired > 40, "{fired} faults happened");
}
