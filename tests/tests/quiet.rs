//! Silence before a cut-over: what would have been sent is decided, and what is still open at its end is raised then, once.

use std::collections::BTreeMap;
use std::sync::Arc;

use bellwether_engine::expression::Expression;
use bellwether_engine::feature::{Feature, FeatureSet};
use bellwether_engine::outcome::OUTCOME_REASON;
use bellwether_engine::rule_set::RuleSet;
use bellwether_engine::signal::{Output, Transition};
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};
use bellwether_tests::company::{START, company};
use bellwether_tests::folding::{Cuts, default_rules, fold, signals};

/// What an episode is about: customer, rule, object.
type About = (String, String, String);

/// A transition: what, when, the reason if it was not sent, and whether it was raised at the end of the silence.
type Told = (Transition, Time, String, bool);

/// Transitions in the order in which they happened.
type Lives = BTreeMap<About, Vec<Told>>;

fn quiet_rules(until: Time) -> Arc<RuleSet> {
    let RuleSet { number, rules, settings, .. } = Arc::into_inner(default_rules()).expect("nobody else has it");
    let mut settings = settings;
    settings.quiet_until = until;
    Arc::new(RuleSet::new(number, rules, settings))
}

fn lives(outputs: &[Vec<Output>]) -> Lives {
    let mut lives = Lives::new();
    for output in outputs.iter().flatten() {
        let (signal, reason) = match output {
            Output::Signal(signal) => (signal, ""),
            Output::Decision(signal, reason) => (signal, &**reason),
            Output::Kpis(_) => continue,
        };
        // When an outcome is known, and how old an episode is, depends on when it was told.
        let reads_age = |condition: &Expression| FeatureSet(condition.features()).contains(Feature::AgeDays);
        if reason == OUTCOME_REASON || signal.rule.severity.iter().any(|(_, condition)| reads_age(condition)) {
            continue;
        }
        let about = (signal.customer.to_string(), signal.rule.name.clone(), signal.object.to_string());
        lives.entry(about).or_default().push((signal.transition, signal.time, reason.to_owned(), signal.backfilled));
    }
    lives
}

/// What silence until this time makes of a life.
fn silenced(loud: &[Told], until: Time) -> Vec<Told> {
    let is_end = |transition| matches!(transition, Transition::Cleared | Transition::Expired | Transition::Resolved);
    let raised_late = (Transition::Raised, until, String::new(), true);
    let (mut told, mut is_open_in_silence) = (Vec::new(), false);
    for (transition, time, reason, _) in loud {
        let (transition, time) = (*transition, *time);
        let is_over = time > until || (time == until && !is_end(transition) && reason.is_empty());
        if is_open_in_silence && is_over {
            told.push(raised_late.clone());
            is_open_in_silence = false;
            if time == until {
                // A change of severity at this very instant is part of the raise.
                continue;
            }
        }
        let is_quiet = reason.is_empty() && (is_open_in_silence || time < until);
        is_open_in_silence = is_quiet && !is_end(transition);
        told.push((transition, time, if is_quiet { "quiet".to_owned() } else { reason.clone() }, false));
    }
    told.extend(is_open_in_silence.then_some(raised_late));
    told
}

#[test]
fn silence_changes_what_is_sent_and_nothing_else() {
    for (seed, day, hour) in [(1, 50, 7), (2, 80, 0), (3, 20, 13)] {
        let events = company(seed, 30, 120);
        let end = Time(START.0 + 130 * DAY_MS);
        let until = Time(START.0 + day * DAY_MS + hour * HOUR_MS);
        let loud = lives(&fold(&events, &default_rules(), 2, end, Cuts::None).1);
        let quiet = lives(&fold(&events, &quiet_rules(until), 2, end, Cuts::None).1);
        let count = |wanted: fn(&Told) -> bool| quiet.values().flatten().filter(|told| wanted(told)).count();
        let (held, backfilled) = (count(|(_, _, reason, _)| reason == "quiet"), count(|(.., backfilled)| *backfilled));
        assert!(held > 10 && backfilled > 5, "seed {seed}: {held} held back, {backfilled} backfilled");
        assert!(loud.keys().eq(quiet.keys()), "seed {seed}");
        for (about, life) in &loud {
            assert_eq!(quiet[about], silenced(life, until), "seed {seed}, {about:?}");
        }
        let early = quiet.values().flatten().find(|(_, time, reason, _)| reason.is_empty() && *time < until);
        assert_eq!(early, None, "seed {seed}");
    }
}

#[test]
fn cuts_and_partitions_do_not_show() {
    let events = company(4, 20, 100);
    let (until, end) = (Time(START.0 + 45 * DAY_MS), Time(START.0 + 110 * DAY_MS));
    let expected = signals(&events, &quiet_rules(until), 1, end, Cuts::None);
    assert!(expected.iter().any(|line| line.contains("\"backfilled\":true")), "something is still open at the end of the silence");
    for seed in 0..5 {
        assert!(signals(&events, &quiet_rules(until), 3, end, Cuts::Random(seed)) == expected, "seed {seed}");
    }
}
