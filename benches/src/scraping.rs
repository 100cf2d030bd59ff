//! How long `GET /metrics` takes, as whoever scrapes sees it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// One request on a connection of its own, as long as its answer takes.
///
/// # Errors
///
/// When nobody answers.
pub fn scrape(address: &str) -> std::io::Result<(Duration, String)> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let took = began.elapsed();
    Ok((took, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()))
}

/// So many requests, one after the other: how long each took, and the last answer.
///
/// # Errors
///
/// When nobody answers.
pub fn scrapes(address: &str, count: usize) -> std::io::Result<(Vec<Duration>, String)> {
    let (mut times, mut answer) = (Vec::new(), String::new());
    for _ in 0..count {
        let (took, text) = scrape(address)?;
        times.push(took);
        answer = text;
    }
    Ok((times, answer))
}

/// Median, 99th percentile and the longest of times.
#[must_use]
pub fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: usize| times.get((times.len() * share / 100).min(times.len() - 1)).map_or(0.0, |time| time.as_secs_f64() * 1_000.0);
    format!("median {:.2} ms, p99 {:.2} ms, most {:.2} ms of {}", at(50), at(99), at(100), times.len())
}

/// How many series an exposition has.
#[must_use]
pub fn series(answer: &str) -> usize {
    answer.lines().filter(|line| !line.starts_with('#')).count()
}

/// How many series an exposition has, and how many bytes.
#[must_use]
pub fn size(answer: &str) -> String {
    format!("{} series, {} bytes", series(answer), answer.len())
}
