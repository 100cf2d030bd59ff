//! What is said of how urgent a signal is: weighted shortest job first with its parts, by bands that the settings fix.

use serde_json::{Value, json};

use super::support::{Scratch, run};

/// The data of the signals about a customer that pays so much and has so many days to its renewal when the rule speaks on 11 March 2026.
fn told(mrr_minor: u32, days_to_renewal: u32, job_size: u8, severity: &str) -> Value {
    let scratch = Scratch::new();
    let rules = scratch.file(
        "rules.yaml",
        format!(
            "signals:\n  - {{ name: quiet, kind: at_risk, warm_up: 0s, when: days_since_login >= 10, severity: {severity}, summary: quiet, \
             playbook: win-back, priority: {{ job_size: {job_size}, precision: 0.5 }} }}\n"
        ),
    );
    let line = |id: &str, kind: &str, day: u32, data: Value| {
        let time = format!("2026-03-{day:02}T00:00:00Z");
        json!({ "specversion": "1.0", "id": id, "source": "/t", "type": kind, "subject": "c-1", "time": time, "data": data }).to_string()
    };
    let renewal: jiff::civil::Date = "2026-03-11".parse().expect("a date");
    let renewal = renewal.checked_add(jiff::Span::new().days(days_to_renewal)).expect("a date");
    let paid = json!({ "subscription": "s", "mrr_minor": mrr_minor, "currency": "EUR", "period_end": format!("{renewal}T00:00:00Z") });
    let lines = [
        line("1", "account.created", 1, json!({ "owner": "ann" })),
        line("2", "subscription.started", 1, paid),
        line("3", "login", 1, json!({ "user": "u" })),
        line("4", "ticket.opened", 12, json!({ "ticket": "t" })),
    ];
    let (events, signals) = (scratch.file("events.jsonl", lines.join("\n")), scratch.path("signals.jsonl"));
    run(&["replay", "--events", &events, "--rules", &rules, "--signals", &signals]).exits(0);
    let text = String::from_utf8(scratch.read("signals.jsonl")).expect("UTF-8");
    let signal: Value = serde_json::from_str(text.lines().next().expect("there is a signal")).expect("JSON");
    assert_eq!((&signal["data"]["owner"], &signal["data"]["playbook"]), (&json!("ann"), &json!("win-back")));
    signal["data"]["priority"].clone()
}

/// Value, urgency, risk, job size, and the quotient.
fn parts(priority: &Value) -> [f64; 5] {
    ["value", "urgency", "risk", "job_size", "score"].map(|part| priority[part].as_f64().expect("a number"))
}

#[test]
fn the_priority_of_a_signal_is_value_urgency_and_risk_over_the_size_of_the_job() {
    // From 500.00 on value is 5, within 60 days urgency is 5, half of the alarms right is 5: on the scale 1, 2, 3, 5, 8, 13, 21.
    assert_eq!(parts(&told(60_000, 45, 2, "{ warning: true }")), [5.0, 5.0, 5.0, 2.0, 7.5]);
    assert_eq!(parts(&told(50_000, 45, 3, "{ warning: true }")), [5.0, 5.0, 5.0, 3.0, 5.0], "a larger job comes later");
    assert_eq!(parts(&told(49_999, 45, 2, "{ warning: true }"))[0], 3.0, "bands begin at their bounds");
    assert_eq!(parts(&told(1_000_000, 6, 2, "{ warning: true }"))[..2], [21.0, 21.0]);
    assert_eq!(parts(&told(60_000, 200, 2, "{ warning: true }"))[1], 1.0, "a renewal that is far away is not urgent");
    assert_eq!(parts(&told(60_000, 45, 2, "{ warning: true, critical: true }"))[2], 8.0, "what is critical is a step more");
}
