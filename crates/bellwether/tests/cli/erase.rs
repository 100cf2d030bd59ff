//! Erasing a customer from a data directory, and what is told about it.

use super::support::{Scratch, company, run};

#[test]
fn a_customer_is_erased_and_the_report_says_what_was_removed() {
    let scratch = Scratch::new();
    scratch.run_once(company(), &[]).exits(0);
    let signals = String::from_utf8(scratch.read("signals.jsonl")).unwrap();
    let subject = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["subject"].as_str().unwrap().to_owned();
    let customer = subject(signals.lines().last().expect("the company has signals"));
    let (data, path) = (scratch.path("data"), scratch.path("signals.jsonl"));
    let first = run(&["erase", &customer, "--data", &data, "--signals", &path]).exits(0);
    for text in ["state and timer     1 before, 0 after", "the erasure among them; 0 left", "--outputs makes"] {
        assert!(first.output.contains(text), "{text} is not in {}", first.output);
    }
    assert!(first.output.contains("times in") && first.output.contains("signals.jsonl"), "the signals are still told of: {}", first.output);
    let second = run(&["erase", &customer, "--data", &data, "--signals", &path, "--outputs"]).exits(0);
    assert!(second.output.contains("0 with the id in them"), "{}", second.output);
    let blanked = String::from_utf8(scratch.read("signals.jsonl")).unwrap();
    let others = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains("\"subject\"") && subject(line) != customer);
        lines.map(str::to_owned).collect()
    };
    assert_eq!(others(&blanked), others(&signals));
    assert!(blanked.lines().any(|line| line.starts_with("{\"erased\":true}")));
    // The same events again: nothing is new, nothing comes back.
    scratch.run_once(company(), &[]).exits(0);
    assert_eq!(scratch.read("signals.jsonl"), blanked.into_bytes());
}

#[test]
fn only_a_data_directory_can_be_erased_from() {
    let scratch = Scratch::new();
    run(&["erase", "c-1", "--data", &scratch.path("nothing")]).exits(2).tells(&["is no data directory with a journal"]);
    run(&["erase"]).exits(2);
}
