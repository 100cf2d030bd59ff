//! The alert about records that panic the fold: the product's own loop, with a fold that is told to panic at an event, and its metrics.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use axum::Router;
use axum::routing::get;
use bellwether_codec::event::{Decoder, encode_event};
use bellwether_codec::intake::InputSpec;
use bellwether_codec::rules::RuleFile;
use bellwether_engine::event::Event;
use bellwether_live::embedded;
use bellwether_live::metrics::Metrics;
use bellwether_live::options::{BatchLimits, EmbeddedOptions, LEAST_MEMORY_BYTES, SignalsTarget};
use bellwether_tests::company::company;
use tempfile::TempDir;

use crate::driven::{hasty_rules, wait_for_alert, wait_for_silence};
use crate::prometheus::Prometheus;
use crate::weeks::no_poisoned_records;

const JOB: &str = "bellwether-poisoned";

/// Serves metrics as the binary does, until the test ends.
fn serve(metrics: Arc<Metrics>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.set_nonblocking(true).expect("it can be set");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        runtime.block_on(async {
            let routes = Router::new().route("/metrics", get(async move || metrics.render()));
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener is one");
            axum::serve(listener, routes).await.expect("it serves");
        });
    });
    address
}

/// A run over a company, whose fold panics at this event, if at any. Rules in files cannot say so.
fn options(directory: &TempDir, poison: Option<u64>) -> EmbeddedOptions {
    EmbeddedOptions {
        inputs: vec![InputSpec::from(directory.path().join("events.jsonl").as_path())],
        data: directory.path().join("data"),
        signals: SignalsTarget::File(directory.path().join("signals.jsonl")),
        kpis: None,
        partitions: Some(1),
        decoder: Decoder::default(),
        rules_text: include_str!("../../../deploy/rules/default.yaml").to_owned(),
        compile_rules: Arc::new(move |text, number| {
            let mut file = RuleFile::parse("rules.yaml", text).unwrap_or_else(|errors| panic!("{errors}"));
            file.settings.poison.event = poison;
            Ok(file.rule_set(number))
        }),
        new_journal_id: "test".to_owned(),
        pseudonym_key_id: 1,
        once: true,
        ingest_clock: || None,
        limits: BatchLimits { records: 500, reviews: 100 },
        memory_bytes: LEAST_MEMORY_BYTES,
    }
}

#[test]
fn a_record_that_panics_the_fold_fires_its_alert() {
    let [rules, directory] = [(); 2].map(|()| tempfile::tempdir().expect("a temporary directory"));
    let events = company(43, 20, 100);
    let (first, second) = events.split_at(events.len() / 2);
    let poison = second[second.len() / 2].identity();
    let write = |events: &[Event<'_>]| {
        let mut text = Vec::new();
        for event in events {
            encode_event(event, &mut text);
            text.push(b'\n');
        }
        fs::write(directory.path().join("events.jsonl"), text).expect("it can be written");
    };
    let metrics = Arc::new(Metrics::new());
    let run = || embedded::run(options(&directory, Some(poison)), metrics.clone(), &AtomicBool::new(false), |_| {});
    write(first);
    let before = run().expect("the run ends well");
    assert_eq!((before.poisoned, before.events > 100), (0, true));
    let address = serve(metrics.clone());
    let prometheus = Prometheus::with_history(&[(JOB, &address.to_string())], &hasty_rules(rules.path()), &no_poisoned_records(JOB));
    let told = format!("sum(bellwether_poisoned_records{{job=\"{JOB}\"}})");
    prometheus.wait_for(&told, |found| found == [0.0]);
    wait_for_silence(&prometheus, JOB, "BellwetherPoisonedRecords");

    write(&events);
    assert_eq!(run().expect("the run ends well").poisoned, 1, "the fault fired");
    prometheus.wait_for(&told, |found| found == [1.0]);
    wait_for_alert(&prometheus, JOB, "BellwetherPoisonedRecords");
}
