//! Packages from npm for Node.js, in directories that are kept.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use crate::broker::cache;
use crate::product::succeeded;

/// A directory in which Node.js finds these packages, each given as `NAME@VERSION`; the first call on a machine downloads them. Their scripts
/// do not run.
///
/// # Panics
///
/// When npm is missing, or its registry does not answer.
#[must_use]
pub fn node_modules(packages: &[&str]) -> PathBuf {
    let kept = cache().join(format!("node-{}", packages.join("-").replace(['@', '/'], "-")));
    let ready = kept.join("ready");
    fs::create_dir_all(&kept).expect("the cache can be written");
    // Tests run at once, in threads and in processes: one installs, the others wait.
    let lock = File::create(kept.with_extension("lock")).expect("the cache can be written");
    lock.lock().expect("a file can be locked");
    if !ready.exists() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--prefix"]);
        let output = npm.arg(&kept).args(packages).output();
        succeeded(&output.unwrap_or_else(|error| panic!("npm cannot be run ({error}): `make setup` installs it")));
        fs::write(&ready, "").expect("the directory can be marked as ready");
    }
    kept
}
