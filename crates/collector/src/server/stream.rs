//! A connection that is watched: a head must come in time, an answer must be taken in time. (A body's time is
//! watched where it is read.)

use super::way::Way;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How far a connection's requests are: begins and ends, counted together. Odd while one is at work; what is read
/// then is its body.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicU64);

impl Progress {
    pub(super) fn request_began(&self) {
        self.0.fetch_or(1, Relaxed);
    }

    /// Whether no request has come yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.0.load(Relaxed) == 0
    }

    pub(super) fn request_ended(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A stream with deadlines.
pub(super) struct Watched {
    stream: Way,
    progress: Arc<Progress>,
    /// Where the progress was at the last read.
    seen: u64,
    header_time: Duration,
    write_idle: Duration,
    /// Runs from the connection's start, later from a head's first byte, to the head's end.
    head: Option<Pin<Box<Sleep>>>,
    /// Runs while a write waits.
    write: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(super) fn new(
        stream: Way,
        progress: Arc<Progress>,
        header_time: Duration,
        write_idle: Duration,
    ) -> Self {
        let head = Some(Box::pin(sleep(header_time)));
        Self { stream, progress, seen: 0, header_time, write_idle, head, write: None }
    }

    /// Passes a write's result on, and fails one that has waited too long.
    fn watch_write<T>(&mut self, result: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.write = None;
            return result;
        }
        let idle = self.write_idle;
        let deadline = self.write.get_or_insert_with(|| Box::pin(sleep(idle)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Watched {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let progress = this.progress.0.load(Relaxed);
        if progress != this.seen {
            this.seen = progress; // a head has ended since
            this.head = None;
        } else if let Some(head) = &mut this.head
            && head.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        let at_work = progress % 2 == 1;
        if !at_work && this.head.is_none() && buf.filled().len() > before {
            this.head = Some(Box::pin(tokio::time::sleep_until(Instant::now() + this.header_time)));
        }
        result
    }
}

impl AsyncWrite for Watched {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.watch_write(result, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.watch_write(result, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
