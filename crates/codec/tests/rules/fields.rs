//! Every field of a rule file, and the defaults of those not given.

use bellwether_engine::customer::name_hash;
use bellwether_engine::feature::{Feature, FeatureSet};
use bellwether_engine::rule::{Kind, Mode, ObjectKind, Severity};
use bellwether_engine::settings::Settings;
use bellwether_engine::time::{DAY_MS, HOUR_MS, Time};

use crate::parse;

pub const EVERYTHING: &str = r#"
settings:
  warm_up: 14d
  core_features: [reports, api]
  gated_features: [pricing_page]
  first_value: first-value
  plan_features: { team: [reports, api], pro: [] }
  response_limits: { low: 72h, urgent: 30m }
  business_hours: { opens: 8, closes: 18 }
  priority: { value_mrr_minor: [1, 2, 3, 4, 5, 6.5], urgency_days: [1, 2, 3, 4, 5, 6] }
health:
  version: 7
  grades: { amber: 40, green: 70 }
  components:
    - { name: activity, weight: 3, inputs: { usage_ratio: [[0, 0], [0.6, 40], [1, 90]], logins_7d: [[-1, 0], [5, 100]] } }
    - { name: support, weight: 0.5, inputs: { nps: [[0, 0], [10, 100]] } }
  vetoes:
    - { name: notice, when: cancel_requested, cap: 10 }
stages:
  - { name: onboarding, when: "!onboarded" }
  - { name: churned, when: subscriptions == 0 && health < 20 }
suppressions:
  - { name: notice-given, when: cancel_requested }
  - { name: touched, when: days_since_touch < 7 }
signals:
  - name: slow-ticket
    kind: at_risk
    object: ticket
    params: { hours: 48, least: 0 }
    when: ticket_open_hours >= hours && mrr > least
    until: "!ticket_unsolved"
    for: 1h
    until_for: 2h
    cooldown: 14d
    severity: { critical: ticket_urgent, info: true, warning: ticket_open_hours >= 2 * hours }
    needs: [login, ticket.opened]
    unless: [touched, notice-given]
    warm_up: 0d
    priority: { job_size: 2, precision: 0.3 }
    mode: shadow
    summary: "A ticket is open for {ticket_open_hours} hours; limit {hours}"
    playbook: answer-now
  - { name: plain, kind: upsell, when: true, summary: Plain }
  - { name: held, kind: attention, when: true, inhibited_by: [plain, slow-ticket], summary: Held }
"#;

#[test]
fn settings() {
    let settings = parse(EVERYTHING).settings;
    assert_eq!(settings.warm_up_ms, 14 * DAY_MS);
    assert_eq!(settings.core_features, [name_hash("reports"), name_hash("api")]);
    assert_eq!(settings.gated_features, [name_hash("pricing_page")]);
    assert_eq!(settings.first_value, Some(name_hash("first-value")));
    let team = vec![name_hash("reports"), name_hash("api")];
    assert_eq!(settings.plan_features, [("team".to_owned(), team), ("pro".to_owned(), Vec::new())]);
    assert_eq!(settings.response_limit_hours, [72.0, 24.0, 8.0, 0.5]);
    assert_eq!((settings.business_hours.opens, settings.business_hours.closes), (8, 18));
    assert_eq!(settings.priority.value_mrr_minor, [1.0, 2.0, 3.0, 4.0, 5.0, 6.5]);
    assert_eq!(settings.priority.urgency_days, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn health_and_stages() {
    let settings = parse(EVERYTHING).settings;
    let [health] = settings.health.all() else { panic!("one profile") };
    assert_eq!((health.version, health.amber_from, health.green_from), (7, 40.0, 70.0));
    let components: Vec<_> = health.components.iter().map(|one| (one.name.as_str(), one.weight, one.inputs.clone())).collect();
    let activity = vec![
        (Feature::UsageRatio as u16, vec![(0.0, 0.0), (0.6, 40.0), (1.0, 90.0)]),
        (Feature::Logins7d as u16, vec![(-1.0, 0.0), (5.0, 100.0)]),
    ];
    let support = vec![(Feature::Nps as u16, vec![(0.0, 0.0), (10.0, 100.0)])];
    assert_eq!(components, [("activity", 3.0, activity), ("support", 0.5, support)]);
    let [veto] = health.vetoes.as_slice() else { panic!("one veto") };
    assert_eq!((veto.name.as_str(), veto.when.source(), veto.cap), ("notice", "cancel_requested", 10.0));
    let read = [Feature::UsageRatio, Feature::Logins7d, Feature::Nps, Feature::CancelRequested];
    assert_eq!(settings.health.features, FeatureSet::of(&read));
    let stages: Vec<_> = settings.stages.iter().map(|stage| (&*stage.name, stage.when.source())).collect();
    assert_eq!(stages, [("onboarding", "!onboarded"), ("churned", "subscriptions == 0 && health < 20")]);
    let suppressions: Vec<_> = settings.suppressions.iter().map(|one| (one.name.as_str(), one.when.source())).collect();
    assert_eq!(suppressions, [("notice-given", "cancel_requested"), ("touched", "days_since_touch < 7"), ("holiday", "holiday")]);
}

#[test]
fn a_signal() {
    let file = parse(EVERYTHING);
    let rule = &file.rules[0];
    assert_eq!((rule.name.as_str(), rule.hash, file.rule_lines[0]), ("slow-ticket", name_hash("slow-ticket"), 26));
    assert_eq!((rule.kind, rule.object, rule.mode), (Kind::AtRisk, Some(ObjectKind::Ticket), Mode::Shadow));
    assert_eq!(rule.when.source(), "ticket_open_hours >= hours && mrr > least");
    assert_eq!(rule.until.as_ref().map(|until| until.source()), Some("!ticket_unsolved"));
    assert_eq!((rule.hold_ms, rule.clear_hold_ms, rule.cooldown_ms), (HOUR_MS, 2 * HOUR_MS, 14 * DAY_MS));
    let severity: Vec<_> = rule.severity.iter().map(|(severity, when)| (*severity, when.source())).collect();
    let warning = (Severity::Warning, "ticket_open_hours >= 2 * hours");
    assert_eq!(severity, [(Severity::Info, "true"), warning, (Severity::Critical, "ticket_urgent")]);
    assert_eq!((rule.needs.len(), rule.unless.as_slice(), rule.warm_up_ms), (2, [1, 0].as_slice(), Some(0)));
    assert_eq!((rule.job_size, rule.precision, rule.playbook.as_str()), (2, 0.3, "answer-now"));
    assert_eq!(rule.summary.source(), "A ticket is open for {ticket_open_hours} hours; limit {hours}");
}

#[test]
fn a_signal_that_others_hold_back() {
    assert_eq!(parse(EVERYTHING).rules[2].inhibited_by, [name_hash("plain"), name_hash("slow-ticket")]);
}

#[test]
fn defaults_of_a_signal() {
    let file = parse(EVERYTHING);
    let rule = &file.rules[1];
    assert_eq!((rule.kind, rule.object, rule.mode), (Kind::Upsell, None, Mode::Live));
    assert!(
        rule.until.is_none() && rule.needs.is_empty() && rule.unless.is_empty() && rule.inhibited_by.is_empty() && rule.playbook.is_empty()
    );
    assert_eq!((rule.hold_ms, rule.clear_hold_ms, rule.cooldown_ms, rule.warm_up_ms), (0, 0, 0, None));
    let severity: Vec<_> = rule.severity.iter().map(|(severity, when)| (*severity, when.source())).collect();
    assert_eq!((severity.as_slice(), rule.job_size, rule.precision), ([(Severity::Warning, "true")].as_slice(), 3, 0.2));
}

#[test]
fn defaults_of_a_file() {
    let file = parse("signals: []");
    assert!(file.rules.is_empty() && file.tests.is_empty());
    let mut settings = file.settings;
    assert_eq!(settings.suppressions.iter().map(|one| &*one.name).collect::<Vec<_>>(), ["holiday"], "it is built in");
    settings.suppressions.clear();
    assert_eq!(format!("{settings:?}"), format!("{:?}", Settings::default()));
}

#[test]
fn a_rule_set_has_all_of_it() {
    let file = parse(EVERYTHING);
    let set = file.rule_set(12);
    assert_eq!((set.number, set.rules.len(), set.settings.stages.len()), (12, 3, 2));
    assert_eq!(file.hash, parse(EVERYTHING).hash);
    assert_ne!(file.hash, parse(&format!("{EVERYTHING}\n# more")).hash);
}

#[test]
fn anchors_merges_and_a_byte_order_mark_are_fine() {
    let text = "\u{feff}signals:\r\n- &a { name: a, kind: attention, when: true, summary: x }\r\n- { <<: *a, name: b }\r\n";
    let names: Vec<_> = parse(text).rules.iter().map(|rule| rule.name.clone()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn the_end_of_silence_is_a_time_or_a_day() {
    let quiet_until = |text: &str| parse(&format!("quiet_until: {text}\nsignals: []")).settings.quiet_until;
    assert_eq!(quiet_until("2026-01-01T08:00:00Z"), Time(1_767_254_400_000));
    assert_eq!(quiet_until("2026-01-01"), Time(1_767_225_600_000));
    assert_eq!(parse("signals: []").settings.quiet_until, Time::MIN);
}
