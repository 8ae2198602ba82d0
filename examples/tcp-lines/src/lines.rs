//! The destination: a connection while there is one, a file while there is none.
//!
//! Lines over TCP have no answer: what the other side had not read when its connection broke is lost, and nobody knows.
//! Who needs more needs a protocol with answers, such as the collector's.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hoplog::{Batch, Delivery, Destination};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// For connecting, and for each write.
const PATIENCE: Duration = Duration::from_secs(1);
/// At most so many bytes go in one write,
const PIECE: usize = 1 << 20;
/// and the file holds: when it is full, hoplog's own memory is next.
pub(crate) const MOST_KEPT: u64 = 64 << 20;

/// Where lines go.
#[derive(Debug)]
pub(crate) struct TcpLines {
    server: SocketAddr,
    fallback: PathBuf,
    connection: Option<TcpStream>,
}

impl TcpLines {
    pub(crate) fn new(server: SocketAddr, fallback: &Path) -> Self {
        Self { server, fallback: fallback.to_owned(), connection: None }
    }

    /// What the file has goes first, so that lines stay in order.
    async fn send(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => timeout(PATIENCE, TcpStream::connect(self.server)).await??,
        };
        if let Ok(kept) = fs::read(&self.fallback) {
            for piece in kept.chunks(PIECE) {
                timeout(PATIENCE, connection.write_all(piece)).await??;
            }
            fs::remove_file(&self.fallback)?;
        }
        timeout(PATIENCE, connection.write_all(lines)).await??;
        self.connection = Some(connection);
        Ok(())
    }

    fn keep(&self, lines: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.fallback)?;
        if file.metadata()?.len() + lines.len() as u64 > MOST_KEPT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        file.write_all(lines)
    }
}

impl Destination for TcpLines {
    async fn deliver(&mut self, batch: &Batch<'_>) -> Delivery {
        let lines = batch.json_lines();
        if self.send(&lines).await.is_ok() || self.keep(&lines).is_ok() {
            return Delivery::Delivered;
        }
        // Neither there nor here: hoplog keeps it for a while.
        Delivery::Retry
    }
}
