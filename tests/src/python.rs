//! Python with packages from PyPI, in virtual environments that are kept.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use crate::broker::cache;
use crate::product::succeeded;

/// Python's Kafka client.
pub const CONFLUENT_KAFKA: &str = "confluent-kafka==2.16.1";

/// What judges the alarms of a log.
pub const JUDGE: [&str; 2] = ["scikit-learn==1.9.1", "zstandard==0.25.0"];

/// The Python of an environment that has these packages, each given as `NAME==VERSION`; the first call on a machine downloads them.
///
/// # Panics
///
/// When Python is missing, or PyPI does not answer.
#[must_use]
pub fn python(packages: &[&str]) -> PathBuf {
    let kept = cache().join(format!("python-{}", packages.join("-").replace("==", "-")));
    let (python, ready) = (kept.join("bin/python"), kept.join("ready"));
    // Tests run at once, in threads and in processes: one makes the environment, the others wait.
    let lock = File::create(kept.with_extension("lock")).expect("the cache can be written");
    lock.lock().expect("a file can be locked");
    if !ready.exists() {
        let run = |command: &mut Command| {
            let output = command.output().unwrap_or_else(|error| panic!("{command:?} ({error}): `make setup` installs Python"));
            succeeded(&output);
        };
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&kept));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages));
        fs::write(&ready, "").expect("the environment can be marked as ready");
    }
    python
}
