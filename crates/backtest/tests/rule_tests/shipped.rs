//! The shipped rule pack has no mistakes, passes its own tests, and tests every rule.

use bellwether_backtest::rule_tests::{coverage, run};
use bellwether_codec::rules::RuleFile;
use bellwether_engine::rule::Kind;

#[test]
fn the_default_pack_passes_its_tests() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rules/default.yaml")).unwrap();
    let file = RuleFile::parse("default.yaml", &text).unwrap_or_else(|errors| panic!("{errors}"));
    let failed: Vec<String> = run(&file).iter().filter(|result| !result.passed()).map(ToString::to_string).collect();
    let gaps: Vec<String> = coverage(&file).iter().map(ToString::to_string).collect();
    assert!(!file.tests.is_empty());
    assert!(failed.is_empty() && gaps.is_empty(), "{}\n{}", failed.join("\n"), gaps.join("\n"));
}

/// SIGNALS 2, inhibition: notice suppresses the other at-risk rules, and any open at-risk episode suppresses upsell and advocacy, as refused consent does.
#[test]
fn the_default_pack_inhibits_as_the_catalogue_says() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/rules/default.yaml")).unwrap();
    let file = RuleFile::parse("default.yaml", &text).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(file.rules.len(), 40);
    for rule in &file.rules {
        let names: Vec<&str> = rule.unless.iter().map(|index| file.settings.suppressions[*index].name.as_str()).collect();
        let wanted: &[&str] = match rule.kind {
            Kind::AtRisk if rule.name == "notice-given" => &[],
            Kind::AtRisk if rule.name == "ticket-spike" => &["notice-given", "recent-incident"],
            Kind::AtRisk => &["notice-given"],
            Kind::Upsell | Kind::Advocacy => &["at-risk", "no-consent"],
            _ => &[],
        };
        let missing: Vec<_> = wanted.iter().filter(|wanted| !names.contains(wanted)).collect();
        // A rule may ask for consent in its condition.
        let asks = rule.when.source().contains("marketing_consent");
        assert!(missing.iter().all(|missing| **missing == "no-consent" && asks), "{}: {names:?} lacks {missing:?}", rule.name);
    }
}
