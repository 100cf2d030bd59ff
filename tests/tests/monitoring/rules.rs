//! Recording rules and alerts: they are well formed, each alert is driven to firing by its unit test, and has a page that says what to do.

use std::collections::BTreeSet;

use bellwether_engine::kpi::{MONEY_AMOUNTS, RED_CUSTOMERS, plain_targets};

use crate::prometheus::promtool;
use crate::{deploy, files, read};

/// An alert as it is written: its name, and the lines up to the next.
pub fn alerts() -> Vec<(String, String)> {
    let text = read(&deploy("prometheus/alerts.yaml"));
    let parts = text.split("      - alert: ").skip(1);
    parts.filter_map(|part| part.split_once('\n')).map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect()
}

#[test]
fn configuration_and_rules_are_well_formed() {
    let configuration = deploy("prometheus/prometheus.yaml");
    promtool(&["check", "config", configuration.to_str().expect("UTF-8")], "");
}

#[test]
fn unit_tests_of_alerts_and_recorded_series_pass() {
    let tests = ["alerts.test.yaml", "alerts.weeks.test.yaml", "alerts.forward.test.yaml", "recording.test.yaml", "whole.test.yaml"];
    for test in tests.map(|name| deploy("prometheus").join(name)) {
        promtool(&["test", "rules", test.to_str().expect("UTF-8")], "");
    }
}

#[test]
fn every_alert_fires_in_a_unit_test_and_stays_silent_in_another() {
    let tests = ["alerts.test.yaml", "alerts.weeks.test.yaml", "alerts.forward.test.yaml"]
        .map(|name| read(&deploy("prometheus").join(name)))
        .concat();
    let tests: Vec<&str> = tests.split("\n  - name: ").collect();
    assert!(alerts().len() > 20);
    for (name, _) in alerts() {
        let of_alert: Vec<&&str> = tests.iter().filter(|test| test.contains(&format!("alertname: {name}\n"))).collect();
        assert!(of_alert.iter().any(|test| test.contains("exp_labels:")), "no test has {name} firing");
        assert!(of_alert.iter().any(|test| test.contains("exp_alerts: []")), "no test has {name} silent");
    }
}

#[test]
fn every_alert_has_a_severity_and_a_page_that_names_it() {
    let mut pages = BTreeSet::new();
    for (name, text) in alerts() {
        let has = |severity| text.contains(&format!("severity: {severity} "));
        assert!(has("critical") || has("warning"), "{name} has no severity");
        let page = text.lines().find_map(|line| line.trim().strip_prefix("runbook: deploy/"));
        let page = deploy(page.unwrap_or_else(|| panic!("{name} has no runbook")));
        assert!(read(&page).contains(&format!("`{name}`")), "{} does not name {name}", page.display());
        pages.insert(page.file_name().expect("a name").to_owned());
    }
    let unused: Vec<_> = files("runbooks").into_iter().filter(|page| !pages.contains(page.file_name().expect("a name"))).collect();
    assert!(unused.is_empty(), "pages of no alert: {unused:?}");
}

#[test]
fn kpis_that_an_alert_names_have_targets_and_are_recorded() {
    let recorded = read(&deploy("prometheus/recording.yaml"));
    let mut named = BTreeSet::new();
    for (_, text) in alerts() {
        let names = text.split("kpi=~\"").skip(1).filter_map(|rest| rest.split_once('"'));
        named.extend(names.flat_map(|(names, _)| names.split('|').map(str::to_owned).collect::<Vec<_>>()));
    }
    // One alert names it with `=`.
    named.insert(RED_CUSTOMERS.name.to_owned());
    assert!(named.len() > 25, "{named:?}");
    for name in named {
        assert!(plain_targets().chain(&MONEY_AMOUNTS).any(|kpi| kpi.name == name), "no target can be set for {name}");
        assert!(recorded.contains(&format!("labels: {{ kpi: {name} }}\n")), "{name} is not recorded");
    }
}
