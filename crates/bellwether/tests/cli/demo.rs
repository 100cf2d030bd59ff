//! The demo as somebody meets it who has just built the product.

use super::support::{Scratch, run};

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
