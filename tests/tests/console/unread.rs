//! Clients that ask and do not read: they lose their connections, so that others are served.

use std::io::{ErrorKind, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::hostile::raw;
use crate::support::Run;

/// The connections of the plain listener.
const PLAIN_CONNECTIONS: usize = 64;

/// Requests on a connection: their answers are more than the system takes for a client that does not read.
const REQUESTS: usize = 500;

/// After this time a connection that was not cut off is one that never will be.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes all connections of a listener with requests for answers that nobody reads, and asks once more.
#[track_caller]
fn others_are_served_beside_unread_answers(address: &str, connections: usize, path: &str, other: &str) {
    let requests = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").repeat(REQUESTS);
    let unread: Vec<TcpStream> = (0..connections)
        .map(|_| {
            let mut stream = TcpStream::connect(address).expect("somebody listens");
            stream.set_nonblocking(true).expect("it can be set");
            // As much as the other side takes; it need not be all.
            _ = stream.write(requests.as_bytes()).expect("it takes some");
            stream
        })
        .collect();
    // There is no room until some of them are cut off.
    let answer = raw(address, format!("GET {other} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let started = Instant::now();
    for mut stream in unread {
        let end = loop {
            match stream.write(b"\r") {
                Err(error) if error.kind() != ErrorKind::WouldBlock => break error.kind(),
                _ => {}
            }
            assert!(started.elapsed() < PATIENCE, "a connection of one who does not read is still there");
            thread::sleep(Duration::from_millis(20));
        };
        assert!(matches!(end, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{end}");
    }
}

#[test]
fn who_does_not_read_answers_of_the_plain_listener_is_cut_off() {
    let run = Run::empty("");
    others_are_served_beside_unread_answers(&run.plain, PLAIN_CONNECTIONS, "/metrics", "/livez");
}

#[test]
fn who_does_not_read_answers_of_the_guarded_listener_is_cut_off() {
    let run = Run::empty("  request_timeout: 2s\n  max_connections: 4\n");
    others_are_served_beside_unread_answers(&run.console, 4, "/v1/openapi.json", "/");
}
