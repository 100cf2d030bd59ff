//! Ends of any kind: nothing is lost, and what comes twice has the same id.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::Duration;

use crate::receiver::{Answer, OK, Receiver};
use crate::setup::{Setup, signal, wait_until};

#[test]
fn killed_again_and_again_it_loses_nothing() {
    const SIGNALS: usize = 600;
    const KILLS: usize = 8;
    let receiver =
        Receiver::start(|number, _| Answer { status: if number % 5 == 0 { 503 } else { 200 }, think: Duration::from_millis(3), ..OK });
    let setup = Setup::new(&[format!("{{ name: crm, url: \"{}\", first_wait: 5ms, queue: 50, in_flight: 3 }}", receiver.url())]);
    let lines: Vec<String> = (0..SIGNALS).map(|number| signal(number, &format!("c-{}", number % 50), None, "at_risk", "raised")).collect();
    setup.append(&lines);
    let mut amid = 0;
    for kill in 0..KILLS {
        let before = receiver.requests().len();
        let running = setup.start();
        wait_until("some are sent", || receiver.requests().len() >= before + 20 + 7 * kill);
        running.kill();
        let distinct: BTreeSet<String> = receiver.requests().iter().map(|request| request.header("webhook-id").to_owned()).collect();
        amid += usize::from(distinct.len() < SIGNALS);
    }
    assert!(amid >= KILLS / 2, "only {amid} kills fell amid deliveries");
    let (code, log) = setup.once();
    assert_eq!(code, Some(0), "{log}");
    let mut bodies: BTreeMap<String, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for request in receiver.requests() {
        bodies.entry(request.header("webhook-id").to_owned()).or_default().insert(request.body);
    }
    let sent: BTreeSet<String> = bodies.values().flatten().map(|body| String::from_utf8_lossy(body).into_owned()).collect();
    assert!(sent == lines.iter().cloned().collect(), "{} of {SIGNALS} were sent", sent.len());
    assert!(bodies.values().all(|bodies| bodies.len() == 1), "one id, one message");
    assert!(receiver.requests().len() > SIGNALS, "the faults fired");
    assert!(setup.letters("crm").is_empty());
}

#[test]
fn told_to_stop_it_ends_what_it_has_begun_and_repeats_nothing() {
    let receiver = Receiver::start(|_, _| Answer { think: Duration::from_millis(60), ..OK });
    let setup = Setup::new(&[format!("{{ name: crm, url: \"{}\", queue: 12, in_flight: 3 }}", receiver.url())]);
    let lines: Vec<String> = (0..60).map(|number| signal(number, &format!("c-{number}"), None, "at_risk", "raised")).collect();
    setup.append(&lines);
    let running = setup.start();
    wait_until("it is amid its work", || receiver.requests().len() >= 5);
    assert_eq!(running.stop(), Some(0));
    let at_stop = receiver.requests().len();
    assert!(at_stop < 60, "it was told in time");
    sleep(Duration::from_millis(100));
    assert_eq!(receiver.requests().len(), at_stop, "nothing comes after its end");
    assert_eq!(setup.once().0, Some(0));
    let ids: BTreeSet<String> = receiver.requests().iter().map(|request| request.header("webhook-id").to_owned()).collect();
    assert_eq!((ids.len(), receiver.requests().len()), (60, 60));
}
