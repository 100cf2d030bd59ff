//! A killed process: how long until the next new signal is committed, with its disk and without, while events go on.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use bellwether_benches::scraping::{scrapes, size, spread};
use bellwether_codec::timestamp::parse_time;
use bellwether_engine::event::Event;
use bellwether_engine::time::Time;
use bellwether_kafka::{Batch, BrokerClient, Client, Polled};
use bellwether_tests::broker::Broker;
use bellwether_tests::product::Product;

use crate::{PARTITIONS, client, now, peak_memory_mib, rate, subscription, visit, wait_until_processed};

/// Customers in state.
const CUSTOMERS: u64 = 1_000_000;
/// Customers whose subscription is produced at once, so that few events are in memory.
const PIECE: u64 = 100_000;
/// How often somebody visits the cancellation page, which gives a signal at once.
const VISIT_INTERVAL: Duration = Duration::from_millis(20);
/// How long a part may take before it has failed.
const PATIENCE: Duration = Duration::from_secs(300);

/// Requests of `/metrics` that are measured.
const SCRAPES: usize = 100;

/// Fills the state, waits until each partition has a snapshot that is not old, and kills the process twice.
pub fn restart(broker: &Broker) -> Result<(), Box<dyn Error>> {
    let mut product = Product::new(broker.bootstrap(), "restart", PARTITIONS);
    let snapshots = product.directory.path().join("snapshots");
    product.more_settings = format!("  snapshots: {{ to: {}, every: 20s, keep: 2 }}\n", snapshots.display());
    product.create();
    let began = Instant::now();
    let mut instance = product.start("one", "all", 1);
    for first in (0..CUSTOMERS).step_by(PIECE as usize) {
        let events: Vec<Event<'static>> = (first..first + PIECE).map(|number| subscription(number, now())).collect();
        product.produce(&events);
    }
    wait_until_processed(&product)?;
    println!("{CUSTOMERS} customers in state: {:.0} events/s", rate(CUSTOMERS, began));
    println!("  GET /metrics at rest: {} (limit 50 ms)", scraped(&product)?);
    let filled = Instant::now();
    while manifests(&snapshots)? < 2 * usize::from(PARTITIONS) {
        if filled.elapsed() > PATIENCE {
            return Err("no snapshots were taken".into());
        }
        sleep(Duration::from_millis(500));
    }
    println!("  two snapshots of each partition after {:.0} s", filled.elapsed().as_secs_f64());
    let mut subscriber = client(&product, "subscriber", "subscriber", vec![product.topic("signals")])?;
    let over = AtomicBool::new(false);
    scope(|scope| -> Result<(), Box<dyn Error>> {
        let _over = SetOnDrop(&over);
        scope.spawn(|| visit_steadily(&product, &over));
        first_signal_since(&mut subscriber, now())?;
        println!("  GET /metrics while events come: {} (limit 50 ms)", scraped(&product)?);
        for (what, limit, keeps_its_data) in [("its disk", 10, true), ("an empty disk and a snapshot", 60, false)] {
            println!("  peak memory of the process that is killed: {} MiB", peak_memory_mib(&instance)?);
            let killed = now();
            instance.kill();
            if !keeps_its_data {
                fs::remove_dir_all(product.data("one"))?;
            }
            instance = product.start("one", "all", 1);
            let took_ms = first_signal_since(&mut subscriber, killed)?.since_ms(killed);
            println!("kill -9 to the first new signal, {CUSTOMERS} customers, {what}: {:.1} s (limit {limit})", took_ms as f64 / 1e3);
            let restored = fs::read_to_string(product.log("one"))?.matches("restored from a snapshot").count();
            println!("  partitions that have come from snapshots so far: {restored}");
        }
        println!("  peak memory of the process that came back: {} MiB", peak_memory_mib(&instance)?);
        Ok(())
    })
}

/// How long `/metrics` takes, and its size. Partitions that are told were processed to the end.
fn scraped(product: &Product) -> Result<String, Box<dyn Error>> {
    let log = fs::read_to_string(product.log("one"))?;
    let address = log.lines().rev().find_map(|line| line.trim().strip_prefix("metrics are at http://")).ok_or("it tells its address")?;
    let (times, answer) = scrapes(address.trim_end_matches("/metrics"), SCRAPES)?;
    if !answer.contains(&format!("bellwether_customers {CUSTOMERS}\n")) {
        return Err("it does not tell of all customers".into());
    }
    Ok(format!("{}; {}", spread(times), size(&answer)))
}

/// Ends the producing thread, however the measuring ends.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One customer after the other visits the cancellation page.
fn visit_steadily(product: &Product, over: &AtomicBool) {
    let mut producer = product.producer();
    for number in 0..CUSTOMERS {
        if over.load(Ordering::Relaxed) {
            return;
        }
        producer.produce(&[visit(number, now())]);
        sleep(VISIT_INTERVAL);
    }
}

/// When a subscriber sees the first signal of an event that happened after a time.
fn first_signal_since(subscriber: &mut BrokerClient, since: Time) -> Result<Time, Box<dyn Error>> {
    let (began, mut batch) = (Instant::now(), Batch::default());
    while began.elapsed() < PATIENCE {
        batch.clear();
        if let Polled::Assigned(partitions) = subscriber.poll(&mut batch, 10_000, 1 << 24, Duration::from_millis(5))? {
            let starts: Vec<_> = partitions.into_iter().map(|at| (at, 0)).collect();
            subscriber.assign(&starts)?;
        }
        let raised = |record: bellwether_kafka::Received<'_>| parse_time(std::str::from_utf8(record.header("ce_time")?).ok()?).ok();
        if batch.records().filter_map(raised).any(|raised| raised > since) {
            return Ok(now());
        }
    }
    Err("no new signal comes".into())
}

/// Snapshots that are whole.
fn manifests(directory: &Path) -> std::io::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        count += if path.is_dir() { manifests(&path)? } else { usize::from(path.extension().is_some_and(|ending| ending == "json")) };
    }
    Ok(count)
}
