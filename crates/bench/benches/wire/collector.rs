//! A collector, a process of its own with a store of its own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) struct Collector {
    process: Child,
    directory: PathBuf,
    address: SocketAddr,
    pub(crate) url: String,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let itself = std::env::current_exe().expect("this program");
        let beside = itself.parent().and_then(|deps| deps.parent()).expect("a target directory");
        let program = beside.join("hoplog");
        assert!(program.is_file(), "no {}: `cargo xtask bench wire` builds it", program.display());
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = port.local_addr().expect("an address");
        drop(port);
        let directory = std::env::temp_dir().join(format!("hoplog-wire-{}", std::process::id()));
        let mut command = Command::new(program);
        command.args(["serve", "--listen", &address.to_string(), "--data-dir"]).arg(&directory);
        let process = command.stdout(Stdio::null()).spawn().expect("the collector runs");
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "the collector listens");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { process, directory, address, url: format!("http://{address}") }
    }

    /// The entries that it has.
    pub(crate) fn stored(&self) -> u64 {
        let mut connection = TcpStream::connect(self.address).expect("the collector listens");
        connection
            .write_all(b"GET /stats HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .expect("it reads");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        let (_, rest) = answer.split_once("\"total_logs\":").expect("a count");
        rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse().ok()).expect("a number")
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
