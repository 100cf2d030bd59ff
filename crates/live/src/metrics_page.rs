//! The reference page of the metrics, as Markdown.

use std::fmt::Write as _;

use bellwether_engine::kpi::{MAX_LABELS, OTHER};
use bellwether_engine::outcome_counts::MAX_COUNTED_RULES;
use bellwether_engine::silence::MAX_SILENT_SOURCES;

use crate::currency_labels::MAX_CURRENCIES;
use crate::metrics::Metrics;
use crate::registry::Described;

const HEAD: &str = "\
# Metrics

This page is generated from the registered metrics; a test keeps it current (`UPDATE_GOLDEN=1 cargo test --test monitoring` rewrites it).

`GET /metrics` serves them in Prometheus' text format. There is no customer in any label, and whatever producers send, no label has more values than
[the table of labels](#labels) says.

- An instance tells of the partitions that it owns, and no longer of those that it lost. So gauges and counters add up over instances:
  `sum without (instance) (...)`. Ages, targets and settings are the exception: take the largest of them.
- While partitions move, what instances said last may not fit together. `job:bellwether_whole:sum` of
  [the recording rules](../prometheus/recording.yaml) has the sums while each partition is told of once, and nothing otherwise.
- Amounts are in minor units (cents), by currency, and are never added over currencies. Times are seconds.
- What is divided is divided in Prometheus: [the recording rules](../prometheus/recording.yaml) have each ratio once.
- Gauges count what is; those that say *since the journal was created* count the same on whichever instance the partition is. Counters count what
  this process did, and begin at zero with it.

| metric | type | labels | meaning |
|---|---|---|---|
";

/// The page, but for chapters about other processes.
#[must_use]
pub fn metrics_page() -> String {
    HEAD.to_owned() + &rows(Metrics::new().described()) + &labels()
}

/// Every label, what its values are, and what bounds their number.
#[must_use]
pub fn label_bounds() -> Vec<(&'static str, String)> {
    let listed = |what: &str| format!("{what} that the rule set lists, {MAX_LABELS} at most; what it does not list is `{OTHER}`");
    let fixed = |what: &str| format!("{what}, of a fixed list");
    let configured = |what: &str| format!("{what} of the configuration");
    vec![
        ("campaign", listed("campaigns")),
        ("change", fixed("what a rebalance did")),
        ("channel", listed("channels of tickets")),
        ("client", "clients of this process: one for each worker and role, with the name that the configuration gives".to_owned()),
        (
            "currency",
            format!(
                "codes of ISO 4217; codes that it does not list count as `XXX`, as money without a currency does. An instance tells {MAX_CURRENCIES} \
                 apart, those in which most customers pay; the rest is `{OTHER}`, a sum over currencies that have nothing in common"
            ),
        ),
        ("days", fixed("thresholds")),
        ("event", fixed("what happened to a state")),
        ("flow", fixed("what is counted in a month")),
        ("group", fixed("who was told")),
        ("industry", listed("industries")),
        ("kind", fixed("kinds of signals, of costs, or of clients")),
        ("kpi", "KPIs, of a fixed list".to_owned()),
        ("level", fixed("what is counted at present")),
        ("month", "`current`, `last`, `2_ago`, `3_ago`, `4_ago`".to_owned()),
        ("movement", fixed("how MRR or customers move")),
        ("outcome", fixed("outcomes of signals, or of transactions")),
        ("part", fixed("parts of the store")),
        ("partition", "partitions of the journal, of an input topic, or of the signals topic: owned ones alone".to_owned()),
        ("plan", listed("plans")),
        ("process", fixed("processes with a duration")),
        ("quadrant", fixed("quadrants")),
        ("reason", fixed("reasons of refusals")),
        ("result", fixed("what became of a request")),
        ("role", fixed("roles of workers")),
        ("route", configured("routes")),
        ("rule", format!("rules of the rule set, and of those before it; {MAX_COUNTED_RULES} at most, further ones are `{OTHER}`")),
        ("segment", listed("segments")),
        ("setting", fixed("settings")),
        ("severity", fixed("severities")),
        ("source", format!("{}; {MAX_SILENT_SOURCES} at most that are silent", configured("sources"))),
        ("stage", "stages of the rule set, and some of those before it".to_owned()),
        ("state", fixed("states of a process or of a producer")),
        ("step", fixed("steps of a campaign")),
        ("topic", configured("input topics")),
        ("transition", fixed("transitions of a signal")),
        ("trial", "`yes`, `no`".to_owned()),
        ("useful", "`true`, `false`".to_owned()),
    ]
}

fn labels() -> String {
    let mut page = "\n## Labels\n\n| label | values, and what bounds them |\n|---|---|\n".to_owned();
    for (label, bound) in label_bounds() {
        writeln!(page, "| `{label}` | {bound} |").expect("text takes text");
    }
    page
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
