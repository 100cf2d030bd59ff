//! TLS of the guarded listener: a certificate and its key, read when the process starts, and again when the files have changed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::error::ConsoleError;

/// The only protocol that is spoken within.
const HTTP_1_1: &[u8] = b"http/1.1";

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those between it and its root, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM: PKCS #8, PKCS #1 or SEC 1.
    pub key: PathBuf,
    /// How often they are looked at for a change.
    pub check_interval: Duration,
}

/// What the files hold.
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// By what a change is known; times of files tell less, where they are links that are turned to others.
type Fingerprint = [u8; 32];

/// With what the listener proves itself at present.
pub(crate) struct Identity {
    files: TlsFiles,
    current: RwLock<Arc<ServerConfig>>,
    /// What the files held when they were looked at last; nothing if they could not be read.
    seen: Mutex<Option<Fingerprint>>,
}

impl Identity {
    /// Reads both files.
    pub fn load(files: &TlsFiles) -> Result<Self, ConsoleError> {
        let contents = files.read()?;
        let current = RwLock::new(files.config(&contents)?);
        Ok(Self { files: files.clone(), current, seen: Mutex::new(Some(contents.fingerprint())) })
    }

    /// For the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Looks after the files until the process ends.
    pub async fn look_after(self: Arc<Self>) {
        loop {
            tokio::time::sleep(self.files.check_interval).await;
            let this = Arc::clone(&self);
            // Files may be far away, and no connection is to wait for them.
            if let Err(error) = tokio::task::spawn_blocking(move || this.look()).await {
                tracing::error!(%error, "looking after the certificate panicked");
            }
        }
    }

    /// Takes files that have changed. What cannot be used is told once, and what there was is kept.
    fn look(&self) {
        let contents = self.files.read();
        let found = contents.as_ref().ok().map(Contents::fingerprint);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == found {
            return;
        }
        *seen = found;
        match contents.and_then(|contents| self.files.config(&contents)) {
            Ok(config) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
                tracing::info!(certificate = %self.files.certificate.display(), "new connections get the new certificate");
            }
            Err(error) => tracing::warn!(%error, "the certificate or its key has changed and cannot be used: the one before is kept"),
        }
    }
}

impl Contents {
    fn fingerprint(&self) -> Fingerprint {
        // Which of the two a byte stands in counts too.
        Sha256::new()
            .chain_update(self.certificate.len().to_be_bytes())
            .chain_update(&self.certificate)
            .chain_update(&self.key)
            .finalize()
            .into()
    }
}

impl TlsFiles {
    fn read(&self) -> Result<Contents, ConsoleError> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| unusable(path, &error));
        Ok(Contents { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }

    /// For TLS 1.2 and 1.3.
    fn config(&self, contents: &Contents) -> Result<Arc<ServerConfig>, ConsoleError> {
        let certificates = CertificateDer::pem_slice_iter(&contents.certificate).collect::<Result<Vec<_>, _>>();
        let certificates = certificates.map_err(|error| unusable(&self.certificate, &error))?;
        if certificates.is_empty() {
            return Err(unusable(&self.certificate, &"there is no certificate in it"));
        }
        let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|error| unusable(&self.key, &error))?;
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
        let config = builder.and_then(|builder| builder.with_no_client_auth().with_single_cert(certificates, key));
        let mut config = config.map_err(|error| unusable(&self.key, &error))?;
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Arc::new(config))
    }
}

fn unusable(path: &Path, problem: &dyn std::fmt::Display) -> ConsoleError {
    ConsoleError::Tls { path: path.to_path_buf(), problem: problem.to_string() }
}
