//! Single mistakes: what is said about each, and where.

use crate::mistakes;

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(mistakes(text), expected, "\n{text}");
}

/// One signal with these fields besides the required ones.
#[track_caller]
fn check_signal(fields: &str, expected: &[&str]) {
    check(&format!("signals:\n- name: a\n  kind: attention\n  summary: x\n  {fields}"), expected);
}

#[test]
fn what_is_no_yaml() {
    let quotes = "text that begins with `{`, `[`, `!`, `&`, `*` or `\"`, or holds `: ` or ` #`, stands in quotes";
    check("", &["1:1: the file is empty; a rule file has at least `signals`"]);
    check("- a", &["1:1: expected a rule file, a mapping, found a list"]);
    check("a: b: c", &[&format!("1:5: not YAML: mapping values are not allowed in this context; {quotes}")]);
    check("settings: {}\n---\nsignals: []", &["3:1: not YAML: a second YAML document; a rule file is one document: no `---`"]);
    check("ü: @x", &[&format!("1:4: not YAML: unexpected character: `@'; {quotes}")]);
}

#[test]
fn an_exclamation_mark_without_quotes() {
    let help = "put text that begins with `!` in quotes";
    check_signal("when: !onboarded && mrr > 0", &[&format!("5:9: `!onboarded` is a YAML tag here, and rule files have none; {help}")]);
    check_signal(
        "when: mrr > 0\n  until: !onboarded",
        &[
            &format!("6:10: `!onboarded` is a YAML tag here, and rule files have none; {help}"),
            "6:20: expected an expression, found nothing",
        ],
    );
}

#[test]
fn expressions_are_placed_in_their_scalars() {
    let error = "unknown name `mrrr`; did you mean `mrr`?";
    check_signal("when: 1 < mrrr", &[&format!("5:13: {error}")]);
    check_signal("when: \"1 < mrrr\"", &[&format!("5:14: {error}")]);
    check_signal("when: 'grade == ''red'' && 1 < mrrr'", &[&format!("5:34: {error}")]);
    check_signal("when: \"grade == \\\"red\\\" && 1 < mrrr\"", &[&format!("5:34: {error}")]);
    check_signal("when: >-\n    1 <\n    mrrr", &[&format!("6:5: {error}")]);
    check_signal("when: true\n  severity: { critical: mrrr > 1 }", &[&format!("6:25: {error}")]);
    check_signal("when: 5", &["5:9: expected a condition (true or false), found a number; compare it with something, as in `mrr > 0`"]);
}

#[test]
fn features_that_exist_but_not_here() {
    check_signal(
        "when: ticket_open_hours > 4",
        &["5:9: `ticket_open_hours` is a feature of one ticket and cannot stand here; a rule about each ticket has `object: ticket`"],
    );
    check_signal(
        "object: invoice\n  when: ticket_urgent",
        &["6:9: `ticket_urgent` is a feature of one ticket and cannot stand here; use a feature of the customer as a whole"],
    );
    let order = "health is computed first, then the stage, then at-risk rules, then the others; each may use what was before";
    check(
        "signals:\n- { name: a, kind: at_risk, summary: x, when: open_at_risk > 1 }",
        &[&format!("2:47: `open_at_risk` is the outcome of at-risk rules and cannot stand here; {order}")],
    );
    check(
        "suppressions:\n- { name: s, when: at_risk }\nsignals:\n- { name: a, kind: at_risk, summary: x, when: mrr > 1, unless: [s] }",
        &["4:65: `s` depends on the at-risk rules and cannot hold one back"],
    );
    check(
        "stages:\n- { name: churned, when: stage == 'onboarding' }",
        &[&format!("2:26: `stage` is the outcome of the stage and cannot stand here; {order}")],
    );
    check(
        "stages:\n- { name: churned, when: tenure_days > 3 }",
        &[
            "2:26: `tenure_days` runs with the clock and cannot stand here; health and stages change with events and at UTC midnight only; use a feature over a window of days",
        ],
    );
}

#[test]
fn signals_that_hold_back_stand_above() {
    let help = "a signal is held back by those that stand before it";
    check(
        "signals:\n- { name: a, kind: at_risk, summary: x, when: mrr > 1, inhibited_by: [a, b] }\n- { name: b, kind: at_risk, summary: x, when: mrr > 1 }",
        &[&format!("2:71: `a` is no signal above this one; {help}"), &format!("2:74: `b` is no signal above this one; {help}")],
    );
    check(
        "signals:\n- { name: a, kind: attention, summary: x, when: mrr > 1 }\n- { name: b, kind: at_risk, summary: x, when: mrr > 1, inhibited_by: [a] }",
        &["3:71: `a` is not `at_risk`, and at-risk signals are looked at first"],
    );
}

#[test]
fn names_and_limits() {
    check(
        "suppressions:\n- { name: shadow, when: at_risk }\n- { name: s, when: at_risk }\n- { name: s, when: mrr > 0 }",
        &["2:11: `shadow` is a reason of its own and cannot be the name of a suppression", "4:11: there are two suppressions `s`"],
    );
    check_signal("when: true\n  when: false", &["6:3: `when` stands here twice"]);
    check_signal("when: true\n  1: 2", &["6:3: expected a name, found the number 1; put it in quotes to make it a text"]);
    check_signal(
        "when: true\n  params: { max: 1, Days: 2, a: b }",
        &[
            "6:13: `max` cannot be the name of a param; params are made of a-z, 0-9 and `_`, and are no word of the language",
            "6:21: `Days` cannot be the name of a param; params are made of a-z, 0-9 and `_`, and are no word of the language",
            "6:33: expected a, a number, found the text `b`",
        ],
    );
    check_signal(
        "when: true\n  priority: { job_size: 2.5, precision: 2 }",
        &["6:25: job_size is 2.5, and must be a whole number", "6:41: precision is 2, and must be from 0 to 1"],
    );
    check(
        "signals:\n- { name: No Login, kind: attention, summary: x, when: true }",
        &["2:11: `No Login` cannot be the name of a signal; names are made of a-z, 0-9 and `-`"],
    );
    let many: String = (0..129).map(|number| format!("- {{ name: s{number}, kind: attention, summary: x, when: true }}\n")).collect();
    check(&format!("signals:\n{many}"), &["130:3: a rule file has at most 128 signals, and this has 129"]);
}

#[test]
fn settings_and_health() {
    check(
        "settings:\n  warm_up: [1]\n  response_limits: { hgh: 1h }\n  business_hours: { opens: 18 }\n  core_features: reports",
        &[
            "2:12: warm_up: expected a duration, found a list; a duration is written like 30d, 12h, 1d12h30m, 90s or 5ms",
            "3:22: unknown field of the response limits `hgh`; did you mean `high`?",
            "4:19: business hours that open at 18 cannot close at 17",
            "5:18: expected a list of names of product features, found the text `reports`",
        ],
    );
    check(
        "settings:\n  priority: { value_mrr_minor: [1, 2, 3], urgency_days: [1, 2, 3, 5, 4, 6] }",
        &["2:32: `value_mrr_minor` must be six ascending numbers", "2:57: `urgency_days` must be six ascending numbers"],
    );
    let component = |rest: &str| format!("health:\n  grades: {{ amber: 40, green: 70 }}\n  components:\n  - {{ name: a, {rest} }}");
    check(
        &component("weight: -1, inputs: { nps: [[0, 0], [0, 1]] }"),
        &["4:24: weight is -1, and must be over 0", "4:53: points go by ascending x, and 0 is not over 0"],
    );
    check(
        &component("weight: 1, inputs: { nps: [[0, 0]], mrr: [[0, 1, 2], [1, .inf]] }"),
        &[
            "4:42: a line needs at least two points [x, y]",
            "4:58: a point is two numbers [x, y]",
            "4:73: expected y, a number, found the text `.inf`",
        ],
    );
    check(
        &component("weight: 1, inputs: {} }\n  - { name: a, weight: 1, inputs: { health: [[0, 0], [100, 100]] }"),
        &[
            "4:35: a component needs at least one feature",
            "5:13: there are two components `a`",
            "5:37: `health` is the outcome of health and cannot stand here; health is computed first, then the stage, then at-risk rules, then the others; each may use what was before",
        ],
    );
}

#[test]
fn a_time_that_is_none() {
    let found = mistakes("quiet_until: tomorrow\nsignals: []");
    let [mistake] = found.as_slice() else { panic!("{found:?}") };
    assert!(mistake.starts_with("1:14: quiet_until: ") && mistake.ends_with("write 2026-03-01 or 2026-03-01T08:15:00Z"), "{mistake}");
}
