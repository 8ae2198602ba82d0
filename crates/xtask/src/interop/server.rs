//! `hoplog serve` as a child on a free port, ended with us whatever happens.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::outcome::Failure;
use crate::process;

/// A debug build on a busy machine opens its store and listens well within this.
const START: Duration = Duration::from_secs(20);

pub(super) struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

/// Where it keeps entries.
pub(super) enum Store {
    Sqlite,
    /// The address of an empty database.
    PostgreSql(String),
}

impl Store {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::PostgreSql(_) => "postgresql",
        }
    }
}

impl Server {
    /// Starts with an empty data directory and returns once it accepts connections.
    pub(super) fn start(program: &Path, data: &Path, store: &Store) -> Result<Self, Failure> {
        if data.exists() {
            std::fs::remove_dir_all(data).map_err(|error| Failure::io("remove", data, &error))?;
        }
        std::fs::create_dir_all(data).map_err(|error| Failure::io("create", data, &error))?;
        let address =
            free_address().map_err(|error| Failure::new(format!("no free port on loopback: {error}")))?;
        let log = data.join("serve.log");
        let create = || File::create(&log).and_then(|file| Ok((file.try_clone()?, file)));
        let (out, err) = create().map_err(|error| Failure::io("create", &log, &error))?;
        let mut command = Command::new(program);
        command.args(["serve", "--listen", &address.to_string()]).arg("--data-dir").arg(data.join("store"));
        if let Store::PostgreSql(address) = store {
            command.args(["--store", address]);
        }
        // A key of the developer's would lock the clients out: they cannot send one.
        command.env_remove("HOPLOG_API_KEY").stdin(Stdio::null()).stdout(out).stderr(err);
        let child = command.spawn().map_err(|error| process::not_started(&command, &error))?;
        let mut server = Self { child, address, log };
        server.wait()?;
        Ok(server)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it; an end of its own before this is a failure.
    pub(super) fn stop(mut self) -> Result<(), Failure> {
        match self.child.try_wait() {
            Ok(None) => Ok(()), // ended by drop
            _ => Err(self.failure("ended while it was in use")),
        }
    }

    fn wait(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + START;
        while TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_err() {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return Err(self.failure("ended before it listened"));
            }
            if Instant::now() > deadline {
                return Err(self.failure("did not listen in time"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn failure(&self, what: &str) -> Failure {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        Failure::new(format!("`hoplog serve` {what}; it said:\n{}", said.trim_end()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nobody holds the port between this and the server's bind, but the kernel hands it out again only after
/// going round all others.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_ends_at_once_is_a_failure_that_shows_what_it_said() {
        let data = std::env::temp_dir().join(format!("xtask-server-{}", std::process::id()));
        let error = Server::start(Path::new("/bin/echo"), &data, &Store::Sqlite).err().unwrap().to_string();
        std::fs::remove_dir_all(&data).unwrap();
        assert!(error.contains("ended before it listened"), "{error}");
        assert!(error.contains("serve --listen 127.0.0.1:"), "{error}");
    }
}
