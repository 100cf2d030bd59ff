//! Receivers with a certificate: one of an authority of our own is trusted where `SSL_CERT_FILE` names that, and nothing is sent to any other.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::setup::{Setup, signal};

/// An authority with its certificate as PEM.
fn authority() -> (String, Issuer<'static, KeyPair>) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().expect("a key can be made");
    let certificate = parameters.self_signed(&key).expect("it can be signed").pem();
    (certificate, Issuer::new(parameters, key))
}

/// A receiver over TLS that takes everything; it lives as long as the process.
struct Receiver {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// With a certificate of this authority, for this name.
    fn start(issuer: &Issuer<'static, KeyPair>, name: &str) -> Self {
        let parameters = CertificateParams::new([name.to_owned()]).expect("the name is right");
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = parameters.signed_by(&key, issuer).expect("it can be signed");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("it is a key");
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
        let config = config.expect("versions are known").with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key);
        let config = Arc::new(config.expect("the key is that of the certificate"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).expect("the configuration is right");
                let request = take(StreamOwned::new(connection, stream.expect("it is accepted")));
                kept.lock().unwrap_or_else(PoisonError::into_inner).extend(request);
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One request, answered; nothing where the client goes away, as who does not trust us does.
fn take(mut stream: StreamOwned<ServerConnection, TcpStream>) -> Option<String> {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if body.len() >= length.expect("it says how long it is") {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").and_then(|()| stream.flush()).ok()?;
            return Some(body.to_owned());
        }
    }
}

#[test]
fn a_receiver_is_sent_to_where_its_certificate_is_trusted_and_its_own() {
    let ((ours, issuer), (_, stranger)) = (authority(), authority());
    let receivers = [(&issuer, "127.0.0.1"), (&issuer, "elsewhere.example"), (&stranger, "127.0.0.1")];
    let receivers = receivers.map(|(issuer, name)| Receiver::start(issuer, name));
    let route = |name: &str, receiver: &Receiver| format!("{{ name: {name}, url: \"https://{}/hook\", attempts: 1 }}", receiver.address);
    let names = ["ours", "of-another-name", "of-a-stranger"];
    let setup = Setup::new(&[0, 1, 2].map(|index| route(names[index], &receivers[index])));
    let roots = setup.directory.path().join("ours.pem");
    fs::write(&roots, ours).expect("it can be written");
    let counts = || receivers.each_ref().map(|receiver| receiver.requests().len());
    let letters = || names.map(|name| setup.letters(name).len());

    let line = signal(1, "c-1", None, "at_risk", "raised");
    setup.append(std::slice::from_ref(&line));
    let ran = setup.command(&["--once"]).env("SSL_CERT_FILE", &roots).output().expect("the binary runs");
    assert_eq!(ran.status.code(), Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!((counts(), letters()), ([1, 0, 0], [0, 1, 1]));
    assert_eq!(receivers[0].requests(), [line]);
    for name in &names[1..] {
        let letter = &setup.letters(name)[0];
        assert!(letter["detail"].as_str().is_some_and(|detail| detail.contains("certificate")), "{letter}");
    }

    // Without the variable the authorities of the system count, and ours is none of them.
    setup.append(&[signal(2, "c-1", None, "at_risk", "raised")]);
    let ran = setup.command(&["--once"]).env_remove("SSL_CERT_FILE").output().expect("the binary runs");
    assert_eq!(ran.status.code(), Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!((counts(), letters()), ([1, 0, 0], [1, 2, 2]));
}
