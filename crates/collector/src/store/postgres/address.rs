//! `postgres://…` as it is written, and what is made of it.
//!
//! `sslmode` is what PostgreSQL's own programs know, with one difference: a certificate is never taken unseen. Without
//! it TLS is needed to any host but this machine.

use super::trouble::chain;
use crate::error::StartError;
use std::net::IpAddr;
use std::path::PathBuf;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How a database is reached.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) config: Config,
    /// Whose certificates are trusted; the system's if none.
    pub(super) roots: Option<PathBuf>,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Self, StartError> {
        let wrong = |why: &str| {
            StartError::new(format!(
                "--store is not an address of PostgreSQL ({why}): postgres://USER@HOST:5432/DATABASE"
            ))
        };
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut roots, mut mode, mut others) = (None, None, Vec::new());
        for option in query.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslrootcert", path)) => roots = Some(PathBuf::from(path)),
                Some(("sslmode", name)) => mode = Some(name),
                _ => others.push(option),
            }
        }
        let plain = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
        let mut config: Config = plain.parse().map_err(|error| wrong(&chain(&error)))?;
        let here = |host: &Host| match host {
            Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
            Host::Unix(_) => true,
        };
        config.ssl_mode(match mode {
            Some("disable") => SslMode::Disable,
            Some("allow" | "prefer") => SslMode::Prefer,
            Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
            Some(_) => return Err(wrong("sslmode is disable, prefer, require or verify-full")),
            None if config.get_hosts().iter().all(here) && roots.is_none() => SslMode::Disable,
            None => SslMode::Require,
        });
        Ok(Self { config, roots })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_this_machine_tls_is_needed_unless_said_otherwise() {
        for (url, mode) in [
            ("postgres://u@127.0.0.1/d", SslMode::Disable),
            ("postgres://u@localhost:1/d", SslMode::Disable),
            ("postgres://u@%2Frun%2Fpostgresql/d", SslMode::Disable),
            ("postgres://u@db.example/d", SslMode::Require),
            ("postgres://u@db.example/d?application_name=a", SslMode::Require),
            ("postgres://u@db.example/d?sslmode=disable", SslMode::Disable),
            ("postgres://u@db.example/d?sslmode=prefer", SslMode::Prefer),
            ("postgres://u@127.0.0.1/d?sslmode=verify-full", SslMode::Require),
            ("postgres://u@127.0.0.1/d?sslrootcert=/ca.pem", SslMode::Require),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.config.get_ssl_mode(), mode, "{url}");
            assert_eq!(address.roots.is_some(), url.contains("sslrootcert"));
        }
        let said = Address::parse("postgres://u:hidden@h/d?sslmode=maybe").unwrap_err().to_string();
        assert!(
            said.contains("sslmode is disable, prefer, require or verify-full") && !said.contains("hidden")
        );
        assert!(Address::parse("postgres://u@h:no/d").is_err());
    }
}
