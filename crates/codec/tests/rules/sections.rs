//! Sections that most rule files do without: own features, health profiles, stages, holidays, time zones.

use bellwether_engine::event_type::EventType;
use bellwether_engine::feature::Feature;
use bellwether_engine::own_feature::{FIRST_OWN_FEATURE, Filter, Gather, OwnFeature, Test};
use bellwether_engine::time::{Day, HOUR_MS};

use crate::{mistakes, parse};

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(mistakes(text), expected, "\n{text}");
}

const FEATURES: &str = r#"
features:
  - { name: exports_28d, event: usage, where: { feature: [export, report], count: { min: 2 } }, count: true, window: 28d, unit: exports }
  - { name: paid_minor, event: invoice.paid, sum: amount_minor, window: 112d }
  - { name: ticket_topics, event: ticket.opened, distinct: topic, window: 7d, doc: What they ask about. }
  - { name: last_value, event: usage, where: { feature: api }, last: value, window: 14d }
signals:
  - { name: a, kind: attention, when: exports_28d >= 3 && !has(last_value), summary: "{exports_28d} exports, {paid_minor} paid" }
"#;

#[test]
fn own_features() {
    let file = parse(FEATURES);
    let features: Vec<&OwnFeature> = file.settings.own.iter().collect();
    let filter = |field: &str, test| Filter { field: field.to_owned(), test };
    let texts = Test::OneOf(vec!["export".to_owned(), "report".to_owned()]);
    assert_eq!(features[0].filters, [filter("feature", texts), filter("count", Test::Between(2.0, f64::MAX))]);
    assert_eq!((features[0].event, &features[0].gather, features[0].window_days), (EventType::Usage, &Gather::Count, 28));
    assert_eq!(features[1].gather, Gather::Sum("amount_minor".to_owned()));
    assert_eq!((&features[2].gather, features[2].doc.as_str()), (&Gather::Distinct("topic".to_owned()), "What they ask about."));
    assert_eq!(features[3].gather, Gather::Last("value".to_owned()));
    let read = file.rules[0].features;
    assert!(read.has_number(FIRST_OWN_FEATURE) && read.has_number(FIRST_OWN_FEATURE + 3) && !read.has_number(FIRST_OWN_FEATURE + 1));
}

#[test]
fn what_decides_makes_another_feature_and_what_is_told_does_not() {
    let definition = |text: &str| {
        let file = parse(&format!("features:\n- {text}\nsignals: []"));
        file.settings.own.iter().next().map(OwnFeature::definition)
    };
    let plain = definition("{ name: a, event: usage, count: true, window: 28d }");
    assert_eq!(plain, definition("{ name: b, event: usage, count: true, window: 28d, unit: uses, doc: All of them. }"));
    for other in [
        "{ name: a, event: usage, count: true, window: 27d }",
        "{ name: a, event: login, count: true, window: 28d }",
        "{ name: a, event: usage, distinct: user, window: 28d }",
        "{ name: a, event: usage, where: { feature: api }, count: true, window: 28d }",
    ] {
        assert_ne!(plain, definition(other), "{other}");
    }
}

#[test]
fn mistakes_in_own_features() {
    let feature = |fields: &str| format!("features:\n- {{ name: a, event: usage, window: 7d, {fields} }}\nsignals: []");
    let ways = "2:3: a feature has one of `count: true`, `sum: FIELD`, `distinct: FIELD` and `last: FIELD`";
    check(&feature("unit: x"), &[ways]);
    check(&feature("count: true, sum: count"), &[ways]);
    check(&feature("sum: feature"), &["2:45: `sum` needs a field that holds a number, and `feature` does not"]);
    check(&feature("last: vlue"), &["2:46: unknown field of `usage` `vlue`; did you mean `value`?"]);
    let users = "2:68: `user` cannot be a condition; users are pseudonyms; count them by `distinct`";
    check(&feature("count: true, where: { user: u7 }"), &[users]);
    let text = "features:\n- { name: mrr, event: login, count: true, window: 7d }\n- { name: b, event: login, count: true, window: 113d }\nsignals: []";
    check(text, &["2:11: `mrr` is a feature already; choose another name", "3:49: window must be whole days from 1d to 112d"]);
    let same = "features:\n- { name: a, event: login, count: true, window: 7d }\n- { name: b, event: login, count: true, window: 7d }\nsignals: []";
    check(same, &["3:3: `b` is made of the same as `a`; states know features by what they are made of: use one of them"]);
    let many: String = (1..14).map(|days| format!("- {{ name: f{days}, event: login, count: true, window: {days}d }}\n")).collect();
    check(&format!("features:\n{many}signals: []"), &["14:3: a rule file has at most 12 features of its own, and this has 13"]);
}

const PROFILES: &str = r#"
health:
  version: 3
  grades: { amber: 40, green: 70 }
  good_from: { outcome: 65 }
  scale: [[20, 0], [60, 100]]
  components:
    - { name: use, weight: 1, axis: outcome, inputs: { logins_7d: [[0, 0], [5, 100]] } }
    - { name: care, weight: 2, axis: experience, inputs: { nps: [[0, 0], [10, 100]] } }
  profiles:
    - name: large
      segments: [enterprise, strategic]
      when: stage == "trial"
      version: 9
      grades: { amber: 50, green: 80 }
    - name: small
      when: seats <= 5
      components: [{ name: use, weight: 1, inputs: { logins_28d: [[0, 0], [5, 100]] } }]
stages:
  - { name: trial, when: subscriptions == 0 }
  - { name: customer, when: subscriptions > 0 }
signals:
  - { name: a, kind: attention, when: stage == "customer" && days_in_stage > 30, summary: "{stage}" }
"#;

#[test]
fn health_profiles_and_own_stages() {
    let settings = parse(PROFILES).settings;
    let [large, small, others] = settings.health.all() else { panic!("three profiles") };
    assert_eq!((large.name.as_str(), large.version, large.amber_from, large.components.len()), ("large", 9, 50.0, 2));
    assert_eq!((small.name.as_str(), small.version, small.green_from, small.components.len()), ("small", 1, 70.0, 1));
    assert_eq!((others.name.as_str(), others.version, others.good_from), ("", 3, [50.0, 65.0]));
    assert_eq!((others.scale.as_slice(), large.scale.as_slice()), (&[(20.0, 0.0), (60.0, 100.0)][..], &others.scale[..]));
    assert!(small.scale.is_empty(), "a scale is for the components it stands with");
    assert_eq!(large.segments, ["enterprise", "strategic"]);
    assert!(settings.stages_first && settings.health.features.contains(Feature::Stage), "the stage chooses a profile");
    assert_eq!(settings.stage_names(), ["trial", "customer"]);
}

#[test]
fn mistakes_in_profiles_and_stages() {
    let text = PROFILES.replace("when: subscriptions > 0", "when: health > 20");
    let help = "a health profile is chosen by the stage, so the stage comes first";
    check(&text, &[&format!("21:29: this reads health, which follows from the stage here; {help}")]);
    let text = PROFILES.replace("stage == \"customer\"", "stage == \"custmer\"");
    check(&text, &["23:48: \"custmer\" is not one of the labels; did you mean \"customer\"? The labels are \"trial\", \"customer\""]);
    let text = PROFILES.replace("      when: seats <= 5\n", "");
    check(&text, &["16:7: a health profile has `segments`, `when` or both: whom it is for"]);
    let stages: String = (0..13).map(|number| format!("- {{ name: s{number}, when: mrr > {number} }}\n")).collect();
    check(&format!("stages:\n{stages}signals: []"), &["14:3: a journey has at most 12 stages, and this has 13"]);
}

#[test]
fn holidays_and_time_zones() {
    let text = "
holidays:
  DE: [2026-12-25, 2026-04-03]
  us: [2026-12-24..2027-01-01]
settings:
  response_hours: business
  business_hours: { opens: 8, closes: 18, time_zone: Europe/Berlin, holidays: de }
signals:
  - { name: a, kind: at_risk, when: days_since_login > 30, unless: [holiday], summary: x }
";
    let file = parse(text);
    let settings = &file.settings;
    assert_eq!(settings.holidays.of("us").map(<[Day]>::len), Some(9));
    let hours = &settings.business_hours;
    assert!(settings.response_in_business_hours && hours.closed.len() == 2 && hours.closed.is_sorted());
    let midsummer = Day(20_620).start();
    assert_eq!(hours.zone.to_local(midsummer).since_ms(midsummer), 2 * HOUR_MS);
    assert!(file.rules[0].features.contains(Feature::Holiday));
    let section = file.time_zone_section().expect("the zone was looked up");
    let published = parse(&format!("{text}\n{section}"));
    assert_eq!((published.time_zone, &published.settings.business_hours), (None, hours));
}

#[test]
fn mistakes_in_holidays_and_time_zones() {
    check(
        "holidays: { DE: [2026-02-30], de: [] }\nsignals: []",
        &["1:18: `2026-02-30` is no day; write 2026-12-25, or 2026-12-24..2026-12-31", "1:31: there are two calendars of DE"],
    );
    check(
        "settings:\n  business_hours: { time_zone: Europe/Berln, holidays: FR }\nsignals: []",
        &[
            "2:32: unknown time zone `Europe/Berln`; names are those of the IANA time zone database, such as Europe/Berlin",
            "2:56: there is no calendar of FR; give its days under `holidays` of the file",
        ],
    );
}

#[test]
fn the_shipped_calendar_joins_the_default_pack() {
    let read = |path: &str| std::fs::read_to_string(format!("{}/../../deploy/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let joined = read("rules/default.yaml") + &read("calendars/public-holidays-2025-2027.yaml");
    let file = parse(&joined);
    for country in ["AT", "CH", "DE", "ES", "FR", "GB", "IT", "NL", "US"] {
        let days = file.settings.holidays.of(country).unwrap_or_default();
        assert!((12..=60).contains(&days.len()), "{country} has {} days in three years", days.len());
    }
    // Christmas of 2026 in Germany.
    assert_eq!(file.settings.holidays.is_holiday("DE", Day(20_812)), Some(true));
    let held: Vec<&str> = file.rules.iter().filter(|rule| rule.features.contains(Feature::Holiday)).map(|rule| &*rule.name).collect();
    assert_eq!(held.len(), 6, "rules 1 to 6: {held:?}");
}
