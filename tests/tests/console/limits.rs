//! The limits of how much happens at once: what is over them is refused or waits, and is served when there is room again.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{Run, WRITE};

fn connection(run: &Run, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&run.console).expect("somebody listens");
    stream.write_all(text.as_bytes()).expect("it is read");
    stream
}

#[test]
fn requests_over_the_limit_are_refused_as_long_as_others_are_at_work() {
    // Nobody is cut off within the test: it is the test that ends what is at work.
    let run = Run::empty("  max_concurrent_requests: 2\n  request_timeout: 10m\n");
    let half = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {WRITE}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    let one = connection(&run, &half);
    run.wait_for("room for one beside it", || (run.read("/v1/partitions").status == 200).then_some(()));
    let two = connection(&run, &half);
    let refused = run.wait_for("a refusal", || Some(run.read("/v1/partitions")).filter(|answer| answer.status == 503));
    assert_eq!(refused.problem(503), "busy");
    assert!(refused.body.contains("max_concurrent_requests"), "{refused:?}");
    drop((one, two));
    run.wait_for("room again", || (run.read("/v1/partitions").status == 200).then_some(()));
}

#[test]
fn connections_over_the_limit_wait_until_others_end() {
    let run = Run::empty("  max_connections: 2\n  request_timeout: 10m\n");
    // Two that say nothing. They were there first, so they are taken first.
    let (one, _two) = (connection(&run, ""), connection(&run, ""));
    let mut third = connection(&run, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    third.set_read_timeout(Some(Duration::from_secs(2))).expect("a timeout");
    let mut answer = [0; 12];
    let waits = third.read(&mut answer).expect_err("it is not served beside them");
    assert!(matches!(waits.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waits}");
    drop(one);
    third.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
    third.read_exact(&mut answer).expect("it is served now");
    assert_eq!(&answer, b"HTTP/1.1 200");
}
