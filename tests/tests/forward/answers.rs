//! What receivers answer: taken, not now, later, never, nothing at all.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use bellwether_tests::contracts::check;

use crate::receiver::{Answer, OK, Receiver, SECRET};
use crate::setup::{Setup, signal, wait_until};

fn signals(count: usize) -> Vec<String> {
    (1..=count).map(|number| signal(number, &format!("c-{number}"), None, "at_risk", "raised")).collect()
}

#[test]
fn what_fails_is_tried_again_with_the_same_id_and_a_new_signature() {
    let receiver = Receiver::start(|number, _| match number {
        0 => Answer { status: 503, ..OK },
        1 => Answer { status: 429, retry_after: Some("2"), ..OK },
        // Longer than the timeout: as good as no answer.
        2 => Answer { think: Duration::from_secs(3), ..OK },
        _ => OK,
    });
    let setup = Setup::new(&[format!("{{ name: crm, url: \"{}\", secret: {SECRET}, first_wait: 10ms, timeout: 1s }}", receiver.url())]);
    setup.append(&signals(1));
    let (code, log) = setup.once();
    assert_eq!(code, Some(0), "{log}");
    let requests = receiver.requests();
    assert_eq!(requests.len(), 4);
    requests.iter().for_each(|request| request.assert_signed());
    assert!(requests.iter().all(|request| request.header("webhook-id") == requests[0].header("webhook-id")));
    assert!(requests[2].at - requests[1].at >= Duration::from_secs(2), "Retry-After is honoured");
    assert!(setup.letters("crm").is_empty());
}

#[test]
fn what_is_refused_or_fails_too_often_is_a_dead_letter_with_its_reason() {
    let receiver = Receiver::start(|_, request| {
        let status = match request.json()["subject"].as_str() {
            Some("c-1") => 400,
            Some("c-2") => 500,
            Some("c-3") => 302,
            _ => 200,
        };
        Answer { status, ..OK }
    });
    let setup = Setup::new(&[format!("{{ name: crm, url: \"{}\", first_wait: 5ms, attempts: 3 }}", receiver.url())]);
    setup.append(&signals(4));
    setup.append(&["this is no signal".to_owned()]);
    let (code, log) = setup.once();
    assert_eq!(code, Some(1), "{log}");
    let attempts = |customer: &str| receiver.requests().iter().filter(|request| request.json()["subject"] == customer).count();
    assert_eq!(["c-1", "c-2", "c-3", "c-4"].map(attempts), [1, 3, 1, 1]);
    check("forward-dead-letter", &setup.letters("crm"));
    let mut letters: Vec<String> = setup
        .letters("crm")
        .iter()
        .map(|letter| {
            let message = &letter["message"];
            let customer = message["subject"].as_str().or(message.as_str()).expect("the message is there");
            format!("{customer}: {} {} {} {}", letter["reason"], letter["status"], letter["attempts"], letter["detail"])
        })
        .collect();
    letters.sort();
    assert_eq!(
        letters[..3],
        [
            r#"c-1: "refused" 400 1 "status 400: the answer""#,
            r#"c-2: "attempts" 500 3 "status 500: the answer""#,
            r#"c-3: "refused" 302 1 "status 302: the answer""#
        ]
    );
    assert!(letters[3].starts_with("this is no signal: \"unreadable\" null 0"), "{}", letters[3]);
    assert_eq!(setup.once().0, Some(0), "dead letters are settled");
    assert_eq!(receiver.requests().len(), 6);
}

#[test]
fn a_receiver_that_is_down_holds_up_no_other_and_gets_everything_later() {
    // A port that nobody listens on, until the receiver takes it.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port is free");
    let other = Receiver::start(|_, _| OK);
    let setup = Setup::new(&[
        format!("{{ name: down, url: \"http://{port}/\", first_wait: 20ms, longest_wait: 50ms, attempts: 100, queue: 3 }}"),
        format!("{{ name: up, url: \"{}\" }}", other.url()),
    ]);
    setup.append(&signals(30));
    let running = setup.start();
    wait_until("the other has all", || other.requests().len() == 30);
    wait_until("the one is tried", || {
        setup.metrics().lines().any(|line| line.starts_with("bellwether_forward_retries_total{route=\"down\"} ") && !line.ends_with(" 0"))
    });
    assert!(setup.metrics().contains("bellwether_forward_waiting_signals{route=\"down\"} 3"), "reading waits\n{}", setup.metrics());
    assert_eq!(running.stop(), Some(0));
    let late = Receiver::start(|_, _| OK);
    let configuration = setup.directory.path().join("bellwether.yaml");
    let text = fs::read_to_string(&configuration).expect("it is there").replace(&port.to_string(), &late.address.to_string());
    fs::write(&configuration, text).expect("it can be written");
    assert_eq!(setup.once().0, Some(0));
    assert_eq!((late.requests().len(), other.requests().len()), (30, 30));
}
