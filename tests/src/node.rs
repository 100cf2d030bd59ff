//! Packages from npm, in directories that are kept.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use crate::broker::cache;
use crate::product::succeeded;

/// A directory with these packages in its `node_modules`, each given as `NAME@VERSION`; the first call on a machine downloads them.
///
/// # Panics
///
/// When Node.js is missing, or npm's registry does not answer.
#[must_use]
pub fn npm(packages: &[&str]) -> PathBuf {
    let kept = cache().join(format!("npm-{}", packages.join("-").replace(['@', '/'], "-")));
    let ready = kept.join("ready");
    fs::create_dir_all(&kept).expect("the cache can be written");
    // Tests run at once, in threads and in processes: one makes the directory, the others wait.
    let lock = File::create(kept.with_extension("lock")).expect("the cache can be written");
    lock.lock().expect("a file can be locked");
    if !ready.exists() {
        fs::write(kept.join("package.json"), r#"{ "private": true }"#).expect("the cache can be written");
        let mut command = Command::new("npm");
        command.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", "--loglevel", "error"]);
        let output = command.args(packages).current_dir(&kept).output();
        succeeded(&output.unwrap_or_else(|error| panic!("npm ({error}): `make setup` installs it")));
        fs::write(&ready, "").expect("the directory can be marked as ready");
    }
    kept
}
