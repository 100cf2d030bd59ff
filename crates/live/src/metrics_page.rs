//! The reference page of the metrics, as Markdown.

use std::fmt::Write as _;

use crate::metrics::Metrics;
use crate::registry::Described;

const HEAD: &str = "\
# Metrics

This page is generated from the registered metrics; a test keeps it current (`UPDATE_GOLDEN=1 cargo test --test monitoring` rewrites it).

`GET /metrics` serves them in Prometheus' text format. There is no customer in any label: labels are bounded by the rules, by the names that the
rule set lists (segments, plans, industries, channels, campaigns, stages), and by the partitions and sources of the configuration.

- An instance tells of the partitions that it owns, and no longer of those that it lost. So gauges and counters add up over instances:
  `sum without (instance) (...)`. Ages, targets and settings are the exception: take the largest of them.
- Amounts are in minor units (cents), by currency, and are never added over currencies. Times are seconds.
- What is divided is divided in Prometheus: [the recording rules](../prometheus/recording.yaml) have each ratio once.
- Gauges count what is; those that say *since the journal was created* count the same on whichever instance the partition is. Counters count what
  this process did, and begin at zero with it.

| metric | type | labels | meaning |
|---|---|---|---|
";

/// The page.
#[must_use]
pub fn metrics_page() -> String {
    HEAD.to_owned() + &rows(Metrics::new().described())
}

/// A chapter of the page about metrics of another process.
#[must_use]
pub fn chapter(title: &str, text: &str, described: Vec<Described>) -> String {
    format!("\n## {title}\n\n{text}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n{}", rows(described))
}

fn rows(described: Vec<Described>) -> String {
    let mut page = String::new();
    for metric in described {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind, help) = (metric.name, metric.kind, metric.help.replace('|', "\\|"));
        writeln!(page, "| `{name}` | {kind} | {} | {help} |", labels.join(", ")).expect("text takes text");
    }
    page
}
