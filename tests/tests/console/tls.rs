//! The guarded listener with a certificate: it speaks TLS to whoever trusts that, and nothing else to anybody.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bellwether_tests::product::binary;
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::json;
use tempfile::TempDir;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use crate::support::{READ, Run, WRITE, event, get, with_tokens};

/// An authority that nobody knows yet.
fn authority(name: &str) -> (Certificate, Issuer<'static, KeyPair>) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    parameters.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key can be made");
    let certificate = parameters.self_signed(&key).expect("it can be signed");
    (certificate, Issuer::new(parameters, key))
}

/// Writes a certificate for this machine and its key, and gives the lines of the section that name them.
fn certificate(directory: &Path, name: &str, issuer: &Issuer<'static, KeyPair>) -> String {
    let parameters = CertificateParams::new(["127.0.0.1".to_owned()]).expect("the name is right");
    let key = KeyPair::generate().expect("a key can be made");
    let certificate = parameters.signed_by(&key, issuer).expect("it can be signed");
    let [of_certificate, of_key] = ["crt", "key"].map(|kind| directory.join(format!("{name}.{kind}")));
    fs::write(&of_certificate, certificate.pem()).expect("it can be written");
    fs::write(&of_key, key.serialize_pem()).expect("it can be written");
    format!("  tls_certificate_file: {}\n  tls_key_file: {}\n", of_certificate.display(), of_key.display())
}

/// A client that trusts this authority alone.
fn trusting(authority: &Certificate) -> Agent {
    let roots = RootCerts::new_with_certs(&[ureq::tls::Certificate::from_der(authority.der()).to_owned()]);
    let tls = TlsConfig::builder().root_certs(roots).build();
    Agent::config_builder().http_status_as_error(false).tls_config(tls).build().into()
}

#[test]
fn whoever_trusts_the_certificate_is_served_and_nobody_without_tls() {
    let directory = TempDir::with_prefix("bellwether-console-").expect("a temporary directory");
    let (root, issuer) = authority("ours");
    let lines = certificate(directory.path(), "ours", &issuer);
    let run = Run::start(directory, &format!("{}{lines}  request_timeout: 2s\n", with_tokens()), &[]);
    assert!(run.log().contains(&format!("the console is at https://{}/", run.console)));

    let agent = trusting(&root);
    let read = |token: &str| {
        let request = agent.get(format!("https://{}/v1/partitions", run.console)).header("authorization", format!("Bearer {token}"));
        request.call().unwrap_or_else(|error| panic!("{error}")).status().as_u16()
    };
    assert_eq!((read(READ), read(WRITE)), (200, 401));
    let body = event("c-1", 1, "login", 1, json!({})).to_string();
    let status = run.wait_for("an open queue", || {
        let request = agent.post(format!("https://{}/v1/events", run.console)).header("authorization", format!("Bearer {WRITE}"));
        let answer = request.header("content-type", "application/cloudevents+json").send(body.as_bytes());
        Some(answer.unwrap_or_else(|error| panic!("{error}")).status().as_u16()).filter(|status| *status != 503)
    });
    assert_eq!(status, 200);

    let stranger = trusting(&authority("a stranger").0);
    let refused = stranger.get(format!("https://{}/", run.console)).call().expect_err("the certificate is not trusted");
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    for without_tls in [format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", run.console), String::new()] {
        // Whoever says nothing is not waited for longer than a request may take.
        let mut stream = TcpStream::connect(&run.console).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("it can be set");
        stream.write_all(without_tls.as_bytes()).expect("it can be written");
        assert_eq!(read(READ), 200, "others are served meanwhile");
        let mut answer = Vec::new();
        // The end may come as a reset, since nobody reads what was sent.
        _ = stream.read_to_end(&mut answer).map_err(|error| assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset));
        assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(get(&format!("http://{}/livez", run.plain), &[]).status, 200, "the plain listener has no TLS and no customer data");
}

#[test]
fn a_new_certificate_is_taken_while_the_run_goes_on_and_a_broken_one_is_not() {
    const BROKEN: &str = "has changed and cannot be used";
    let directory = TempDir::with_prefix("bellwether-console-").expect("a temporary directory");
    let [(first, of_first), (second, of_second), (third, of_third)] = ["first", "second", "third"].map(authority);
    let lines = certificate(directory.path(), "ours", &of_first);
    let run = Run::start(directory, &format!("{}{lines}  tls_check_interval: 50ms\n", with_tokens()), &[]);
    // Each question is a connection of its own.
    let is_served = |root: &Certificate| trusting(root).get(format!("https://{}/", run.console)).call().is_ok();
    assert!(is_served(&first) && !is_served(&second));

    certificate(run.directory.path(), "ours", &of_second);
    run.wait_for("the second certificate", || is_served(&second).then_some(()));
    assert!(!is_served(&first));
    let told = run.log().matches(BROKEN).count();

    // A key of another certificate, no PEM at all, and no file: each is told once, and what there was is kept.
    certificate(run.directory.path(), "other", &of_third);
    let key = run.directory.path().join("ours.key");
    let other = run.directory.path().join("other.key");
    let replace = || fs::rename(&other, &key).expect("it can be replaced");
    let breaks: [&dyn Fn(); 3] = [
        &replace,
        &|| {
            fs::write(&other, "no key").expect("it can be written");
            replace();
        },
        &|| fs::remove_file(&key).expect("it can be removed"),
    ];
    for (number, break_it) in breaks.iter().enumerate() {
        break_it();
        run.wait_for("a warning", || (run.log().matches(BROKEN).count() > told + number).then_some(()));
        assert!(is_served(&second), "the one before is kept");
    }
    // Twenty times as long as it takes to look again.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(run.log().matches(BROKEN).count(), told + breaks.len(), "{}", run.log());
    assert!(!run.log().contains("PRIVATE"));

    certificate(run.directory.path(), "ours", &of_third);
    run.wait_for("the third certificate", || is_served(&third).then_some(()));
    assert!(!is_served(&second));
}

#[test]
fn a_certificate_that_is_of_no_use_is_told_by_its_name() {
    let directory = TempDir::with_prefix("bellwether-console-").expect("a temporary directory");
    let (_, issuer) = authority("ours");
    let (right, other) = (certificate(directory.path(), "right", &issuer), certificate(directory.path(), "other", &issuer));
    let [of_certificate, of_key] = [right.lines().next(), other.lines().nth(1)].map(|line| line.expect("a line").to_owned());
    let at = |name: &str| directory.path().join(name);
    let missing = format!("  tls_certificate_file: {}\n{of_key}", at("missing.crt").display());
    let key_twice = format!("  tls_certificate_file: {}\n{of_key}", at("other.key").display());
    for (lines, told) in [(format!("{of_certificate}\n{of_key}"), "other.key"), (missing, "missing.crt"), (key_twice, "other.key")] {
        let configuration = at("bellwether.yaml");
        let text = format!("data: {}\nmetrics: off\nconsole:\n  address: 127.0.0.1:0\n{lines}\n", at("data").display());
        fs::write(&configuration, text).expect("it can be written");
        let output = binary().args(["run", "--config"]).arg(&configuration).stdin(Stdio::null()).output().expect("the binary starts");
        let problem = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{problem}");
        assert!(problem.contains("TLS") && problem.contains(told) && !problem.contains("PRIVATE"), "{problem}");
    }
}
