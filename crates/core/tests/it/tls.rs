//! Servers that are not who they should be: nothing is said to them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hoplog::{Client, Network};
use hoplog_testkit::facts::fact_blocking;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig, ServerConnection, Stream};

use crate::support::{LONG, assert_settled, builder, destination, in_a_child, kick, send};

/// An authority, and where its certificate is.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pem: PathBuf,
    dir: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let pem = dir.path().join("ca.pem");
        std::fs::write(&pem, issuer.pem()).unwrap();
        Self { issuer, pem, dir }
    }

    /// A server's configuration with a certificate for this name, as `change` has it.
    fn server(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Server {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Server { chain: certificate.der().to_vec(), key: key.serialize_der(), asks: None }
    }

    /// A client's certificate with its key.
    fn client(&self) -> PathBuf {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["shop".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let path = self.dir.path().join("client.pem");
        std::fs::write(&path, certificate.pem() + &key.serialize_pem()).unwrap();
        path
    }
}

struct Server {
    chain: Vec<u8>,
    key: Vec<u8>,
    /// The authority of whom it wants to see a certificate.
    asks: Option<Vec<u8>>,
}

/// A collector over TLS, and the bytes that it was told.
struct Running {
    address: SocketAddr,
    heard: Arc<AtomicUsize>,
    handshakes: Arc<AtomicUsize>,
    named: bool,
}

impl Running {
    /// By its name where it has a certificate for one: a name has a time of its own.
    fn url(&self) -> String {
        if self.named {
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("https://{}", self.address)
        }
    }
}

impl Server {
    fn start(self) -> Running {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = match self.asks {
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.into()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().unwrap())
            }
            None => config.with_no_client_auth(),
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key));
        let config = Arc::new(config.with_single_cert(vec![self.chain.into()], key).unwrap());
        let running = serve(move |mut tcp, heard| {
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut tls, &mut tcp);
            let mut request = Vec::new();
            let mut piece = [0; 16 << 10];
            while let Ok(n @ 1..) = stream.read(&mut piece) {
                heard.fetch_add(n, Ordering::Relaxed);
                request.extend_from_slice(&piece[..n]);
                let text = String::from_utf8_lossy(&request);
                let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
                let Ok(batch) = serde_json::from_str::<serde_json::Value>(body) else { continue };
                let body = format!("{{\"accepted\":{}}}", batch["logs"].as_array().unwrap().len());
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all((head + &body).as_bytes()).unwrap();
                request.clear();
            }
        });
        Running { named: true, ..running }
    }
}

/// Each connection by a thread of its own; what is left of the application's bytes it counts itself.
fn serve(each: impl Fn(std::net::TcpStream, &AtomicUsize) + Send + Sync + 'static) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (heard, handshakes) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let running =
        Running { address, heard: Arc::clone(&heard), handshakes: Arc::clone(&handshakes), named: false };
    let each = Arc::new(each);
    thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            handshakes.fetch_add(1, Ordering::Relaxed);
            let (each, heard) = (Arc::clone(&each), Arc::clone(&heard));
            thread::spawn(move || each(tcp, &heard));
        }
    });
    running
}

fn client_of(server: &Running, network: Network) -> Client {
    builder(server.url()).api_key("hl_secret").network(network).build().unwrap()
}

/// A peer that is tried, and gets nothing: after two attempts everything is still here.
fn is_told_nothing(case: &str, server: Running, network: Network) -> usize {
    let client = client_of(&server, network);
    send(&client, 3);
    for attempt in 1..=2 {
        kick(&client);
        fact_blocking(case, || (destination(&client).retries >= attempt).then_some(()));
    }
    let stats = destination(&client);
    assert_eq!((stats.in_flight, stats.dropped.total()), (3, 0), "{case}");
    assert!(server.handshakes.load(Ordering::Relaxed) >= 2, "{case}: it was tried");
    server.heard.load(Ordering::Relaxed)
}

#[test]
fn a_server_that_cannot_be_trusted_is_told_nothing_and_nothing_is_lost() {
    let authority = Authority::new();
    let known =
        || Network::new().root_certificates(&authority.pem).connect_timeout(Duration::from_millis(500));
    let good = || authority.server("localhost", |_| {});
    let other = Authority::new();
    let mut told = 0;
    let cases = [
        (
            "expired",
            authority.server("localhost", |p| p.not_after = rcgen::date_time_ymd(2001, 1, 1)),
            known(),
        ),
        (
            "not_yet",
            authority.server("localhost", |p| p.not_before = rcgen::date_time_ymd(4000, 1, 1)),
            known(),
        ),
        ("another_name", authority.server("other.test", |_| {}), known()),
        ("another_authority", other.server("localhost", |_| {}), known()),
        ("no_authority", good(), Network::new()),
        ("no_certificate_of_ours", Server { asks: Some(authority.issuer.der().to_vec()), ..good() }, known()),
    ];
    let mut tried = cases.len() + 2;
    // Side by side, for a client reads the system's certificates first.
    thread::scope(|scope| {
        let cases = cases.into_iter().map(|(case, server, network)| {
            (case, scope.spawn(move || is_told_nothing(case, server.start(), network)))
        });
        for (case, bytes) in cases.collect::<Vec<_>>() {
            let bytes = bytes.join().unwrap();
            println!("FIGURE transport.payload_bytes_to_{case} {bytes} B");
            told += bytes;
        }
    });
    // It takes the connection and says nothing; it answers with a version of TLS that is long gone.
    let silent = serve(|mut tcp, _| drop(tcp.read(&mut [0; 1 << 14]).map(|_| thread::sleep(LONG))));
    let old = serve(|mut tcp, _| drop(tcp.write_all(&[0x15, 3, 1, 0, 2, 2, 70])));
    for (case, server) in [("a_stalled_handshake", silent), ("tls_1_0", old)] {
        told += is_told_nothing(case, server, known());
    }
    println!("FIGURE transport.payload_bytes_to_bad_peers {told} B");
    println!("FIGURE transport.bad_peers {tried} kinds");
    assert_eq!(told, 0);
    // The controls: believed, and shown who calls, they are told everything.
    let server = good().start();
    let asking = Server { asks: Some(authority.issuer.der().to_vec()), ..good() }.start();
    for (server, network) in [(server, known()), (asking, known().client_certificate(authority.client()))] {
        tried += 1;
        let client = client_of(&server, network);
        send(&client, 3);
        client.flush_blocking(LONG).unwrap();
        assert_settled(&client, 3, 0);
        assert!(server.heard.load(Ordering::Relaxed) > 0);
    }
    assert_eq!(tried, 10);
}

#[test]
fn who_cannot_be_trusted_is_complained_about_and_asked_once_a_minute() {
    let test = "tls::who_cannot_be_trusted_is_complained_about_and_asked_once_a_minute";
    let output = in_a_child(test, || {
        let server = Authority::new().server("localhost", |_| {}).start();
        let client = client_of(&server, Network::new());
        send(&client, 1);
        kick(&client);
        fact_blocking("it was tried", || (destination(&client).retries == 1).then_some(()));
        send(&client, 1);
        thread::sleep(Duration::from_millis(700));
        assert_eq!(destination(&client).retries, 1, "a person has to help first");
    });
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("the collector cannot be trusted; check its certificate"), "{stderr}");
    assert!(stderr.contains("UnknownIssuer") && !stderr.contains("hl_secret"), "{stderr}");
}
