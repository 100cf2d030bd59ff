//! Daily digests: one message for each owner with something open, once a day.

use bellwether_tests::contracts::check;

use crate::receiver::{Answer, OK, Receiver, SECRET};
use crate::setup::{Setup, signal, wait_until};

fn log() -> Vec<String> {
    vec![
        signal(1, "c-1", Some("anna"), "at_risk", "raised"),
        signal(2, "c-2", Some("anna"), "at_risk", "raised"),
        signal(3, "c-3", Some("ben"), "at_risk", "raised"),
        signal(4, "c-4", None, "attention", "raised"),
        signal(5, "c-5", Some("carl"), "at_risk", "raised"),
        signal(6, "c-6", Some("ben"), "upsell", "raised"),
        signal(7, "c-5", Some("carl"), "at_risk", "cleared"),
    ]
}

#[test]
fn each_owner_gets_one_message_a_day_about_what_is_open() {
    let receiver = Receiver::start(|number, _| Answer { status: if number == 1 { 500 } else { 200 }, ..OK });
    let setup = Setup::new(&[format!(
        "{{ name: daily, url: \"{}\", secret: {SECRET}, first_wait: 5ms, digest: {{ max_signals: 1 }} }}",
        receiver.url()
    )]);
    setup.append(&log());
    let (code, told) = setup.once();
    assert_eq!(code, Some(0), "{told}");
    let requests = receiver.requests();
    requests.iter().for_each(|request| request.assert_signed());
    let taken = [&requests[0], &requests[2], &requests[3]];
    assert_eq!((requests.len(), requests[1].header("webhook-id")), (4, requests[2].header("webhook-id")));
    let owners = taken.map(|request| request.json()["digest"]["owner"].clone());
    assert_eq!(owners, [serde_json::Value::Null, "anna".into(), "ben".into()]);
    let anna = requests[2].json();
    assert_eq!(anna["digest"]["open"], 2);
    assert_eq!(anna["digest"]["signals"].as_array().map(Vec::len), Some(1));
    assert_eq!((&anna["digest"]["signals"][0]["customer"], &anna["digest"]["signals"][0]["mrr_minor"]), (&"c-2".into(), &2.into()));
    let text = anna["text"].as_str().expect("Slack shows a text");
    assert!(text.starts_with("*2 open signals of anna*") && text.ends_with("and 1 more"), "{text}");
    assert!(text.contains("1. *c-2*: Signal 2 (warning, renews in 9 days, since 2026-03-01)"), "{text}");
    // Unless midnight has passed since, the second time there is nothing to send.
    let day = anna["digest"]["day"].clone();
    assert_eq!(setup.once().0, Some(0));
    let again = receiver.requests();
    assert!(again.len() == 4 || again[4].json()["digest"]["day"] != day, "{} requests", again.len());
}

#[test]
fn a_digest_is_sent_by_the_clock_and_a_kill_amid_it_repeats_no_more_than_one() {
    let receiver =
        Receiver::start(|number, _| Answer { think: std::time::Duration::from_millis(if number == 1 { 60_000 } else { 0 }), ..OK });
    let setup = Setup::new(&[format!(
        "{{ name: daily, url: \"{}\", timeout: 5m, kinds: [at_risk], digest: {{ at: \"00:00\" }} }}",
        receiver.url()
    )]);
    setup.append(&log());
    let running = setup.start();
    wait_until("the second owner is being told", || receiver.requests().len() == 2);
    running.kill();
    let running = setup.start();
    wait_until("the second owner is told again", || receiver.requests().len() == 3);
    assert_eq!(running.stop(), Some(0));
    let requests = receiver.requests();
    let owners: Vec<_> = requests.iter().map(|request| request.json()["digest"]["owner"].as_str().map(str::to_owned)).collect();
    assert_eq!(owners, ["anna", "ben", "ben"].map(|owner| Some(owner.to_owned())));
    assert_eq!(requests[1].header("webhook-id"), requests[2].header("webhook-id"));
    assert_ne!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    assert!(requests[2].json()["digest"]["signals"][0]["kind"] == "at_risk" && requests[2].json()["digest"]["open"] == 1);
}

#[test]
fn digests_of_a_run_are_what_the_schema_says() {
    let receiver = Receiver::start(|_, _| OK);
    let setup = Setup::new(&[format!("{{ name: daily, url: \"{}\", digest: {{ max_signals: 2 }} }}", receiver.url())]);
    let signals = setup.run_of_company();
    assert!(signals > 50, "{signals} signals");
    let (code, told) = setup.once();
    assert_eq!(code, Some(0), "{told}");
    let bodies: Vec<serde_json::Value> = receiver.requests().iter().map(|request| request.json()).collect();
    assert!(bodies.len() > 1 && bodies.iter().any(|body| body["digest"]["open"].as_u64() > Some(2)), "{bodies:?}");
    check("digest", &bodies);
}
