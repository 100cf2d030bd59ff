//! Kafka's own files: taken from Maven Central once, then kept outside of the checkout.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const POM: &str = include_str!("../../kafka/pom.xml");

/// The directory with all that a broker's class path needs. The first call on a machine downloads some 40 MB.
pub(super) fn libraries() -> PathBuf {
    let caches = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = caches.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache"))).expect("HOME is set");
    let kept = caches.join("bellwether").join(format!("kafka-{}", version()));
    if !kept.is_dir() {
        fs::create_dir_all(caches.join("bellwether")).expect("the cache directory can be made");
        download(&kept);
    }
    kept
}

fn version() -> &'static str {
    let (_, rest) = POM.split_once("<kafka.version>").expect("the pom pins the version");
    rest.split_once('<').expect("the pom pins the version").0
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
    assert!(output.status.success(), "mvn could not get Kafka {}:\n{said}", version());
    if let Err(error) = fs::rename(&libraries, kept) {
        assert!(kept.is_dir(), "{} cannot be made: {error}", kept.display());
    }
}
