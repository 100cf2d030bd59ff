//! The public sample logs, which are not part of the repository: they are looked for where `BELLWETHER_SAMPLE_LOGS` says, or in `../shared/data` beside
//! the checkout.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A sample log, for what a test makes of it. Where its place is named it must be there; beside the checkout it may be missing, which is told even where
/// tests are quiet.
///
/// # Panics
///
/// When the place is named, and the log is not there.
#[must_use]
pub fn sample_log(name: &str, undone: &str) -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let named = env::var_os("BELLWETHER_SAMPLE_LOGS").map(PathBuf::from);
    // An absolute directory replaces what it is joined to.
    let log = checkout.join(named.as_deref().unwrap_or(Path::new("../shared/data"))).join(name);
    if log.is_file() {
        return Some(log);
    }
    assert!(named.is_none(), "{} is not there", log.display());
    let told = format!("NOT RUN: {name} is not beside the checkout and BELLWETHER_SAMPLE_LOGS is not set, so {undone}\n");
    // Not by a macro, whose text a passing test keeps to itself.
    std::io::stderr().write_all(told.as_bytes()).expect("standard error takes text");
    None
}
