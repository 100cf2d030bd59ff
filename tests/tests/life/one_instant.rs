//! No two records have one id, also where very much happens at one instant.

use std::collections::BTreeSet;

use bellwether_tests::company::Random;

use super::play::play;

/// A rule about things, one about the customer as a whole, and one whose outcome is told later; a notice holds two of them back.
const RULES: &str = "
settings: { horizon: 10d, min_lead: 1d }
suppressions: [{ name: notice, when: cancel_requested }]
signals:
  - { name: ticket, kind: attention, object: ticket, when: ticket_unsolved, unless: [notice], warm_up: 0s, summary: x }
  - { name: tickets, kind: attention, when: tickets_open >= 1, severity: { warning: true, critical: tickets_open >= 2 }, warm_up: 0s, summary: x }
  - { name: more, kind: upsell, when: tickets_open >= 1, unless: [notice], warm_up: 0s, summary: x }
";

/// Of two of these about one thing at one instant, the later one here has the last word.
const HAPPENINGS: [&str; 7] = [
    r#"ticket.opened {"ticket":"t"}"#,
    r#"ticket.solved {"ticket":"t"}"#,
    r#"ticket.reopened {"ticket":"t"}"#,
    r#"ticket.opened {"ticket":"u"}"#,
    r#"ticket.solved {"ticket":"u"}"#,
    "cancellation.requested {}",
    "cancellation.withdrawn {}",
];
const OPENED: usize = 0;
const SOLVED: usize = 1;
const REOPENED: usize = 2;
const OTHER_OPENED: usize = 3;
const OTHER_SOLVED: usize = 4;
const REQUESTED: usize = 5;
const WITHDRAWN: usize = 6;

/// The ids of all that is told when these things happen, each on its day.
#[track_caller]
fn check(happened: &[(u64, usize)]) -> usize {
    let events: String = happened.iter().map(|(day, what)| format!("{day} {}\n", HAPPENINGS[*what])).collect();
    let played = play(RULES, &events, 40);
    let told: Vec<_> = played.ids.iter().zip(&played.lines).collect();
    let ids: BTreeSet<_> = played.ids.iter().collect();
    assert_eq!(ids.len(), told.len(), "{events}\n{told:#?}");
    told.len()
}

/// How many records are told when these happen at one instant, not counting what comes of it later.
#[track_caller]
fn at_once(happened: &[usize]) -> usize {
    let happened: Vec<_> = happened.iter().map(|what| (1, *what)).collect();
    check(&happened)
}

#[test]
fn raised_again_at_the_instant_of_the_end() {
    // Each of three rules raises, clears and raises; the first episode of an upsell has an outcome too, and so has the second.
    assert_eq!(at_once(&[OPENED, SOLVED, REOPENED]), 11);
    // Also where the thing was looked at in between, and the other one is open.
    assert_eq!(at_once(&[OPENED, SOLVED, OTHER_OPENED, OTHER_SOLVED, REOPENED]), 18);
}

#[test]
fn held_back_and_raised_at_one_instant() {
    assert_eq!(at_once(&[REQUESTED, OPENED, WITHDRAWN]), 6);
    // Held back twice before.
    assert_eq!(at_once(&[REQUESTED, OPENED, SOLVED, REOPENED, WITHDRAWN]), 10);
}

#[test]
fn whatever_happens_at_two_instants() {
    let mut told = 0;
    for seed in 0..300 {
        let mut random = Random(seed);
        let mut happened: Vec<_> = (0..12).map(|_| (1 + random.below(2), random.below(HAPPENINGS.len() as u64) as usize)).collect();
        happened.sort_by_key(|(day, _)| *day);
        told += check(&happened);
    }
    assert!(told > 2_000, "{told} records say little");
}
