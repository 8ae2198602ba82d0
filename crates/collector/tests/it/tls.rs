//! TLS: what is spoken where, certificates that change, and handshakes that never end.

use crate::chaos::{figure, skipped, times};
use crate::process::hoplog;
use crate::support::{RUNTIME, Server, TempDir, connect, request};
use hoplog_collector::Limits;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A certificate for localhost and its key; `None` where there is no openssl to make them.
fn certificate(directory: &Path) -> Option<(PathBuf, PathBuf)> {
    let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match made {
        Ok(status) if status.success() => Some((certificate, key)),
        _ => {
            skipped("TLS", "there is no openssl that makes certificates");
            None
        }
    }
}

/// Asks over TLS, trusting that certificate alone.
fn ask_securely(address: SocketAddr, trusted: &Path) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    RUNTIME.block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.map_err(|e| e.to_string())?;
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect(name, stream).await.map_err(|e| e.to_string())?;
        let ask = b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(ask).await.map_err(|e| e.to_string())?;
        let mut answer = Vec::new();
        // A peer that closes without a word of TLS has said all all the same.
        let _ = stream.read_to_end(&mut answer).await;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    })
}

/// An address of this machine that is not loopback's; nothing is sent to find it.
fn beyond_loopback() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn certificates_that_change_are_served_without_a_restart() {
    let directory = TempDir::new();
    let Some((certificate_file, key)) = certificate(directory.path()) else { return };
    let server = Server::with(|config| config.tls(&certificate_file, &key));
    assert!(ask_securely(server.address, &certificate_file).unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(server.get("/readyz").status, 200, "loopback may speak plainly");
    let old = directory.path().join("old.pem");
    std::fs::copy(&certificate_file, &old).unwrap();
    certificate(directory.path()).unwrap();
    let began = Instant::now();
    while ask_securely(server.address, &certificate_file).is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "the new certificate is not served");
        std::thread::sleep(Duration::from_millis(50));
    }
    figure("tls.reloaded_after", began.elapsed().as_millis(), "ms");
    assert!(ask_securely(server.address, &old).is_err(), "the old one is gone");
    // Files that are no certificates leave it as it is, and /readyz says so.
    std::fs::write(&key, "no key").unwrap();
    let began = Instant::now();
    while server.get("/readyz").json()["warnings"] == serde_json::json!([]) {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(ask_securely(server.address, &certificate_file).unwrap().starts_with("HTTP/1.1 200"));
}

#[test]
fn handshakes_that_never_end_are_closed_in_time() {
    let directory = TempDir::new();
    let Some((certificate_file, key)) = certificate(directory.path()) else { return };
    let limit = Duration::from_millis(500);
    let server = Server::with(|config| {
        let mut limits = Limits::default();
        (limits.handshake_time, limits.connections_per_address) = (limit, 4_096);
        config.limits(limits).tls(&certificate_file, &key)
    });
    let count = times(60, 2_000);
    // Nothing; the head of a record; a record that says it is longer than what comes.
    let beginnings: [&[u8]; 3] = [b"", &[22, 3, 1], &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 0, 0, 0]];
    let longest = std::thread::scope(|scope| {
        let held: Vec<_> = (0..count)
            .map(|n| {
                let beginning = beginnings[n % beginnings.len()];
                scope.spawn(move || {
                    let mut stream = connect(server.address);
                    let began = Instant::now();
                    stream.write_all(beginning).unwrap();
                    let _ = stream.read_to_end(&mut Vec::new());
                    began.elapsed()
                })
            })
            .collect();
        held.into_iter().map(|held| held.join().unwrap()).max().unwrap()
    });
    figure("tls.stalled", count, "count");
    figure("tls.stalled_closed_after_at_most", longest.as_millis(), "ms");
    assert!(longest <= limit + Duration::from_secs(1), "{longest:?}");
    assert!(ask_securely(server.address, &certificate_file).unwrap().starts_with("HTTP/1.1 200"));
}

#[test]
fn beyond_loopback_nothing_is_plain_or_open_by_accident() {
    let Some(address) = beyond_loopback() else {
        skipped("plain HTTP beyond loopback", "this machine has no other address");
        return;
    };
    let directory = TempDir::new();
    let listen: SocketAddr = (address, 0).into();
    let data = directory.path().to_str().unwrap();
    let on = listen.to_string();
    let serve = ["serve", "--listen", &on, "--data-dir", data];
    let output = hoplog(&serve).env("HOPLOG_API_KEY", "hl_key").output().unwrap();
    let why = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && why.contains("pass --tls-cert and --tls-key"), "{why}");
    let key = [("authorization", "Bearer hl_key"), ("content-type", "application/json")];
    let body = br#"{"logs":[{"message":"x"}]}"#;
    // Told to: a key is needed all the same, and /readyz says so.
    let server = Server::with(|config| config.listen(listen).api_key("hl_key").insecure_listen(true));
    assert_eq!(request(server.address, "GET", "/stats", &[], b"").status, 401);
    assert_eq!(request(server.address, "POST", "/logs", &key, body).status, 200);
    let ready = request(server.address, "GET", "/readyz", &[], b"").json();
    assert!(ready["warnings"][0].as_str().unwrap().contains("--insecure-listen"), "{ready}");
    // From a network that is open: entries in, nothing out.
    let server = Server::with(|config| config.listen(listen).open_from(format!("{address}=shop")));
    assert_eq!(request(server.address, "POST", "/logs", &key[1..], body).status, 200);
    assert_eq!(
        request(server.address, "POST", "/logs", &[key[1], ("host", "logs.internal:8000")], body).status,
        200
    );
    assert_eq!(request(server.address, "GET", "/stats", &[], b"").status, 403);
    let page = [key[1], ("origin", "http://evil.example"), ("host", "evil.example")];
    assert_eq!(
        request(server.address, "POST", "/logs", &page, body).status,
        421,
        "a page by a name of its own"
    );
    let page = [key[1], ("origin", "http://evil.example")];
    assert_eq!(request(server.address, "POST", "/logs", &page, body).status, 403, "a page of another origin");
    // From one that is not: no word is exchanged.
    let server = Server::with(|config| config.listen(listen).open_from("198.51.100.0/24=shop"));
    assert_eq!(request(server.address, "POST", "/logs", &key, body).status, 0, "the connection is closed");
    // With TLS, whoever speaks plainly is told to speak it.
    let Some((certificate_file, key_file)) = certificate(directory.path()) else { return };
    let server =
        Server::with(|config| config.listen(listen).api_key("hl_key").tls(&certificate_file, &key_file));
    let told = request(server.address, "POST", "/logs", &key, body);
    assert_eq!(
        (told.status, told.json()["detail"].as_str()),
        (400, Some("this port speaks TLS: write https in the URL"))
    );
    assert!(ask_securely(server.address, &certificate_file).unwrap().starts_with("HTTP/1.1 200"));
}
