//! From a signals file: what is sent, to whom, signed, and each once where nothing goes wrong.

use std::collections::BTreeMap;
use std::fs;

use crate::receiver::{OK, Receiver, SECRET};
use crate::setup::{Setup, signal, wait_until};

#[test]
fn signals_of_a_run_are_sent_as_they_stand_in_the_file_signed_and_once() {
    let (all, risks) = (Receiver::start(|_, _| OK), Receiver::start(|_, _| OK));
    let setup = Setup::new(&[
        format!("{{ name: all, url: \"{}\", secret: {SECRET} }}", all.url()),
        format!("{{ name: risks, url: \"{}\", kinds: [at_risk], transitions: [raised] }}", risks.url()),
    ]);
    setup.run_of_company();
    let text = fs::read_to_string(setup.signals()).expect("there are signals");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() > 50, "{} signals", lines.len());

    let (code, log) = setup.once();
    assert_eq!(code, Some(0), "{log}");
    let requests = all.requests();
    let mut sent: Vec<&str> = requests.iter().map(|request| std::str::from_utf8(&request.body).expect("it is text")).collect();
    let mut expected = lines.clone();
    sent.sort_unstable();
    expected.sort_unstable();
    assert!(sent == expected, "{} were sent of {}", sent.len(), expected.len());
    for request in &requests {
        request.assert_signed();
        assert_eq!(request.header("webhook-id"), request.json()["id"]);
        assert_eq!(request.header("content-type"), "application/cloudevents+json");
    }
    let is_risk = |line: &&&str| line.contains(r#""kind":"at_risk""#) && line.contains("signal.raised.v1");
    assert_eq!(risks.requests().len(), lines.iter().filter(is_risk).count());
    assert!(risks.requests().iter().all(|request| request.header("webhook-signature").is_empty()));
    assert!(!log.contains("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") && !log.contains("/hook"), "a secret is logged");

    assert_eq!(setup.once().0, Some(0));
    assert_eq!(all.requests().len(), lines.len(), "a second run finds nothing new");
    setup.append(&[signal(1, "c-1", Some("anna"), "upsell", "raised")]);
    assert_eq!(setup.once().0, Some(0));
    assert_eq!((all.requests().len(), risks.requests().len()), (lines.len() + 1, lines.iter().filter(is_risk).count()));
}

#[test]
fn routes_go_by_owner_and_a_new_one_may_begin_at_the_end() {
    let receivers: Vec<Receiver> = (0..3).map(|_| Receiver::start(|_, _| OK)).collect();
    let setup = Setup::new(&[
        format!("{{ name: anna, url: \"{}\", owners: [anna] }}", receivers[0].url()),
        format!("{{ name: others, url: \"{}\", owners: [ben, \"carl o\"], severities: [warning, critical] }}", receivers[1].url()),
        format!("{{ name: new, url: \"{}\", start: end }}", receivers[2].url()),
    ]);
    let owners = [Some("anna"), Some("ben"), None, Some("carl o"), Some("anna")];
    let lines: Vec<String> = owners.iter().enumerate().map(|(number, owner)| signal(number, "c", *owner, "at_risk", "raised")).collect();
    setup.append(&lines);
    assert_eq!(setup.once().0, Some(0));
    let counts = || receivers.iter().map(|receiver| receiver.requests().len()).collect::<Vec<_>>();
    assert_eq!(counts(), [2, 2, 0]);
    setup.append(&[signal(9, "c", None, "at_risk", "raised")]);
    assert_eq!(setup.once().0, Some(0));
    assert_eq!(counts(), [2, 2, 1]);
}

#[test]
fn a_growing_file_is_followed_in_whole_lines_and_each_customer_in_order() {
    let receiver = Receiver::start(|_, _| OK);
    let setup = Setup::new(&[format!("{{ name: crm, url: \"{}\", in_flight: 4 }}", receiver.url())]);
    // The file comes later than the forwarding.
    let running = setup.start();
    wait_until("it runs", || fs::read_to_string(setup.log()).is_ok_and(|log| log.contains("metrics are at")));
    let line = |number: usize| signal(number, &format!("c-{}", number % 7), None, "at_risk", "raised");
    for number in 0..200 {
        let line = line(number);
        let (one, other) = line.split_at(40);
        setup.append_text(one);
        setup.append_text(other);
        setup.append_text("\n");
    }
    wait_until("all are sent", || receiver.requests().len() >= 200);
    setup.append_text(&line(200)[..60]);
    // An erased customer's line is no signal, and no dead letter either.
    setup.append_text(&format!("{}\n{{\"erased\":true}}            \n", &line(200)[60..]));
    wait_until("the last is sent", || receiver.requests().len() >= 201);
    // It is counted when the answer has come back.
    wait_until("the last is counted", || setup.metrics().contains("bellwether_forward_delivered_total{route=\"crm\"} 201"));
    let metrics = setup.metrics();
    for expected in [
        "bellwether_forward_delivered_total{route=\"crm\"} 201",
        "bellwether_forward_dead_letters_total{reason=\"refused\",route=\"crm\"} 0",
    ] {
        assert!(metrics.contains(expected), "{expected}\n{metrics}");
    }
    assert_eq!(running.stop(), Some(0));
    let mut by_customer: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for request in receiver.requests() {
        by_customer.entry(request.json()["subject"].to_string()).or_default().push(request.header("webhook-id").to_owned());
    }
    assert_eq!(by_customer.len(), 7);
    for (customer, ids) in by_customer {
        assert!(ids.is_sorted(), "{customer}: {ids:?}");
    }
    assert!(setup.letters("crm").is_empty());
}

#[test]
fn another_file_in_place_of_the_one_that_was_read_is_an_error() {
    let receiver = Receiver::start(|_, _| OK);
    let setup = Setup::new(&[format!("{{ name: crm, url: \"{}\" }}", receiver.url())]);
    setup.append(&[signal(1, "c", None, "at_risk", "raised")]);
    assert_eq!(setup.once().0, Some(0));
    fs::write(setup.signals(), format!("{}\n", signal(2, "c-and-a-longer-name", None, "at_risk", "raised"))).expect("it can be written");
    let (code, log) = setup.once();
    assert_eq!(code, Some(2), "{log}");
    assert!(log.contains("is not the file that the route crm has read"), "{log}");
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn a_file_is_the_one_that_was_read_however_its_path_is_spelt_and_wherever_it_was_moved() {
    let receiver = Receiver::start(|_, _| OK);
    let setup = Setup::new(&[format!("{{ name: crm, url: \"{}\", start: end }}", receiver.url())]);
    let directory = setup.directory.path();
    let configuration = directory.join("bellwether.yaml");
    let original = fs::read_to_string(&configuration).expect("it is there");
    let data = directory.join("data").display().to_string();
    let mut sent = 0;
    let mut go_on = |signals: &str, data_of: &str| {
        let text = original.replace(&data, data_of).replace("forward:\n", &format!("forward:\n  signals: {signals}\n"));
        fs::write(&configuration, text).expect("it can be written");
        let path = directory.join(signals);
        let line = format!("{}\n", signal(sent, "c", None, "at_risk", "raised"));
        let text = fs::read_to_string(&path).unwrap_or_default() + &line;
        fs::write(&path, text).expect("it can be written");
        let output = setup.command(&["--once"]).current_dir(directory).output().expect("the binary runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            // Of what was there before it began, a route that begins at the end sends nothing.
            assert_eq!(receiver.requests().len(), sent, "{signals}: {told}");
            sent += 1;
        }
        (output.status.code(), told)
    };
    for signals in [format!("{data}/signals.jsonl"), format!("{data}/../data/signals.jsonl"), "data/signals.jsonl".to_owned()] {
        let (code, told) = go_on(&signals, &data);
        assert_eq!(code, Some(0), "{signals}: {told}");
    }
    fs::write(directory.join("other.jsonl"), "").expect("it can be written");
    let (code, told) = go_on("other.jsonl", &data);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("other.jsonl is not the file that the route crm has read") && told.contains("data/signals.jsonl"), "{told}");
    fs::rename(directory.join("data"), directory.join("moved")).expect("it can be moved");
    let (code, told) = go_on("moved/signals.jsonl", "moved");
    assert_eq!(code, Some(0), "{told}");
}

#[test]
fn the_trace_of_a_signal_is_that_of_its_request() {
    const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let all = Receiver::start(|_, _| OK);
    let setup = Setup::new(&[format!("{{ name: all, url: \"{}\" }}", all.url())]);
    let [traced, plain] = [1, 2].map(|number| signal(number, "c-1", None, "upsell", "raised"));
    setup.append(&[traced.replace("\"data\":{", &format!("\"traceparent\":\"{TRACEPARENT}\",\"data\":{{")), plain]);
    assert_eq!(setup.once().0, Some(0));
    let found: Vec<_> =
        all.requests().iter().map(|request| (request.json()["traceparent"].clone(), request.header("traceparent").to_owned())).collect();
    assert_eq!(found, [(TRACEPARENT.into(), TRACEPARENT.to_owned()), (serde_json::Value::Null, String::new())]);
}
