//! TLS: certificates from files, read again when they change.

use crate::config::Config;
use crate::error::StartError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How often it is looked whether the files changed.
const LOOK: Duration = Duration::from_secs(2);

/// What a handshake takes.
pub(crate) struct Tls {
    certificates: PathBuf,
    key: PathBuf,
    current: RwLock<Current>,
}

struct Current {
    config: Arc<ServerConfig>,
    stamp: Stamp,
    /// Why the files that are there now are not used.
    failing: Option<String>,
}

/// What tells files from those that were read before.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Tls {
    /// Reads the files, if there are any.
    pub(super) fn open(config: &Config) -> Result<Option<Arc<Self>>, StartError> {
        let (certificates, key) = match (&config.tls_cert, &config.tls_key) {
            (None, None) => return Ok(None),
            (Some(certificates), Some(key)) => (certificates.clone(), key.clone()),
            _ => return Err(StartError::new("TLS needs both: pass --tls-cert and --tls-key")),
        };
        let stamp = stamp(&certificates, &key);
        let config = read(&certificates, &key).map_err(StartError::new)?;
        let current = RwLock::new(Current { config, stamp, failing: None });
        Ok(Some(Arc::new(Self { certificates, key, current })))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current.config))
    }

    /// Why the files that are there now are not used, if so; those before them are.
    pub(crate) fn failing(&self) -> Option<String> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).failing.clone()
    }

    /// Reads the files again if they changed.
    pub(super) fn look(&self) {
        let found = stamp(&self.certificates, &self.key);
        let known = self.current.read().unwrap_or_else(PoisonError::into_inner).stamp;
        if found == known {
            return;
        }
        let read = read(&self.certificates, &self.key);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(config) => *current = Current { config, stamp: found, failing: None },
            Err(why) => (current.stamp, current.failing) = (found, Some(why)),
        }
    }

    /// Looks until the last other owner is gone.
    pub(super) async fn keep(tls: std::sync::Weak<Self>) {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(tls) = tls.upgrade() else { return };
            // Two small files; reading them holds nobody up.
            let _ = tokio::task::spawn_blocking(move || tls.look()).await;
        }
    }
}

fn stamp(certificates: &Path, key: &Path) -> Stamp {
    [certificates, key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn read(certificates: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let shown = |path: &Path, why: &dyn std::fmt::Display| format!("TLS: {}: {why}", path.display());
    // Read here, so that a missing file is told apart from one that is no PEM.
    let bytes = |path: &Path| fs::read(path).map_err(|e: io::Error| shown(path, &e));
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes(certificates)?).collect();
    let chain = chain.map_err(|e| shown(certificates, &e))?;
    if chain.is_empty() {
        return Err(shown(certificates, &"there is no certificate in it"));
    }
    let private = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|e| shown(key, &e))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|e| shown(certificates, &format!("with {}: {e}", key.display())))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
