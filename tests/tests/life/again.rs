//! A signal that could come again: cooldowns, what holds it back meanwhile, and what it waits for.

use super::play::check;

const LIMIT: &str = "
suppressions: [{ name: busy, when: tickets_open >= 1 }]
signals:
  - { name: limit, kind: attention, when: quota_utilisation >= 0.8, unless: [busy], cooldown: 30d, warm_up: 0s, summary: x }
";

const FULL: &str = r#"quota {"name":"api","used":9,"limit":10}"#;
const EMPTY: &str = r#"quota {"name":"api","used":1,"limit":10}"#;

#[test]
fn a_cooldown_runs_from_the_end_and_not_from_what_came_to_nothing() {
    let rules = LIMIT.replace("cooldown", "for: 4d, cooldown");
    let events = format!("0 {FULL}\n5 {EMPTY}\n40 {FULL}\n42 {EMPTY}\n43 {FULL}");
    check(&rules, &events, 90, &["4 raised warning limit", "5 cleared warning limit", "47 raised warning limit"]);
    // It runs for as long as it should.
    let within = format!("0 {FULL}\n5 {EMPTY}\n20 {FULL}");
    check(&rules, &within, 90, &["4 raised warning limit", "5 cleared warning limit", "39 raised warning limit"]);
}

#[test]
fn nor_does_it_run_from_what_was_held_back() {
    let (opened, solved) = (r#"ticket.opened {"ticket":"t"}"#, r#"ticket.solved {"ticket":"t"}"#);
    let events = format!("0 {FULL}\n1 {EMPTY}\n40 {opened}\n41 {FULL}\n42 {EMPTY}\n43 {solved}\n44 {FULL}");
    let expected = ["0 raised warning limit", "1 cleared warning limit", "41 raised warning limit (busy)", "44 raised warning limit"];
    check(LIMIT, &events, 90, &expected);
}

#[test]
fn what_is_held_back_by_the_cap_is_told_when_time_makes_it_critical() {
    let rules = "
settings: { owner_cap: { per_customer_week: 1 } }
signals:
  - { name: a, kind: attention, when: tickets_14d >= 1, warm_up: 0s, summary: x }
  - { name: b, kind: attention, when: tickets_14d >= 1, severity: { warning: true, critical: days_since_ticket >= 1.5 }, warm_up: 0s, summary: x }
";
    let expected = ["1 raised warning a", "1 raised warning b (owner-cap)", "2.5 raised critical b"];
    check(rules, "1 ticket.opened {\"ticket\":\"t\"}", 6, &expected);
}

/// Day 200 is 2024-07-19. All windows of the customer are empty by then, so that nothing of its own changes at midnight.
#[test]
fn the_end_of_a_holiday_is_seen_also_when_all_else_is_quiet() {
    let rules = "
holidays: { DE: [2024-07-19, 2024-07-20] }
signals:
  - { name: silence, kind: attention, when: days_since_login >= 200, HOLIDAY, warm_up: 0s, summary: x }
";
    let country = r#"0 account.updated {"country":"DE"}"#;
    let held = rules.replace("HOLIDAY", "unless: [holiday]");
    check(&held, country, 300, &["200 raised warning silence (holiday)", "202 raised warning silence"]);
    let asked = rules.replace("days_since_login >= 200, HOLIDAY", "days_since_login >= 200 && !holiday");
    check(&asked, country, 300, &["202 raised warning silence"]);
}

/// Nine quotas are one too many: for 90 days nobody knows the largest. The rule sleeps meanwhile, and no event wakes it.
#[test]
fn a_rule_wakes_when_what_was_missing_is_known_again() {
    let rules = "signals: [{ name: limit, kind: attention, when: quota_utilisation >= 0.8, warm_up: 0s, summary: x }]";
    let quotas: String = (0..9).map(|number| format!("1 quota {{\"name\":\"q{number}\",\"used\":9,\"limit\":10}}\n")).collect();
    check(rules, &quotas, 200, &["1 raised warning limit", "1 cleared warning limit", "91 raised warning limit"]);
}

/// It would depend on who looks when: whether it ends at once, or lasts until an end that is over by then comes again.
#[test]
fn what_would_end_at_once_does_not_begin_before_it_could_last() {
    let rules = "
signals:
  - { name: lead, kind: attention, when: days_since_lead < 60, until: days_since_expansion < 1, warm_up: 0s, summary: x }
  - { name: other, kind: attention, when: days_since_lead >= 0.25, warm_up: 0s, summary: x }
";
    let bought = |day: f64, mrr: u32| format!("{day} subscription.changed {{\"subscription\":\"s\",\"mrr_minor\":{mrr}}}\n");
    let events = format!("{}2.5 lead.recorded {{\"kind\":\"x\"}}\n{}", bought(2.0, 2000), bought(10.0, 3000));
    check(rules, &events, 50, &["2.75 raised warning other", "3 raised warning lead", "10 cleared warning lead"]);
    let slowly = rules.replace("until: days_since_expansion < 1,", "until: days_since_expansion < 1, until_for: 12h,");
    let expected = ["2.5 raised warning lead", "2.75 raised warning other", "10.5 cleared warning lead"];
    check(&slowly, &events, 50, &expected);
}
