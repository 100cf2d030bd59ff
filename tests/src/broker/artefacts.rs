//! Kafka's own files: taken from Maven Central once, then kept outside of the checkout.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const POM: &str = include_str!("../../kafka/pom.xml");

/// The directory with all that a broker's class path needs. The first call on a machine downloads some 40 MB.
pub(super) fn libraries() -> PathBuf {
    let kept = cache().join(format!("kafka-{}-{}", between("<kafka.version>"), between("<version>")));
    if !kept.is_dir() {
        download(&kept);
    }
    kept
}

/// The directory of what the tests download once on a machine.
///
/// # Panics
///
/// When it cannot be made.
#[must_use]
pub fn cache() -> PathBuf {
    let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = caches.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache"))).expect("HOME is set");
    let cache = caches.join("bellwether");
    fs::create_dir_all(&cache).expect("the cache directory can be made");
    cache
}

/// The first value of an element of the pom: the version of Kafka, and that of the pom itself, which counts changes of the rest.
fn between(tag: &str) -> &'static str {
    let (_, rest) = POM.split_once(tag).expect("the pom has it");
    rest.split_once('<').expect("the pom has it").0
}

/// All or nothing, since several processes may do it at the same time.
fn download(kept: &Path) {
    let fresh = TempDir::with_prefix_in("kafka-", kept.parent().expect("it has a parent")).expect("a directory can be made");
    let (pom, libraries) = (fresh.path().join("pom.xml"), fresh.path().join("libraries"));
    fs::write(&pom, POM).expect("the pom can be written");
    let mut maven = Command::new("mvn");
    maven.args(["--quiet", "--batch-mode", "--no-transfer-progress", "-Dstyle.color=never", "--file"]).arg(&pom);
    maven.args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
    maven.arg(format!("-DoutputDirectory={}", libraries.display()));
    let output = maven.output().unwrap_or_else(|error| panic!("mvn cannot be run ({error}): `make setup` installs it"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "mvn could not get Kafka {}:\n{said}", between("<kafka.version>"));
    if let Err(error) = fs::rename(&libraries, kept) {
        assert!(kept.is_dir(), "{} cannot be made: {error}", kept.display());
    }
}
