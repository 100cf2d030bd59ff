//! Silences in a rule file: added, listed, ended, and what a run makes of them.

use super::support::{Scratch, company, run};

const RULES: &str = "\
# ours
signals:
  - name: quiet
    kind: attention
    when: days_since_login >= 3
    warm_up: 0s
    summary: Quiet
";

#[test]
fn a_silence_comes_into_a_rule_file_and_goes() {
    let scratch = Scratch::new();
    let rules = scratch.file("rules.yaml", RULES);
    let add = ["silence", "add", "trip", "--rule", "quiet", "--until", "2090-01-01", "--reason", "all \"away\"", "--rules", &rules];
    run(&add).exits(0).tells(&["added the silence `trip`: rule quiet"]);
    let text = String::from_utf8(scratch.read("rules.yaml")).unwrap();
    assert!(text.starts_with(RULES), "{text}");
    let output = run(&["silence", "list", "--rules", &rules]).exits(0).output;
    assert!(output.contains("trip") && output.contains("rule quiet") && output.contains("all \"away\""), "{output}");

    scratch.run_once(company(), &["--rules", &rules]).exits(0);
    assert!(scratch.read("signals.jsonl").is_empty());
    let decisions = String::from_utf8(scratch.read("signals.jsonl.decisions")).unwrap();
    assert!(!decisions.is_empty() && decisions.lines().all(|line| line.contains("\"reason\":\"silence: trip\"")), "{decisions}");

    run(&["silence", "end", "trip", "--rules", &rules]).exits(0).tells(&["ended the silence `trip`"]);
    scratch.run_once(company(), &["--rules", &rules]).exits(0);
    let signals = String::from_utf8(scratch.read("signals.jsonl")).unwrap();
    assert!(signals.contains("bellwether.signal.raised.v1"), "what still holds is raised");
}

#[test]
fn mistakes_change_nothing() {
    let scratch = Scratch::new();
    let rules = scratch.file("rules.yaml", RULES);
    let fixed = ["--until", "2090-01-01", "--rules", &rules];
    run(&[&["silence", "add", "a", "--rule", "quite"][..], &fixed].concat()).exits(2).tells(&["unknown rule `quite`", "quiet"]);
    run(&[&["silence", "add", "a"][..], &fixed].concat()).exits(2);
    run(&["silence", "end", "a", "--rules", &rules]).exits(2).tells(&["has no silence `a`"]);
    run(&["silence", "list"]).exits(2);
    assert_eq!(scratch.read("rules.yaml"), RULES.as_bytes());
}
