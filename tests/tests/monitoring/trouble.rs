//! Alerts about the disk and the transactions: a file system that is full, and two instances under one name.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bellwether_engine::event::{Body, Event};
use bellwether_tests::broker::Broker;
use bellwether_tests::product::{Product, Running};

use crate::beside_kafka::{company_of_today, configuration, start};
use crate::driven::{hasty_rules, wait_for_alert, wait_for_silence};
use crate::prometheus::{Prometheus, free_address};
use crate::weeks::no_red_customers;

/// So many customers more than a log of RocksDB has room for, which takes its space beforehand.
const NEWCOMERS: usize = 60_000;

/// An account each, at the time of the last of these events.
fn newcomers(events: &[Event<'static>]) -> Vec<Event<'static>> {
    let account = events.iter().find(|event| matches!(event.body, Body::Account { .. })).expect("somebody has an account");
    let time = events.last().expect("something happens").time;
    let newcomer = |number: usize| {
        let customer = format!("new-{number}");
        Event { time, id: customer.clone().into(), customer: customer.into(), ..account.clone() }
    };
    (0..NEWCOMERS).map(newcomer).collect()
}

/// A file that takes all that is left of the disk of an instance; it is there until this is dropped.
struct Filler(PathBuf);

impl Filler {
    fn of(product: &Product, instance: &str, running: &Running) -> Self {
        let data = product.data(instance);
        let seen = PathBuf::from(format!("/proc/{}/root", running.id())).join(data.strip_prefix("/").expect("it is absolute"));
        let path = seen.join("filler");
        let mut file = File::create(&path).expect("it can be made");
        let mut bytes = vec![1; 1 << 20];
        while !bytes.is_empty() {
            if file.write_all(&bytes).is_err() {
                bytes.truncate(bytes.len() / 2);
            }
        }
        Self(path)
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.0);
    }
}

/// A node exporter that sees the file systems an instance sees; it is killed when it is dropped.
struct NodeExporter(Child);

impl NodeExporter {
    fn beside(instance: &Running, directory: &Path, address: &str) -> Self {
        // It reads the mounts of the first process, unless it finds other ones in its place.
        std::os::unix::fs::symlink("/proc/self", directory.join("1")).expect("it can be made");
        let id = instance.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["--target", &id, "--user", "--mount", "--preserve-credentials", "prometheus-node-exporter"]);
        command.args(["--collector.disable-defaults", "--collector.filesystem", "--web.listen-address", address, "--path.procfs"]);
        let child = command.arg(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.expect("nsenter starts"))
    }
}

impl Drop for NodeExporter {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Replaces a part of a configuration.
fn change(configuration: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(configuration).expect("it was written");
    assert!(text.contains(from));
    fs::write(configuration, text.replace(from, to)).expect("it can be written");
}

#[test]
fn a_full_disk_and_red_customers_fire_their_alerts() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let product = Product::new(Broker::shared().bootstrap(), "full", 1);
    product.create();
    let address = free_address();
    let configuration = configuration(&product, "one", &address);
    // Small buffers: soon something has to be written.
    change(&configuration, "kafka:\n", "memory: 256MiB\nkafka:\n");
    let instance = product.start_on_small_disk(&configuration, "one", "96m");
    let history = no_red_customers("bellwether");
    let of_node = free_address();
    let _exporter = NodeExporter::beside(&instance, directory.path(), &of_node);
    let jobs = [("bellwether", address.as_str()), ("node", &of_node)];
    let prometheus = Prometheus::with_history(&jobs, &hasty_rules(directory.path()), &history);
    let events = company_of_today(61, 60, 150);
    let taken_in = |count: usize| prometheus.wait_for("sum(bellwether_events_total{job=\"bellwether\"})", |found| found == [count as f64]);
    product.produce(&events);
    taken_in(events.len());
    wait_for_alert(&prometheus, "bellwether", "BellwetherHealthFell");
    wait_for_alert(&prometheus, "bellwether", "BellwetherRedCustomersAboveTarget");
    let disk_full = "bellwether_state_events_total{event=\"disk_full\"} > 0";
    assert_eq!(prometheus.query(disk_full), Ok(Vec::new()));
    let disk = format!("node_filesystem_size_bytes{{mountpoint=\"{}\"}}", product.data("one").display());
    // `make setup` installs the exporter (Debian's package `prometheus-node-exporter`).
    prometheus.wait_for(&disk, |found| found == [f64::from(96 << 20)]);
    wait_for_silence(&prometheus, "node", "BellwetherDiskFilling");

    let filler = Filler::of(&product, "one", &instance);
    let newcomers = newcomers(&events);
    product.produce(&newcomers);
    wait_for_alert(&prometheus, "bellwether", "BellwetherDiskFull");
    wait_for_alert(&prometheus, "node", "BellwetherDiskFilling");
    drop(filler);
    taken_in(events.len() + newcomers.len());
    prometheus.wait_for("sum(bellwether_customers{job=\"bellwether\"})", |found| found == [(60 + NEWCOMERS) as f64]);
    assert_eq!(instance.stop(), Some(0));
}

#[test]
fn two_instances_under_one_name_fire_their_alert() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let product = Product::new(Broker::shared().bootstrap(), "twins", 2);
    product.create();
    let addresses = [free_address(), free_address()];
    let one = start(&product, "one", "all", &addresses[0]);
    let prometheus = Prometheus::of_jobs(&[("bellwether", &addresses.join(", "))], &hasty_rules(directory.path()));
    prometheus.wait_for("sum(bellwether_transactions_total{outcome=\"committed\"}) > 5", |found| found.len() == 1);
    let failing = "ALERTS{alertname=\"BellwetherTransactionsFail\"}";
    assert_eq!(prometheus.query(failing), Ok(Vec::new()), "alone it has no trouble");

    let twin = configuration(&product, "two", &addresses[1]);
    change(&twin, "instance: two\n", "instance: one\n");
    let two = product.start_with(&twin, "two", "all", 1);
    wait_for_alert(&prometheus, "bellwether", "BellwetherTransactionsFail");
    drop((one, two));
}
