//! A certificate that a secured broker signs for itself.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The password of the key store; the key store lives as long as the test.
pub(super) const STORE_PASSWORD: &str = "store-password";

/// The key store of the broker in this directory.
pub(super) fn store(home: &Path) -> PathBuf {
    home.join("broker.p12")
}

/// The certificate of the broker in this directory, as PEM.
pub(super) fn path(home: &Path) -> PathBuf {
    home.join("broker.pem")
}

/// Makes key store and certificate.
pub(super) fn make(home: &Path) {
    keytool(
        home,
        &["-genkeypair", "-keyalg", "EC", "-dname", "CN=localhost", "-ext", "san=ip:127.0.0.1,dns:localhost", "-ext", "bc=ca:true"],
    );
    keytool(home, &["-exportcert", "-rfc", "-file", &path(home).display().to_string()]);
}

fn keytool(home: &Path, arguments: &[&str]) {
    let mut command = Command::new("keytool");
    command.args(arguments).args(["-alias", "broker", "-storetype", "PKCS12", "-storepass", STORE_PASSWORD, "-keystore"]).arg(store(home));
    let output = command.output().expect("keytool comes with Java");
    assert!(output.status.success(), "keytool: {}", String::from_utf8_lossy(&output.stdout));
}
