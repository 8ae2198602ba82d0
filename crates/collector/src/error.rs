//! Why a collector did not start.

use crate::settings::Complaints;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

/// A collector did not start. Prints one line that says what is wrong and what to do.
#[derive(Debug)]
pub struct StartError {
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StartError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    fn because(message: String, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { message, source: Some(source.into()) }
    }

    pub(crate) fn listen(address: SocketAddr, error: std::io::Error) -> Self {
        let fix = SocketAddr::new(address.ip(), address.port().wrapping_add(1).max(1024));
        let message = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!("port {} is in use: stop the other process or pass --listen {fix}", address.port())
            }
            std::io::ErrorKind::PermissionDenied => {
                let port = address.port();
                format!(
                    "port {port} needs more rights than this process has: pass --listen with a port above 1023"
                )
            }
            _ => {
                format!("cannot listen on {address}: {error}: pass --listen with an address of this machine")
            }
        };
        Self::because(message, error)
    }

    pub(crate) fn open_without_key(address: SocketAddr) -> Self {
        Self::new(format!(
            "{address} can be reached from other machines, and there is no key: make one with `hoplog keys create` or set HOPLOG_API_KEY, or listen on 127.0.0.1"
        ))
    }

    pub(crate) fn plain_beyond_loopback(address: SocketAddr) -> Self {
        Self::new(format!(
            "{address} can be reached from other machines, and keys and entries would go there in the clear: pass --tls-cert \
             and --tls-key, or --insecure-listen behind a proxy that speaks TLS"
        ))
    }

    pub(crate) fn directory(path: &Path, error: std::io::Error) -> Self {
        let message = format!(
            "cannot write to the data directory {}: {error}: make it writable or pass --data-dir",
            path.display()
        );
        Self::because(message, error)
    }

    pub(crate) fn directory_in_use(path: &Path) -> Self {
        Self::new(format!(
            "the data directory {} is in use by another collector: stop it or pass --data-dir",
            path.display()
        ))
    }
}

impl From<Complaints> for StartError {
    fn from(complaints: Complaints) -> Self {
        Self::new(complaints.to_string())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
