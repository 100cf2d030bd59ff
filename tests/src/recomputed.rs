//! KPIs recomputed from events by SQL, which shares nothing with the engine but the definitions.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::product::succeeded;
use crate::python::python;

/// The engine of the recomputation, from PyPI.
const DUCKDB: &str = "duckdb==2.0.1";

/// Numbers by name, none of them zero: counts, shares and means in millionths, amounts of money in hundredths of a minor unit.
pub type Numbers = BTreeMap<String, i64>;

/// What the events of a file come to at the end of each of these days.
///
/// # Panics
///
/// When Python or DuckDB cannot be had, or the events are not as `kpis.sql` expects them.
#[must_use]
pub fn recompute<'d>(events: &Path, days: impl Iterator<Item = &'d str>) -> BTreeMap<String, Numbers> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("kpis/recompute.py");
    let output = Command::new(python(&[DUCKDB])).arg(script).arg(events).args(days).output().expect("Python starts");
    succeeded(&output);
    let mut recomputed: BTreeMap<String, Numbers> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let [day, name, value] = parts[..] else { panic!("three parts: {line}") };
        recomputed.entry(day.to_owned()).or_default().insert(name.to_owned(), value.parse().expect("a whole number"));
    }
    recomputed
}
