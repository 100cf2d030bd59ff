//! Python with a package from PyPI, in an environment that is kept between runs.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use crate::broker::cache;
use crate::product::succeeded;

/// The Python of an environment that has a package such as `duckdb==2.0.1`; the first call on a machine downloads it.
///
/// # Panics
///
/// When Python is missing, or the package cannot be installed.
#[must_use]
pub fn python(package: &str) -> PathBuf {
    let kept = cache().join(format!("python-{}", package.replace("==", "-")));
    let (python, ready) = (kept.join("bin/python"), kept.join("ready"));
    // Tests run side by side, and the first of them installs.
    let lock = File::create(kept.with_extension("lock")).expect("the cache can be written to");
    lock.lock().expect("a file can be locked");
    if !ready.exists() {
        let run = |command: &mut Command| {
            let output = command.output().unwrap_or_else(|error| panic!("{command:?} ({error}): `make setup` installs Python"));
            succeeded(&output);
        };
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&kept));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]));
        fs::write(&ready, "").expect("the environment can be marked as ready");
    }
    python
}
