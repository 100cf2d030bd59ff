//! TLS of the guarded listener: a certificate and its key, read once when the process starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

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
}

impl TlsFiles {
    /// Reads both, for TLS 1.2 and 1.3.
    pub(crate) fn load(&self) -> Result<Arc<ServerConfig>, ConsoleError> {
        let certificates = CertificateDer::pem_file_iter(&self.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let certificates = certificates.map_err(|error| unusable(&self.certificate, &error))?;
        if certificates.is_empty() {
            return Err(unusable(&self.certificate, &"there is no certificate in it"));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| unusable(&self.key, &error))?;
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
