//! Alerts about processing that is behind: records that wait for hours, and workers that commit nothing.

use std::fmt::Write as _;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use bellwether_codec::journal::{CONTROL_HEADER, Control, WATERMARK_HEADER};
use bellwether_engine::time::HOUR_MS;
use bellwether_tests::broker::{Broker, tool};
use bellwether_tests::product::Product;
use ring::digest::{SHA256, digest};

use crate::beside_kafka::{configuration, now, start};
use crate::driven::{hastier_rules, wait_for_alert, wait_for_silence};
use crate::hand::Hand;
use crate::prometheus::{Prometheus, free_address};

const JOB: &str = "bellwether-behind";
const TOKEN: &str = "admin-5b83ce";

/// Writes until the first one that keeps its date, at most.
const MOST_WRITES: u32 = 100;

/// Where the workers of an instance are paused.
struct Console(String);

impl Console {
    fn set_paused(&self, is_paused: bool) {
        let action = if is_paused { "pause" } else { "resume" };
        let url = format!("http://{}/v1/admin/{action}?role=process", self.0);
        let answered = ureq::post(&url).header("authorization", &format!("Bearer {TOKEN}")).send_empty();
        assert_eq!(answered.unwrap_or_else(|error| panic!("{url}: {error}")).status(), 200);
    }

    fn settings(&self) -> String {
        let mut hash = String::new();
        digest(&SHA256, TOKEN.as_bytes()).as_ref().iter().for_each(|byte| write!(hash, "{byte:02x}").expect("text takes text"));
        format!("console:\n  address: {}\n  admin_tokens_sha256: [\"{hash}\"]\n", self.0)
    }
}

/// Says who dates what is written to the journal from now on: the broker, or who writes it.
fn date(broker: &Broker, product: &Product, by: &str) {
    let setting = format!("message.timestamp.type={by}");
    broker
        .tool(tool::CONFIGS, &["--alter", "--entity-type", "topics", "--entity-name", &product.topic("journal"), "--add-config", &setting]);
}

#[test]
fn workers_that_somebody_has_paused_fire_their_alerts() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let broker = Broker::shared();
    let product = Product::new(broker.bootstrap(), "behind", 1);
    product.create();
    let [of_process, of_ingest] = [free_address(), free_address()];
    let console = Console(free_address());
    let path = configuration(&product, "process", &of_process);
    let text = fs::read_to_string(&path).expect("it was written");
    fs::write(&path, text + &console.settings()).expect("it can be written");
    let process = product.start_with(&path, "process", "process", 1);
    let prometheus = Prometheus::of_jobs(&[(JOB, &format!("{of_process}, {of_ingest}"))], &hastier_rules(directory.path()));

    // As after an outage of two hours: what is in the journal was dated then, and nothing new comes in.
    date(broker, &product, "CreateTime");
    let then = now().plus_ms(-2 * HOUR_MS);
    let watermark = then.0.to_string();
    let headers = [(WATERMARK_HEADER, watermark.as_bytes()), (CONTROL_HEADER, Control::Tick.name().as_bytes())];
    let mut hand = Hand::of(&product);
    let mut write = || hand.produce(&product.topic("journal"), 50, 1, &Control::Tick.encode(), &headers, Some(then.0));
    // The broker changes its mind some time after it was told to.
    let is_dated = || product.read("journal", 1, |record| record.timestamp_ms).last() == Some(&Some(then.0));
    assert!(
        (0..MOST_WRITES).any(|_| {
            write();
            is_dated()
        }),
        "records keep their own dates"
    );
    let committed = format!("sum(bellwether_transactions_total{{job=\"{JOB}\", role=\"process\", outcome=\"committed\"}}) > 0");
    prometheus.wait_for(&committed, |found| found.len() == 1);
    // What is left is the mark of the transaction, which is nothing to wait for.
    prometheus.wait_for(&format!("sum(bellwether_journal_lag_records{{job=\"{JOB}\"}})"), |found| found == [1.0]);
    prometheus.wait_for(&format!("sum(bellwether_journal_lag_seconds{{job=\"{JOB}\"}})"), |found| found == [0.0]);
    wait_for_silence(&prometheus, JOB, "BellwetherJournalLag");
    console.set_paused(true);
    // A worker pauses with its next turn, so what comes at once may still be processed.
    let is_behind = |lag: f64| lag > 1.0;
    let lag = format!("sum(bellwether_journal_lag_records{{job=\"{JOB}\"}})");
    assert!(
        (0..MOST_WRITES).any(|_| {
            write();
            sleep(Duration::from_secs(2));
            prometheus.query(&lag).is_ok_and(|found| found.into_iter().any(is_behind))
        }),
        "records wait"
    );
    date(broker, &product, "LogAppendTime");
    for name in ["BellwetherJournalLag", "BellwetherJournalLagLong"] {
        wait_for_alert(&prometheus, JOB, name);
    }
    console.set_paused(false);
    for name in ["BellwetherJournalLag", "BellwetherJournalLagLong"] {
        wait_for_silence(&prometheus, JOB, name);
    }

    // Both workers commit at least each second, as time passes; then one of them does no longer.
    let ingest = start(&product, "ingest", "ingest", &of_ingest);
    prometheus.wait_for(&format!("count(bellwether_last_commit_timestamp_seconds{{job=\"{JOB}\"}})"), |found| found == [2.0]);
    wait_for_silence(&prometheus, JOB, "BellwetherNoCommits");
    console.set_paused(true);
    wait_for_alert(&prometheus, JOB, "BellwetherNoCommits");
    let alerts = prometheus.series("count by (alertname, role) (ALERTS{alertname=\"BellwetherNoCommits\"})").expect("it is an expression");
    assert_eq!(alerts.keys().collect::<Vec<_>>(), ["{\"alertname\":\"BellwetherNoCommits\",\"role\":\"process\"}"]);
    console.set_paused(false);
    wait_for_silence(&prometheus, JOB, "BellwetherNoCommits");
    assert_eq!([process.stop(), ingest.stop()], [Some(0); 2]);
}
