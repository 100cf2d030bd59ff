//! What an operator watches: metrics, rules, alerts and dashboards, held against Prometheus' own tools and a real Prometheus.

mod behind;
mod beside_kafka;
mod dashboards;
mod driven;
mod firing;
mod forwarding;
mod hand;
mod hostile;
mod independent;
mod metrics;
mod panels;
mod poisoned;
mod prometheus;
mod restoring;
mod rules;
mod scaling;
mod schema;
mod size;
mod trouble;
mod weeks;

use std::fs;
use std::path::{Path, PathBuf};

/// A file or directory of `deploy`.
fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(path)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files of a directory of `deploy`, by name.
fn files(directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(deploy(directory)).expect("the directory can be read");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}
