//! The life of signals in a rule file: settings, `expires`, `age_days`, and the section `silences`.

use bellwether_engine::life_settings::{Churn, HoldOut, LifeSettings, Silence};
use bellwether_engine::time::{DAY_MS, Time};

use crate::{mistakes, parse};

const RULE: &str = "signals: [{ name: a, kind: at_risk, when: mrr > 0, expires: 40d, summary: x }]\n";

#[test]
fn what_is_given_counts_and_the_rest_stays() {
    let all = "settings:\n  churn: paid_end\n  horizon: 60d\n  min_lead: 7d\n  expires: 100d\n  snooze: 2d\n  inhibition: 9d\n  \
               hold_out: { share: 0.1, salt: autumn }\n  owner_cap: { per_customer_week: 3 }\n";
    let file = parse(&format!("{all}{RULE}"));
    let hold_out = HoldOut { share: 0.1, salt: "autumn".to_owned() };
    let expected = LifeSettings {
        churn: Churn::PaidEnd,
        horizon_ms: 60 * DAY_MS,
        min_lead_ms: 7 * DAY_MS,
        expires_ms: 100 * DAY_MS,
        snooze_ms: 2 * DAY_MS,
        inhibition_ms: 9 * DAY_MS,
        hold_out,
        owner_cap: Some(3),
        silences: Vec::new(),
    };
    assert_eq!((&file.settings.life, file.rules[0].expires_ms), (&expected, Some(40 * DAY_MS)));
    let file = parse(&format!("settings: {{ churn: end }}\n{RULE}silences:\n"));
    assert_eq!(file.settings.life, LifeSettings { churn: Churn::End, ..LifeSettings::default() });
}

#[test]
fn silences() {
    let text = "silences:\n- { name: s, rule: a, owner: ann, from: 2026-01-01, until: 2026-01-02T06:00:00Z, reason: away }\n\
                - { name: t, customer: c-1, segment: large, until: 2026-02-01 }\n";
    let silences = parse(&format!("{RULE}{text}")).settings.life.silences;
    let some = |text: &str| Some(text.to_owned());
    let (from, until) = (Time(1_767_225_600_000), Time(1_767_225_600_000 + 30 * DAY_MS / 24));
    let first =
        Silence { name: "s".to_owned(), rule: some("a"), owner: some("ann"), from, until, reason: "away".to_owned(), ..Silence::default() };
    assert_eq!(silences[0], first);
    assert_eq!((&silences[1].customer, &silences[1].segment, silences[1].from), (&some("c-1"), &some("large"), Time::MIN));
}

#[test]
fn mistakes_are_told_with_their_places() {
    let of = |rest: &str| mistakes(&format!("{RULE}{rest}"));
    for (text, expected) in [
        ("settings: { churn: gone }", "2:20: unknown churn `gone`; known are `notice`, `end`, `paid_end`"),
        ("settings: { horizon: 0d }", "2:22: `horizon` is over zero and at most ten years"),
        ("settings: { horizon: 5d }", "2:22: `min_lead` is longer than `horizon`: no signal could be in time"),
        ("settings: { owner_cap: {} }", "2:24: `per_customer_week` of the owner's cap is missing"),
        ("silences: [{ name: s, rule: b, until: 2026-01-01 }]", "2:29: unknown rule `b`; known are `a`"),
        ("silences: [{ name: s, until: 2026-01-01 }]", "2:12: a silence names a rule, a customer, an owner or a segment"),
        ("silences: [{ name: s, rule: a, from: 2026-01-02, until: 2026-01-02 }]", "2:12: a silence ends after it begins"),
        ("silences: [{ name: s, rule: a }]", "2:12: `until` of a silence is missing"),
    ] {
        assert_eq!(of(text), [expected], "{text}");
    }
    let two = "silences:\n- { name: s, rule: a, until: 2026-01-01 }\n- { name: s, rule: a, until: 2026-01-01 }";
    assert_eq!(of(two), ["4:3: there are two silences `s`"]);
}

#[test]
fn the_age_of_an_episode_stands_where_there_is_one() {
    let rule = |rest: &str| format!("signals: [{{ name: a, kind: attention, {rest} }}]");
    parse(&rule(
        "when: mrr > 0, until: age_days >= 9, severity: { info: true, critical: age_days >= 3 }, summary: 'since {age_days} days'",
    ));
    assert_eq!(
        mistakes(&rule("when: mrr > 0 && age_days >= 3, summary: x")),
        ["1:56: `age_days` is the age of an episode and cannot stand in `when`; it may stand in `severity`, `until` and `summary`"]
    );
    let suppression = format!("{RULE}suppressions: [{{ name: old, when: age_days >= 3 }}]");
    let [mistake] = &mistakes(&suppression)[..] else { panic!("one mistake") };
    assert!(mistake.contains("`age_days` is the age of an episode and cannot stand here"), "{mistake}");
}
