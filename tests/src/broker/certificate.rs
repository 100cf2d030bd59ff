//! A certificate that a secured broker signs for itself, and one of a client that it trusts.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The password of the key stores; they live as long as the test.
pub(super) const STORE_PASSWORD: &str = "store-password";

/// The name of the client with a certificate.
pub(super) const CLIENT: &str = "CN=client";

/// The key store of the broker in this directory.
pub(super) fn store(home: &Path) -> PathBuf {
    home.join("broker.p12")
}

/// The certificate of the broker in this directory, as PEM.
pub(super) fn path(home: &Path) -> PathBuf {
    home.join("broker.pem")
}

/// The key store of the client.
pub(super) fn client_store(home: &Path) -> PathBuf {
    home.join("client.p12")
}

/// The certificates of clients that the broker trusts.
pub(super) fn trusted(home: &Path) -> PathBuf {
    home.join("trusted.p12")
}

/// Makes key stores and certificates.
pub(super) fn make(home: &Path) {
    let [of_broker, of_client] = [path(home), home.join("client.pem")].map(|path| path.display().to_string());
    let names = ["-dname", "CN=localhost", "-ext", "san=ip:127.0.0.1,dns:localhost", "-ext", "bc=ca:true"];
    keytool(&store(home), &[&["-genkeypair", "-keyalg", "EC"], &names[..]].concat());
    keytool(&store(home), &["-exportcert", "-rfc", "-file", &of_broker]);
    keytool(&client_store(home), &["-genkeypair", "-keyalg", "EC", "-dname", CLIENT]);
    keytool(&client_store(home), &["-exportcert", "-rfc", "-file", &of_client]);
    keytool(&trusted(home), &["-importcert", "-noprompt", "-file", &of_client]);
}

fn keytool(store: &Path, arguments: &[&str]) {
    let mut command = Command::new("keytool");
    command.args(arguments).args(["-alias", "own", "-storetype", "PKCS12", "-storepass", STORE_PASSWORD, "-keystore"]).arg(store);
    let output = command.output().expect("keytool comes with Java");
    assert!(output.status.success(), "keytool: {}", String::from_utf8_lossy(&output.stdout));
}
