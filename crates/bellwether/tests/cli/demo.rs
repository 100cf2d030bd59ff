//! The demo as somebody meets it who has just built the product.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::support::{Ran, Scratch, bellwether, get, run, send};

/// The longest time from the start of the demo to its table; on a quiet machine it takes seconds.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);

#[test]
fn the_demo_ends_with_the_ten_most_valuable_open_signals_and_their_reasons() {
    let scratch = Scratch::new();
    let ran = run(&["demo", "--exit", "--data", &scratch.path("demo")]).exits(0);
    let ran = ran.tells(&["metrics are at http://127.0.0.1:", "making up a company: 400 customers, 18 months", "The most valuable of "]);
    let cells: Vec<Vec<&str>> = ran.output.lines().map(|line| line.split(['│', '┆']).map(str::trim).collect()).collect();
    let header = cells.iter().position(|row| row.get(1) == Some(&"customer")).expect("the table has a header");
    assert_eq!(cells[header][1..8], ["customer", "signal", "since", "severity", "MRR", "priority", "reason"]);
    // Long reasons go on in the lines below, which name no customer.
    let rows: Vec<&[&str]> = cells[header + 1..].iter().filter(|row| row.len() > 8 && !row[1].is_empty()).map(|row| &row[1..8]).collect();
    assert_eq!(rows.len(), 10, "{}", ran.output);
    let signals = String::from_utf8(scratch.read("demo/signals.jsonl")).unwrap();
    let priorities: Vec<f64> = rows.iter().map(|row| row[5].parse().unwrap()).collect();
    assert!(priorities.is_sorted_by(|one, next| one >= next), "the most valuable come first: {priorities:?}");
    for row in rows {
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        let (subject, rule) = (format!(r#""subject":"{}""#, row[0]), format!(r#""rule":"{}""#, row[1]));
        let mut told = signals.lines().filter(|line| line.contains(&subject) && line.contains(&rule));
        assert!(
            told.next_back().is_some_and(|line| line.contains("signal.raised") || line.contains("signal.escalated")),
            "{row:?} is open"
        );
    }
}

#[test]
fn the_demo_shows_counts_as_it_goes_and_leaves_metrics_up_until_it_is_interrupted() {
    let scratch = Scratch::new();
    let started = Instant::now();
    let mut child = bellwether(&["demo", "--data", &scratch.path("demo")]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while !told.contains("metrics stay up at ") {
        assert!(errors.read_line(&mut told).unwrap() > 0, "it ended too early: {told}");
    }
    assert!(started.elapsed() < SHOWN_WITHIN, "{:?}", started.elapsed());
    assert!(told.contains(" events (") && told.contains(" customers, signals: "), "no counts while it runs: {told}");
    let line = told.lines().find_map(|line| line.strip_prefix("metrics stay up at http://"));
    let address = line.and_then(|line| line.split_once("/metrics")).unwrap_or_else(|| panic!("no address in {told}")).0;
    let read = told.lines().find_map(|line| line.strip_prefix("events")?.split_whitespace().next());
    let read = read.unwrap_or_else(|| panic!("no total in {told}")).replace(',', "");
    let metrics = get(address, "/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200") && metrics.contains(&format!("\nbellwether_events_total {read}\n")), "{read}: {metrics}");
    assert!(child.try_wait().unwrap().is_none(), "it stays");
    send("-INT", &child);
    errors.read_to_string(&mut told).unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{told}");
    assert!(ran.output.contains("reason"), "the table is shown before: {}", ran.output);
}
