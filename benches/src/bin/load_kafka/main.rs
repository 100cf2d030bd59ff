//! The load command beside a real Kafka on this machine: throughput, latency and restart, against the bare rates of the same client.

mod restart;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bellwether_benches::processor_time_of;
use bellwether_engine::event::{Body, CancellationStep, Currency, Event, SubscriptionStep, UserToken};
use bellwether_engine::time::Time;
use bellwether_kafka::{Batch, BrokerClient, BrokerOptions, Client, Polled, TopicPartition};
use bellwether_tests::broker::Broker;
use bellwether_tests::product::{INPUT_PARTITIONS, Product, Running};

/// Partitions of the journal.
const PARTITIONS: u16 = 12;
/// Customers of the throughput run.
const CUSTOMERS: u64 = 100_000;
/// Events of the throughput run: half a minute of them, so that what counts is the rate, and not the start of the process and of the broker.
const EVENTS: u64 = 3_000_000;
/// Events that are made and produced at once.
const PIECE: u64 = 500_000;
/// Workers of each role in the throughput runs.
const WORKERS: [usize; 2] = [1, 2];
/// Events a second of the latency run, and its length.
const RATE: u64 = 5_000;
const SECONDS: u64 = 20;
/// How long the latency run goes on before it is measured.
const WARM_UP: Duration = Duration::from_secs(6);
/// One event in so many is a visit to the cancellation page, which gives a signal at once.
const VISIT_EVERY: u64 = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    let broker = Broker::start();
    if is_wanted("throughput") {
        WORKERS.into_iter().try_for_each(|workers| throughput(&broker, workers))?;
    }
    if is_wanted("latency") {
        latency(&broker)?;
    }
    if is_wanted("restart") {
        restart::restart(&broker)?;
    }
    Ok(())
}

/// A backlog of logins, from raw topic to processed journal, against bare production and consumption of the same records.
fn throughput(broker: &Broker, workers: usize) -> Result<(), Box<dyn Error>> {
    let product = Product::new(broker.bootstrap(), &format!("throughput-{workers}"), PARTITIONS);
    product.create();
    let start = now().0 - 5 * 3_600_000;
    let mut producing = Duration::ZERO;
    for first in (0..EVENTS).step_by(PIECE as usize) {
        let events: Vec<Event<'static>> = (first..first + PIECE).map(|number| login(number, Time(start + (number / 200) as i64))).collect();
        let began = Instant::now();
        product.produce(&events);
        producing += began.elapsed();
    }
    println!("bare transactional production: {:.0} records/s", EVENTS as f64 / producing.as_secs_f64());
    let began = Instant::now();
    let read = product.read("events", u16::try_from(INPUT_PARTITIONS)?, |_| ()).len();
    println!("bare consumption: {:.0} records/s", rate(read as u64, began));
    let began = Instant::now();
    let instance = product.start("one", "all", workers);
    wait_until_processed(&product)?;
    println!(
        "ingest and process, --workers {workers}, {CUSTOMERS} customers, {PARTITIONS} partitions: {:.0} events/s (limit 100,000)",
        rate(EVENTS, began)
    );
    println!("  peak memory of the process: {} MiB", peak_memory_mib(&instance)?);
    println!("  processor time of the process: {:.1} us an event", processor_time_of(instance.id()).as_secs_f64() * 1e6 / EVENTS as f64);
    drop(instance);
    Ok(())
}

/// Events at a steady rate, and the time from each visit to the cancellation page to its signal, as a subscriber sees it.
fn latency(broker: &Broker) -> Result<(), Box<dyn Error>> {
    let product = Product::new(broker.bootstrap(), "latency", PARTITIONS);
    product.create();
    let visitors = RATE * SECONDS / VISIT_EVERY;
    let subscribed: Vec<Event<'static>> = (0..visitors).map(|number| subscription(number, now())).collect();
    product.produce(&subscribed);
    let instance = product.start("one", "all", 1);
    wait_until_processed(&product)?;
    let mut subscriber = client(&product, "subscriber", "subscriber", vec![product.topic("signals")])?;
    let (mut latencies, sent) = (Vec::new(), Sent::default());
    let producer = std::thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        let producing = scope.spawn(|| produce_steadily(&product, &sent));
        let began = Instant::now();
        let mut batch = Batch::default();
        while began.elapsed() < Duration::from_secs(SECONDS + 5) {
            batch.clear();
            if let Polled::Assigned(partitions) = subscriber.poll(&mut batch, 10_000, 1 << 24, Duration::from_millis(5))? {
                let starts: Vec<_> = partitions.into_iter().map(|at| (at, 0)).collect();
                subscriber.assign(&starts)?;
            }
            for record in batch.records() {
                let is_visit = record.value.is_some_and(|value| String::from_utf8_lossy(value).contains("cancel-page-visit"));
                let visited = record.key.filter(|_| is_visit && began.elapsed() > WARM_UP).and_then(|customer| sent.when(customer));
                latencies.extend(visited.map(|visited| now().since_ms(visited)));
            }
        }
        producing.join().map_err(|_| "the producer panicked")?;
        Ok(())
    });
    producer?;
    latencies.sort_unstable();
    let quantile = |share: f64| latencies.get((latencies.len() as f64 * share) as usize).copied().unwrap_or_default();
    println!(
        "raw record to committed signal at {RATE} events/s: p50 {} ms (limit 300), p99 {} ms (limit 1,000), over {} signals",
        quantile(0.5),
        quantile(0.99),
        latencies.len()
    );
    drop(instance);
    Ok(())
}

/// When each customer visited the cancellation page, which it does once. A signal is dated by journal time, which may be later.
#[derive(Default)]
struct Sent(Mutex<BTreeMap<Vec<u8>, Time>>);

impl Sent {
    fn note(&self, event: &Event<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(event.customer.as_bytes().to_vec(), event.time);
    }

    fn when(&self, customer: &[u8]) -> Option<Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(customer).copied()
    }
}

fn produce_steadily(product: &Product, sent: &Sent) {
    const PER_SECOND: u64 = 20;
    let mut producer = product.producer();
    let began = Instant::now();
    for step in 0..SECONDS * PER_SECOND {
        let due = Duration::from_millis(step * 1_000 / PER_SECOND);
        sleep(due.saturating_sub(began.elapsed()));
        let first = step * RATE / PER_SECOND;
        let events: Vec<Event<'static>> = (first..first + RATE / PER_SECOND)
            .map(|number| if number % VISIT_EVERY == 0 { visit(number / VISIT_EVERY, now()) } else { login(number, now()) })
            .collect();
        events.iter().filter(|event| matches!(event.body, Body::Cancellation { .. })).for_each(|event| sent.note(event));
        producer.produce(&events);
    }
}

fn wait_until_processed(product: &Product) -> Result<(), Box<dyn Error>> {
    let mut ingest = client(product, "watch-ingest", "ingest", Vec::new())?;
    let mut process = client(product, "watch-process", "process", Vec::new())?;
    let partitions =
        |topic: &str, count: u32| (0..count).map(|number| TopicPartition::new(product.topic(topic), number as i32)).collect::<Vec<_>>();
    loop {
        let taken_in = is_read(&mut ingest, &partitions("events", INPUT_PARTITIONS))?;
        if taken_in && is_read(&mut process, &partitions("journal", u32::from(PARTITIONS)))? {
            return Ok(());
        }
        sleep(Duration::from_millis(50));
    }
}

/// Whether a group has read these partitions, but for the mark of the last transaction.
fn is_read(client: &mut BrokerClient, partitions: &[TopicPartition]) -> Result<bool, Box<dyn Error>> {
    for (at, committed) in partitions.iter().zip(client.committed(partitions)?) {
        let (_, end) = client.bounds(at)?;
        if committed.is_none_or(|committed| committed.offset + 1 < end) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn client(product: &Product, name: &str, group: &str, subscription: Vec<String>) -> Result<BrokerClient, Box<dyn Error>> {
    let mut connection = product.connection();
    connection.properties = BTreeMap::from([("fetch.wait.max.ms".to_owned(), "10".to_owned())]);
    Ok(BrokerClient::new(BrokerOptions {
        connection,
        group_id: format!("{}-{group}", product.application),
        group_instance_id: None,
        transactional_id: format!("{}-{name}", product.application),
        subscription,
    })?)
}

fn login(number: u64, time: Time) -> Event<'static> {
    let customer = number.wrapping_mul(611_953) % CUSTOMERS;
    event(format!("l{number}"), format!("customer-{customer}"), time, Body::Login { user: Some(UserToken(number % 3)), ok: true })
}

fn subscription(number: u64, time: Time) -> Event<'static> {
    let body = Body::Subscription {
        step: SubscriptionStep::Started,
        subscription: "s".into(),
        plan: None,
        mrr_minor: Some(10_000),
        currency: Some(Currency(*b"EUR")),
        seats: None,
        period_end: None,
        trial: None,
        reason: None,
    };
    event(format!("s{number}"), format!("visitor-{number}"), time, body)
}

fn visit(number: u64, time: Time) -> Event<'static> {
    let body = Body::Cancellation { step: CancellationStep::Viewed, user: None, reason: None, effective: None };
    event(format!("v{number}"), format!("visitor-{number}"), time, body)
}

fn event(id: String, customer: String, time: Time, body: Body<'static>) -> Event<'static> {
    Event { time, source: "/bench".into(), id: id.into(), customer: customer.into(), traceparent: None, body }
}

fn now() -> Time {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(since_epoch.as_millis() as i64)
}

fn rate(count: u64, began: Instant) -> f64 {
    count as f64 / began.elapsed().as_secs_f64()
}

fn peak_memory_mib(instance: &Running) -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", instance.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak memory")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? / 1_024)
}
