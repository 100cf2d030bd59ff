//! The forwarding of signals, watched: what panels show of it is what receivers have seen, and its faults fire their alerts.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use axum::Router;
use axum::http::{StatusCode, Uri};
use bellwether_engine::time::HOUR_MS;
use bellwether_tests::broker::Broker;
use bellwether_tests::product::{Product, binary};
use tempfile::TempDir;

use crate::beside_kafka::now;
use crate::dashboards::targets;
use crate::driven::{hastier_rules, hasty_rules, wait_for_alert, wait_for_silence};
use crate::hand::Hand;
use crate::panels::check_offers;
use crate::prometheus::{Prometheus, check_metrics, free_address, scraped};

const JOB: &str = "bellwether-forward";

/// Signals that there are at first, and of how many of them each route takes.
const SIGNALS: usize = 30;

/// A server that counts what it takes; it may refuse what comes to `/sales`, and may not be able to take anything for a while.
#[derive(Clone, Default)]
struct Receiver {
    taken: Arc<AtomicUsize>,
    refuses: Arc<AtomicBool>,
    is_busy: Arc<AtomicBool>,
}

impl Receiver {
    fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("it can be set");
        let address = listener.local_addr().expect("it is bound");
        let this = self.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
            runtime.block_on(async {
                let routes = Router::new().fallback(move |uri: Uri| {
                    let status = this.answer(uri.path());
                    async move { status }
                });
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener is one");
                axum::serve(listener, routes).await.expect("it serves");
            });
        });
        address
    }

    fn answer(&self, path: &str) -> StatusCode {
        if path == "/sales" && self.refuses.load(Ordering::Relaxed) {
            return StatusCode::GONE;
        }
        if self.is_busy.load(Ordering::Relaxed) {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        StatusCode::OK
    }

    fn taken(&self) -> f64 {
        self.taken.load(Ordering::Relaxed) as f64
    }
}

/// A forwarding; it is killed when it is dropped.
struct Forwarding(Child);

impl Forwarding {
    fn start(configuration: &Path, metrics: &str) -> Self {
        let mut command = binary();
        command.args(["forward", "--metrics", metrics, "--config"]).arg(configuration);
        Self(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts"))
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// To a receiver all signals, and to `/sales` upsells alone; and to nobody.
fn configuration(directory: &TempDir, receiver: SocketAddr, nobody: &str) -> PathBuf {
    let path = directory.path().join("bellwether.yaml");
    let text = format!(
        "data: {}\nforward:\n  signals: {}\n  routes:\n    - {{ name: crm, url: \"http://{receiver}/crm\" }}\n    - {{ name: sales, url: \"http://{receiver}/sales\", kinds: [upsell] }}\n    - {{ name: closed, url: \"http://{nobody}/\", attempts: 100, longest_wait: 2s }}\n",
        directory.path().join("data").display(),
        signals(directory).display()
    );
    fs::write(&path, text).expect("it can be written");
    path
}

fn signals(directory: &TempDir) -> PathBuf {
    directory.path().join("signals.jsonl")
}

/// Adds signals to the file, each third an upsell.
fn append(directory: &TempDir, numbers: std::ops::Range<usize>) {
    use std::io::Write as _;
    let mut file = fs::File::options().create(true).append(true).open(signals(directory)).expect("it can be opened");
    for number in numbers {
        let kind = if number.is_multiple_of(3) { "upsell" } else { "at_risk" };
        writeln!(
            file,
            r#"{{"specversion":"1.0","id":"{number:032x}","source":"/bellwether","type":"bellwether.signal.raised.v1","subject":"c-{number}","time":"2026-03-01T00:00:00Z","datacontenttype":"application/json","data":{{"kind":"{kind}","rule":"rule-{kind}","object":"","severity":"warning","owner":null}}}}"#
        )
        .expect("it can be written");
    }
}

/// Waits until a panel's sum is this.
#[track_caller]
fn wait_for_panel(prometheus: &Prometheus, panel: &str, legend: &str, value: f64) {
    let all = targets();
    let target = all.iter().find(|target| target.panel == panel && target.legend == legend);
    let expression = target.unwrap_or_else(|| panic!("no panel {panel} with {legend}")).of("bellwether", "EUR");
    prometheus.wait_for(&expression, |found| !found.is_empty() && (found.iter().sum::<f64>() - value).abs() < 1e-9);
}

#[test]
fn panels_show_what_receivers_have_seen_and_faults_fire_their_alerts() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let receiver = Receiver::default();
    let configuration = configuration(&directory, receiver.start(), &free_address());
    append(&directory, 0..SIGNALS);
    let address = free_address();
    let forwarding = Forwarding::start(&configuration, &address);
    let prometheus = Prometheus::of_jobs(&[(JOB, &address)], &hasty_rules(directory.path()));

    // One route has all, and one the upsells.
    let upsells = SIGNALS / 3;
    let of_all = |panel: &str, value: usize| wait_for_panel(&prometheus, panel, "messages", value as f64);
    of_all("Messages delivered", SIGNALS + upsells);
    assert_eq!(receiver.taken(), (SIGNALS + upsells) as f64);
    wait_for_panel(&prometheus, "Signals left out by filters", "signals", (SIGNALS - upsells) as f64);
    // The route to nobody waits with all of them.
    wait_for_panel(&prometheus, "Signals on their way", "signals", SIGNALS as f64);
    wait_for_panel(&prometheus, "Signals on their way, by route", "{{route}}", SIGNALS as f64);
    wait_for_panel(&prometheus, "Forwarding up", "up", 1.0);
    of_all("Messages dead", 0);
    wait_for_alert(&prometheus, JOB, "BellwetherForwardFailing");
    let firing = format!("ALERTS{{job=\"{JOB}\", alertstate=\"firing\"}}");
    let routes = prometheus.series(&format!("count by (alertname, route) ({firing})")).expect("it is an expression");
    let only = "{\"alertname\":\"BellwetherForwardFailing\",\"route\":\"closed\"}";
    assert_eq!(routes.keys().collect::<Vec<_>>(), [only]);

    receiver.refuses.store(true, Ordering::Relaxed);
    append(&directory, SIGNALS..SIGNALS + 6);
    of_all("Messages dead", 2);
    of_all("Messages delivered", SIGNALS + upsells + 6);
    assert_eq!(receiver.taken(), (SIGNALS + upsells + 6) as f64);
    wait_for_alert(&prometheus, JOB, "BellwetherForwardDeadLetters");
    wait_for_panel(
        &prometheus,
        "Bytes of the file not forwarded, by route",
        "{{route}}",
        fs::metadata(signals(&directory)).expect("it is there").len() as f64,
    );
    // Of a topic there is nothing to tell here; [`a_topic_that_a_receiver_leaves_behind_fires_its_alert`] looks at that.
    let is_of_file = |expression: &str| !expression.contains("_lag_records") && !expression.contains("_lag_seconds");
    for target in targets().iter().filter(|target| target.expression.contains("$forward") && is_of_file(&target.expression)) {
        let found = prometheus.query(&target.of("bellwether", "EUR"));
        assert!(found.as_ref().is_ok_and(|values| !values.is_empty()), "{}: {found:?}", target.panel);
    }
    check_offers(&prometheus, true, JOB);
    check_metrics(&scraped(&address));

    drop(forwarding);
    wait_for_alert(&prometheus, JOB, "BellwetherForwardDown");
    wait_for_panel(&prometheus, "Forwarding up", "up", 0.0);
}

#[test]
fn a_receiver_that_is_busy_for_long_fires_its_alert() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let receiver = Receiver::default();
    let path = directory.path().join("bellwether.yaml");
    let text = format!(
        "data: {}\nforward:\n  signals: {}\n  routes:\n    - {{ name: crm, url: \"http://{}/crm\", attempts: 100, longest_wait: 1s }}\n",
        directory.path().join("data").display(),
        signals(&directory).display(),
        receiver.start()
    );
    fs::write(&path, text).expect("it can be written");
    append(&directory, 0..SIGNALS);
    let address = free_address();
    let _forwarding = Forwarding::start(&path, &address);
    let prometheus = Prometheus::of_jobs(&[(JOB, &address)], &hastier_rules(directory.path()));
    wait_for_panel(&prometheus, "Messages delivered", "messages", SIGNALS as f64);
    wait_for_silence(&prometheus, JOB, "BellwetherForwardLate");

    receiver.is_busy.store(true, Ordering::Relaxed);
    append(&directory, SIGNALS..SIGNALS + 1);
    wait_for_alert(&prometheus, JOB, "BellwetherForwardLate");
    assert_eq!(receiver.taken(), SIGNALS as f64);
    receiver.is_busy.store(false, Ordering::Relaxed);
    wait_for_silence(&prometheus, JOB, "BellwetherForwardLate");
    wait_for_panel(&prometheus, "Messages delivered", "messages", (SIGNALS + 1) as f64);
}

#[test]
fn a_topic_that_a_receiver_leaves_behind_fires_its_alert() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let receiver = Receiver::default();
    let mut product = Product::new(Broker::shared().bootstrap(), "left-behind", 1);
    product.create();
    product.more_settings =
        format!("forward:\n  routes:\n    - {{ name: crm, url: \"http://{}/crm\", attempts: 100, longest_wait: 3s }}\n", receiver.start());
    let mut hand = Hand::of(&product);
    let headers: [(&str, &[u8]); 7] = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", b"0123456789abcdef0123456789abcdef"),
        ("ce_source", b"/bellwether"),
        ("ce_type", b"bellwether.signal.raised.v1"),
        ("ce_subject", b"c-1"),
        ("ce_time", b"2026-03-01T00:00:00Z"),
    ];
    let data = br#"{"kind":"at_risk","rule":"rule","object":"","severity":"warning","owner":null}"#;
    let mut write = || hand.produce(&product.topic("signals"), 3, 1, data, &headers, Some(now().plus_ms(-2 * HOUR_MS).0));
    write();
    let address = free_address();
    let _forwarding = Forwarding::start(&product.configuration("forward"), &address);
    let prometheus = Prometheus::of_jobs(&[(JOB, &address)], &hasty_rules(directory.path()));
    wait_for_panel(&prometheus, "Messages delivered", "messages", 3.0);
    let left = |offsets: f64| wait_for_panel(&prometheus, "Records not forwarded, by route", "{{route}}", offsets);
    left(0.0);
    wait_for_panel(&prometheus, "Behind the topic, by route", "{{route}}", 0.0);
    wait_for_silence(&prometheus, JOB, "BellwetherForwardBehind");

    receiver.is_busy.store(true, Ordering::Relaxed);
    write();
    // Three signals, and the mark of their transaction.
    left(4.0);
    wait_for_alert(&prometheus, JOB, "BellwetherForwardBehind");
    receiver.is_busy.store(false, Ordering::Relaxed);
    wait_for_silence(&prometheus, JOB, "BellwetherForwardBehind");
    wait_for_panel(&prometheus, "Messages delivered", "messages", 6.0);
    left(0.0);
}
