//! Dashboards as files: that Grafana can provision them, and the expressions in them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{files, read};

/// An expression of a panel.
pub struct Target {
    /// The dashboard's uid.
    pub dashboard: String,
    /// The panel's title.
    pub panel: String,
    /// The legend, which tells the targets of a panel apart.
    pub legend: String,
    /// PromQL, with variables.
    pub expression: String,
}

impl Target {
    /// The expression with values for the variables. What forwards has a job of its own.
    pub fn of(&self, job: &str, currency: &str) -> String {
        let forward = format!("{job}-forward");
        let values = [("$__rate_interval", "1m"), ("$job", job), ("$forward", &forward), ("$currency", currency)];
        let expression = values.iter().fold(self.expression.clone(), |text, (name, value)| text.replace(name, value));
        assert!(!expression.contains('$'), "{}: {}: a variable that is not known: {expression}", self.dashboard, self.panel);
        expression
    }
}

fn dashboards() -> Vec<Value> {
    let parse = |path: std::path::PathBuf| serde_json::from_str(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    files("grafana/dashboards").into_iter().map(parse).collect()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no `{name}` in {value}")).to_owned()
}

/// What the variables of the dashboards offer: the series that a variable looks at, and the label whose values it offers.
pub fn offers() -> Vec<(String, String)> {
    let mut offers = Vec::new();
    for dashboard in dashboards() {
        for variable in list(&dashboard["templating"], "list").iter().filter(|variable| variable["type"] == "query") {
            let query = text(&variable["query"], "query");
            let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
            let (series, label) = inner.and_then(|inner| inner.rsplit_once(", ")).unwrap_or_else(|| panic!("{query} is no label_values"));
            offers.push((series.to_owned(), label.to_owned()));
        }
    }
    offers
}

/// Every expression of every dashboard.
pub fn targets() -> Vec<Target> {
    let mut targets = Vec::new();
    for dashboard in dashboards() {
        for panel in list(&dashboard, "panels") {
            targets.extend(list(panel, "targets").iter().map(|target| Target {
                dashboard: text(&dashboard, "uid"),
                panel: text(panel, "title"),
                legend: text(target, "legendFormat"),
                expression: text(target, "expr"),
            }));
        }
    }
    targets
}

#[test]
fn there_are_three_with_fixed_uids_and_a_variable_for_the_data_source() {
    let uids: Vec<String> = dashboards().iter().map(|dashboard| text(dashboard, "uid")).collect();
    assert_eq!(uids, ["bellwether-customers", "bellwether-pipeline", "bellwether-signals"]);
    for dashboard in dashboards() {
        let variables = list(&dashboard["templating"], "list");
        assert!(variables.iter().any(|variable| variable["name"] == "datasource" && variable["type"] == "datasource"));
        for panel in list(&dashboard, "panels").iter().filter(|panel| panel["type"] != "row") {
            let sources = list(panel, "targets").iter().chain([panel]).map(|part| &part["datasource"]["uid"]);
            assert!(sources.into_iter().all(|uid| uid == "${datasource}"), "{}", panel["title"]);
        }
    }
}

#[test]
fn panels_have_ids_and_places_of_their_own() {
    for dashboard in dashboards() {
        let (mut ids, mut titles, mut places) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for panel in list(&dashboard, "panels") {
            let title = text(panel, "title");
            assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}: its id is not its own");
            assert!(titles.insert(title.clone()), "{title} is there twice");
            let of = |side: &str| panel["gridPos"][side].as_u64().unwrap_or_else(|| panic!("{title} has no {side}"));
            assert!(of("x") + of("w") <= 24, "{title} is wider than the page");
            let cells = (of("x")..of("x") + of("w")).flat_map(|x| (of("y")..of("y") + of("h")).map(move |y| (x, y)));
            assert!(cells.into_iter().all(|cell| places.insert(cell)), "{title} lies over another panel");
        }
    }
}

#[test]
fn the_first_row_has_the_nine_kpis() {
    let dashboards = dashboards();
    let panels = list(&dashboards[0], "panels");
    let first: Vec<String> = panels[1..10].iter().map(|panel| text(panel, "title")).collect();
    let expected =
        ["NPS", "Onboarding time", "CES", "Net retention", "MRR", "Current customers", "CLTV", "CAC", "Churn rate"].map(str::to_owned);
    assert_eq!(first, expected);
    for panel in &panels[1..10] {
        let has_target = list(panel, "targets").iter().any(|target| text(target, "expr").contains(":target{"));
        assert!(has_target, "{} has no target beside it", panel["title"]);
    }
}
