//! A broker that asks who is there: passwords from files, certificates of clients, and what each permission is needed for.

use std::fs;
use std::path::{Path, PathBuf};

use bellwether_tests::broker::{Broker, PASSWORD, STRANGER, USER, tool};
use bellwether_tests::company::company;
use bellwether_tests::product::Product;

use crate::support::{assert_as_replayed, journaled, log, wait_until};
use crate::wrong::end_of;

const PARTITIONS: u16 = 2;

/// A configuration with these properties of the client, and these files of such.
fn configured(product: &Product, properties: &str, files: &[(&str, &Path)]) -> PathBuf {
    let path = product.configuration("all");
    let text = fs::read_to_string(&path).expect("it was written");
    let files: Vec<String> = files.iter().map(|(name, path)| format!("{name}: {}", path.display())).collect();
    let section = format!("  client_files: {{ {} }}\n  client: {{ {properties},", files.join(", "));
    let configured = text.replace("  client: {", &section);
    assert_ne!(configured, text);
    fs::write(&path, configured).expect("it can be written");
    path
}

/// A file with a secret, as it is mounted: with a line end.
fn secret(product: &Product, name: &str, value: &str) -> PathBuf {
    let path = product.directory.path().join(name);
    fs::write(&path, format!("{value}\n")).expect("it can be written");
    path
}

/// The instance takes in a company and raises signals, and shows no secret.
fn assert_works(product: &Product, path: &Path, seed: u64) {
    let before = journaled(product, PARTITIONS).len();
    let events = company(seed, 10, 60);
    product.produce(&events);
    let published = product.published().len();
    let mut running = [("all", product.start_with(path, "all", "all", 1))];
    wait_until(product, &mut running, "all is journaled", || journaled(product, PARTITIONS).len() >= before + events.len());
    wait_until(product, &mut running, "there are signals", || product.published().len() > published);
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    let said = fs::read_to_string(product.log("all")).expect("it has logged");
    assert!(!said.contains(PASSWORD), "a password is shown:\n{said}");
}

#[test]
fn passwords_and_certificates_open_the_door() {
    let broker = Broker::start_secured();
    let product = Product::new(broker.inside(), "door", PARTITIONS);
    product.create();
    let product = product.reached_through(broker.bootstrap());
    let (certificate, password) = (broker.certificate(), secret(&product, "password", PASSWORD));
    for (seed, mechanism) in [(41, "SCRAM-SHA-512"), (42, "PLAIN")] {
        let properties = format!(
            "security.protocol: SASL_SSL, sasl.mechanism: {mechanism}, sasl.username: {USER}, ssl.ca.location: {}",
            certificate.display()
        );
        assert_works(&product, &configured(&product, &properties, &[("sasl.password", &password)]), seed);
    }

    let product = product.reached_through(broker.mutual());
    let without = format!("security.protocol: SSL, ssl.ca.location: {}", certificate.display());
    let (key_store, key_password) = broker.client_key_store();
    let with = format!("{without}, ssl.keystore.location: {}", key_store.display());
    let key_password = secret(&product, "key-password", key_password);
    assert_works(&product, &configured(&product, &with, &[("ssl.keystore.password", &key_password)]), 43);
    let count = product.replayed().len();
    let path = configured(&product, &with, &[("ssl.keystore.password", &key_password)]);
    let mut running = [("all", product.start_with(&path, "all", "process", 1))];
    wait_until(&product, &mut running, "all is processed", || product.published().len() >= count);
    let [(_, instance)] = running;
    assert_eq!(instance.stop(), Some(0));
    assert!(assert_as_replayed(&product) > 20);
}

/// What a run needs, one after the other, and what it says as long as it lacks it.
const PERMISSIONS: [(&[&str], &str); 4] = [
    (&["--topic", "*", "--operation", "Read", "--operation", "Describe", "--operation", "DescribeConfigs"], "asking for the topic"),
    (&["--transactional-id", "*", "--operation", "Write", "--operation", "Describe"], "ransactional"),
    (&["--group", "*", "--operation", "Read"], "roup"),
    (&["--topic", "*", "--operation", "Write"], "opic"),
];

#[test]
fn what_is_not_permitted_is_named() {
    let broker = Broker::start_secured();
    let product = Product::new(broker.inside(), "allowed", PARTITIONS);
    product.create();
    product.produce(&company(44, 10, 60));
    let product = product.reached_through(broker.bootstrap());
    let password = secret(&product, "password", PASSWORD);
    let properties = format!(
        "security.protocol: SASL_SSL, sasl.mechanism: SCRAM-SHA-512, sasl.username: {STRANGER}, ssl.ca.location: {}",
        broker.certificate().display()
    );
    let path = configured(&product, &properties, &[("sasl.password", &password)]);
    for (permission, why) in PERMISSIONS {
        _ = fs::remove_file(product.log("all"));
        let code = end_of(&product, "all", &mut product.start_with(&path, "all", "all", 1));
        let said = log(&product, "all");
        let last = said.lines().rfind(|line| line.starts_with("error: ")).unwrap_or_default();
        println!("{last}");
        assert!(code == Some(3) && last.contains(why) && last.contains("uthor"), "{why}: exit code {code:?}\n{said}");
        assert!(!said.contains("panicked") && !said.contains(PASSWORD), "{said}");
        let principal = format!("User:{STRANGER}");
        broker.tool(tool::ACLS, &[&["--add", "--force", "--allow-principal", &principal], permission].concat());
    }
    assert_works(&product, &path, 45);
}
