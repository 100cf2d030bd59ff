//! Events over HTTP: taken in as a whole or not at all, answered when the journal has them, and the same after a kill.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use bellwether_tests::product::{binary, succeeded};
use serde_json::{Value, json};

use crate::support::{ADMIN, READ, Run, WRITE, event, get, post_with, with_tokens};

fn logins(customer: &str, count: u32) -> Vec<Value> {
    (0..count).map(|id| event(customer, id, "login", 3, json!({ "user": format!("u{id}") }))).collect()
}

/// When the run has come to take events.
fn open(run: &Run) {
    run.wait_for("the end of the files", || (run.send(&[]).status == 200).then_some(()));
    run.wait_for("an open queue", || {
        let answer = run.send(&[event("opening", 1, "login", 1, json!({}))]);
        assert!(answer.status == 200 || answer.problem(503) == "reading-files", "{answer:?}");
        (answer.status == 200).then_some(())
    });
}

#[test]
fn what_is_answered_is_in_the_journal_also_after_a_kill() {
    let run = Run::empty("");
    open(&run);
    let answer = run.send(&logins("c-1", 40));
    assert_eq!((answer.status, answer.json()["events"].as_u64()), (200, Some(40)));
    let single = event("c-2", 1, "account.created", 5, json!({ "owner": "ann" })).to_string();
    for media in ["application/cloudevents+json", "application/json; charset=utf-8"] {
        assert_eq!(run.post("/v1/events", Some(WRITE), media, single.as_bytes()).status, 200);
    }
    assert_eq!(run.read("/v1/customers/c-2").json()["owner"], "ann");
    // Dropped without a word: the next run goes on with what was committed.
    let directory = tempfile::TempDir::with_prefix("bellwether-console-").expect("a temporary directory");
    let data = directory.path().join("data");
    let killed = run.path("data");
    let id = run.id().to_string();
    succeeded(&Command::new("kill").args(["-KILL", &id]).output().expect("kill runs"));
    run.wait_for("its end", || fs::File::open(killed.join("state/LOCK")).ok());
    fs::rename(&killed, &data).expect("the data directory can be moved");
    drop(run);
    let run = Run::start(directory, &with_tokens(), &[]);
    let customer = run.wait_for("the customer", || Some(run.read("/v1/customers/c-1")).filter(|answer| answer.status == 200)).json();
    let logins_of = |customer: &Value| {
        let mut features = customer["features"].as_array().expect("features").iter();
        features.find(|one| one["feature"] == "logins_7d").map(|one| one["value"].clone())
    };
    assert_eq!(logins_of(&customer), Some(json!(40.0)), "{customer}");
    // Repeated, they change nothing.
    open(&run);
    assert_eq!(run.send(&logins_again()).status, 200);
    let again = run.read("/v1/customers/c-1").json();
    assert_eq!(logins_of(&again), Some(json!(40.0)), "{again}");
}

fn logins_again() -> Vec<Value> {
    logins("c-1", 40).split_off(20)
}

#[test]
fn a_request_with_a_wrong_event_changes_nothing_and_says_which() {
    let run = Run::empty("  max_batch_events: 50\n");
    open(&run);
    let mut events = logins("c-1", 3);
    events[1]["type"] = json!("login.attempted");
    events[2]["time"] = json!("2199-01-01T00:00:00Z");
    let answer = run.send(&events);
    assert_eq!(answer.problem(422), "refused-events");
    let refused = answer.json()["events"].as_array().expect("events").clone();
    let told: Vec<_> = refused.iter().map(|one| (one["index"].as_u64(), one["reason"].as_str().unwrap_or_default())).collect();
    assert_eq!(told, [(Some(1), "unknown_type"), (Some(2), "future_dated")]);
    assert_eq!(run.read("/v1/customers/c-1").problem(404), "unknown-customer");
    for (media, body, status, problem) in [
        ("application/cloudevents-batch+json", "{}", 400, "bad-body"),
        ("application/cloudevents-batch+json", "[{", 400, "bad-body"),
        ("application/json", "", 422, "refused-events"),
        ("application/json", "no", 422, "refused-events"),
        ("text/plain", "{}", 415, "media-type"),
    ] {
        assert_eq!(run.post("/v1/events", Some(WRITE), media, body.as_bytes()).problem(status), problem, "{media} {body}");
    }
    assert_eq!(run.send(&logins("c-1", 51)).problem(413), "too-many-events");
    let metrics = get(&format!("http://{}/metrics", run.plain), &[]).body;
    // They are no dead letters: whoever has sent them has them still.
    assert!(metrics.contains("bellwether_rejected_total{reason=\"unknown_type\"} 0\n"), "{metrics}");
    // The request of three, the empty text and the two letters; and the login that has opened the queue.
    assert_eq!(["refused", "accepted", "unknown"].map(|result| counted(&run, result)), [5, 1, 0]);
}

/// Events of requests that came to this.
fn counted(run: &Run, result: &str) -> u64 {
    let metrics = get(&format!("http://{}/metrics", run.plain), &[]).body;
    let name = format!("bellwether_http_events_total{{result=\"{result}\"}} ");
    let value = metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok());
    value.unwrap_or_else(|| panic!("{name} in {metrics}"))
}

#[test]
fn silence_becomes_a_signal_without_files() {
    let mut run = Run::empty("  refresh_interval: 1ms\n");
    open(&run);
    let mut events = vec![
        event("c-9", 1, "account.created", 200, json!({ "owner": "ann" })),
        event("c-9", 2, "subscription.started", 199, json!({ "subscription": "s", "mrr_minor": 90000, "currency": "EUR" })),
    ];
    events.extend((3..83).map(|id| event("c-9", id, "login", u64::from(50 + (id % 100)), json!({ "user": format!("u{}", id % 5) }))));
    assert_eq!(run.send(&events).status, 200);
    let signals = run.wait_for("a signal", || {
        let signals = run.read("/v1/signals").json()["signals"].as_array().expect("signals").clone();
        (!signals.is_empty()).then_some(signals)
    });
    assert!(signals.iter().all(|signal| signal["customer"] == "c-9" && signal["owner"] == "ann"), "{signals:?}");
    let acknowledged = event("c-9", 1_000, "signal.acknowledged", 0, json!({ "signal": signals[0]["id"], "by": "ann" }));
    assert_eq!(run.send(&[acknowledged]).status, 200);
    let now = run.wait_for("the feedback", || {
        let signals = run.read("/v1/signals?state=acknowledged").json()["signals"].as_array().expect("signals").clone();
        signals.first().cloned()
    });
    assert_eq!(now["id"], signals[0]["id"], "the id is that of the signal");
    run.stop();
    replay_gives_the_same(&run.path("data"));
}

#[test]
fn the_trace_of_a_request_is_that_of_what_its_events_decide() {
    const OF_REQUEST: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const OF_EVENT: &str = "00-22222222222222222222222222222222-2222222222222222-00";
    let mut run = Run::empty("");
    open(&run);
    let customers = ["c-request", "c-event", "c-invalid", "c-null", "c-wrong"];
    let subscription = json!({ "subscription": "s", "mrr_minor": 90_000, "currency": "EUR" });
    assert_eq!(run.send(&customers.map(|customer| event(customer, 1, "subscription.started", 199, subscription.clone()))).status, 200);
    let notice = |customer: &str| event(customer, 2, "cancellation.requested", 0, json!({}));
    let mut events: Vec<Value> = customers[..4].iter().map(|customer| notice(customer)).collect();
    events[1]["traceparent"] = json!(OF_EVENT);
    events[2]["traceparent"] = json!("00-0-0-00");
    events[3]["traceparent"] = json!(null);
    let post = |events: &[Value], traceparent: &str| {
        let body = Value::from(events).to_string();
        let headers = [("authorization", format!("Bearer {WRITE}")), ("traceparent", traceparent.to_owned())];
        post_with(&format!("http://{}/v1/events", run.console), "application/cloudevents-batch+json", &headers, body.as_bytes())
    };
    assert_eq!(post(&events, OF_REQUEST).status, 200);
    assert_eq!(post(&[notice("c-wrong")], "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01").status, 200);
    let signals = run.path("data").join("signals.jsonl");
    let raised = run.wait_for("a signal of each", || {
        let text = fs::read_to_string(&signals).ok()?;
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a signal"));
        let raised = lines.filter(|signal| signal["type"] == "bellwether.signal.raised.v1" && signal["data"]["rule"] == "notice-given");
        let raised: BTreeMap<String, Value> =
            raised.map(|signal| (signal["subject"].as_str().expect("a customer").to_owned(), signal["traceparent"].clone())).collect();
        (raised.len() == 5).then_some(raised)
    });
    let expected = [
        ("c-event", json!(OF_EVENT)),
        ("c-invalid", json!(null)),
        ("c-null", json!(null)),
        ("c-request", json!(OF_REQUEST)),
        ("c-wrong", json!(null)),
    ];
    assert_eq!(raised, expected.map(|(customer, traceparent)| (customer.to_owned(), traceparent)).into());
    run.stop();
    replay_gives_the_same(&run.path("data"));
}

/// A replay of the journal gives what the run has written, partition by partition.
fn replay_gives_the_same(data: &Path) {
    let replayed = data.join("replayed.jsonl");
    let mut command = binary();
    command.args(["replay", "--journal"]).arg(data).arg("--signals").arg(&replayed);
    succeeded(&command.output().expect("the binary starts"));
    let lines = |path: &Path| {
        let text = fs::read_to_string(path).expect("it is there");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let written = lines(&data.join("signals.jsonl"));
    assert!(!written.is_empty());
    assert_eq!(lines(&replayed), written);
}

#[test]
fn a_paused_run_takes_nothing_in_until_it_is_resumed() {
    let run = Run::empty("");
    open(&run);
    let admin = |path: &str, body: &str| run.post(&format!("/v1/admin/{path}"), Some(ADMIN), "application/json", body.as_bytes());
    assert_eq!(admin("pause", "").json()["is_paused"], true);
    let postponed = counted(&run, "postponed");
    assert_eq!(run.send(&logins("c-1", 2)).problem(503), "paused");
    assert_eq!(counted(&run, "postponed"), postponed + 2);
    assert_eq!(run.read("/v1/partitions").json()["is_paused"], true);
    assert_eq!(admin("resume", "").json()["is_paused"], false);
    assert_eq!(run.send(&logins("c-1", 1)).status, 200);
    assert_eq!(admin("log-level", "{\"directives\":\"bellwether_live=loud\"}").problem(400), "bad-request");
    assert_eq!(admin("log-level", "{\"directives\":\"error\"}").status, 200);
    for token in [None, Some(READ), Some(WRITE)] {
        let answer = run.post("/v1/admin/pause", token, "application/json", b"");
        assert_eq!(answer.status, 401);
    }
}
