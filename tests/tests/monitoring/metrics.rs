//! The metrics themselves: their reference page, their names, and that whatever is written about them names one that exists.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use bellwether_forward::metrics::ForwardMetrics;
use bellwether_live::metrics::Metrics;
use bellwether_live::metrics_page::{chapter, label_bounds, metrics_page};
use bellwether_live::registry::Described;

use crate::prometheus::check_metrics;
use crate::scaling::summed;
use crate::{deploy, files, read};

/// All metrics of all processes.
fn described() -> Vec<Described> {
    [Metrics::new().described(), ForwardMetrics::new().described()].concat()
}

/// Names of the series that there may be.
fn series() -> BTreeSet<String> {
    let described = described();
    let parts = |metric: &Described| match metric.kind {
        "histogram" => ["_bucket", "_sum", "_count"].map(|part| format!("{}{part}", metric.name)).to_vec(),
        _ => vec![metric.name.clone()],
    };
    described.iter().flat_map(parts).collect()
}

/// Words that are names of series or of recording rules.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"_:".contains(letter));
    words.map(|word| word.trim_end_matches(':')).filter(|word| word.contains("bellwether_"))
}

#[test]
fn the_reference_page_is_current() {
    let forwarding = "`bellwether forward` serves these, and none of the others. Its routes are those of the configuration.";
    let page = metrics_page() + &chapter("Forwarding", forwarding, ForwardMetrics::new().described());
    let path = deploy("reference/metrics.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    assert!(page == read(&path), "UPDATE_GOLDEN=1 rewrites {}", path.display());
}

#[test]
fn of_every_label_the_page_says_what_bounds_it() {
    let used: BTreeSet<String> = described().into_iter().flat_map(|metric| metric.labels).collect();
    let bounded: BTreeSet<String> = label_bounds().into_iter().map(|(label, _)| label.to_owned()).collect();
    assert_eq!(used, bounded);
}

/// Gauges and histograms of a process rather than of customers: what they say is not summed up where partitions move.
const OF_THE_PROCESS: [&str; 13] = [
    "breaker_open",
    "commit_seconds",
    "end_to_end_seconds",
    "ingest_seconds",
    "last_commit_timestamp_seconds",
    "owned_partitions",
    "paused",
    "process_seconds",
    "snapshot_timestamp_seconds",
    "transaction_seconds",
    "waiting_records",
    "watermark_age_seconds",
    "journal_time_seconds",
];

/// The beginnings of the names of others.
const OF_THE_PROCESS_TOO: [&str; 8] =
    ["forward_", "input_lag_", "journal_lag_", "journal_partitions", "kafka_client_", "partition_told", "restore_", "store_"];

/// Targets and settings are alike on all instances.
const OF_THE_RULES: [&str; 3] = ["kpi_money_target", "kpi_setting", "kpi_target"];

#[test]
fn what_is_told_of_customers_is_summed_up_with_all_its_labels() {
    let (names, labels) = summed();
    let (mut expected, mut of_them) = (BTreeSet::new(), BTreeSet::from(["le".to_owned()]));
    for metric in described().into_iter().filter(|metric| metric.kind != "counter") {
        let name = metric.name.strip_prefix("bellwether_").expect("all begin so");
        if OF_THE_PROCESS.contains(&name) || OF_THE_RULES.contains(&name) || OF_THE_PROCESS_TOO.iter().any(|start| name.starts_with(start))
        {
            continue;
        }
        let parts: &[&str] = if metric.kind == "histogram" { &["_bucket", "_count", "_sum"] } else { &[""] };
        expected.extend(parts.iter().map(|part| format!("{}{part}", metric.name)));
        of_them.extend(metric.labels);
    }
    assert_eq!(names, expected.into_iter().collect::<Vec<_>>());
    assert_eq!(labels, of_them.into_iter().collect::<Vec<_>>());
}

#[test]
fn a_metric_that_is_served_is_described() {
    let metrics = Metrics::new();
    let described: BTreeSet<String> = metrics.described().into_iter().map(|metric| metric.name).collect();
    let text = metrics.render();
    let served = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).filter_map(|line| line.split(' ').next());
    let unknown: Vec<&str> = served.filter(|name| !described.contains(*name)).collect();
    assert!(unknown.is_empty(), "registered past `bellwether_live::registry`: {unknown:?}");
    assert!(described.len() > 50);
}

#[test]
fn every_name_satisfies_promtool() {
    let mut text = String::new();
    for Described { name, kind, labels, help } in described() {
        let labels: Vec<String> = labels.iter().map(|label| format!("{label}=\"x\"")).collect();
        let labels = labels.join(",");
        writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("text takes text");
        let bucket = if labels.is_empty() { String::new() } else { format!("{labels},") };
        match kind {
            "histogram" => writeln!(text, "{name}_bucket{{{bucket}le=\"+Inf\"}} 1\n{name}_sum{{{labels}}} 1\n{name}_count{{{labels}}} 1"),
            _ => writeln!(text, "{name}{{{labels}}} 1"),
        }
        .expect("text takes text");
    }
    check_metrics(&text);
}

#[test]
fn every_metric_is_on_a_dashboard_itself_or_by_a_ratio() {
    let shown: Vec<String> =
        files("grafana/dashboards").iter().map(|path| read(path)).chain([read(&deploy("prometheus/recording.yaml"))]).collect();
    let shown: BTreeSet<&str> = shown.iter().flat_map(|text| names(text)).collect();
    let is_shown =
        |metric: &Described| ["", "_bucket", "_sum", "_count"].iter().any(|part| shown.contains(format!("{}{part}", metric.name).as_str()));
    let hidden: Vec<String> = described().into_iter().filter(|metric| !is_shown(metric)).map(|metric| metric.name).collect();
    assert_eq!(hidden, Vec::<String>::new());
}

#[test]
fn rules_dashboards_and_runbooks_name_what_exists() {
    let recorded = read(&deploy("prometheus/recording.yaml"));
    let recorded: BTreeSet<&str> = recorded.lines().filter_map(|line| line.trim().strip_prefix("- record: ")).collect();
    let series = series();
    let mut checked = 0;
    for file in ["prometheus", "runbooks", "grafana/dashboards"].into_iter().flat_map(files) {
        let text = read(&file);
        for name in names(&text) {
            checked += 1;
            let exists = if name.contains(':') { recorded.contains(name) } else { series.contains(name) };
            assert!(exists, "{}: there is no `{name}`", file.display());
        }
    }
    assert!(checked > 300, "only {checked} names were found");
}
