//! How a connection speaks: TLS where there are certificates, plain HTTP where it may be.

use super::tls::Tls;
use crate::config::Limits;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// The first byte of a TLS handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

/// What is said in plain words to whoever does not speak TLS and must.
const TLS_ONLY: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\
    content-length: 92\r\n\r\n{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"this port speaks TLS: write https in the URL\"}";

/// The ways that there are.
#[derive(Clone)]
pub(super) struct Ways {
    pub(super) tls: Option<Arc<Tls>>,
    /// Plain HTTP from anywhere.
    pub(super) insecure: bool,
}

/// A connection that speaks one of them.
pub(super) enum Way {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Ways {
    /// Whether a peer may connect at all; `open` if it is of a network that needs no key.
    pub(super) fn admit(&self, peer: IpAddr, open: bool) -> bool {
        self.tls.is_some() || self.may_be_plain(peer, open)
    }

    fn may_be_plain(&self, peer: IpAddr, open: bool) -> bool {
        self.insecure || open || peer.to_canonical().is_loopback()
    }

    /// Shakes hands, within the time for it. `None`: nobody to serve.
    pub(super) async fn take(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        open: bool,
        limits: &Limits,
    ) -> Option<Way> {
        let Some(tls) = &self.tls else { return Some(Way::Plain(stream)) };
        let shake = async {
            let mut first = [0];
            let plain = stream.peek(&mut first).await? > 0 && first[0] != HANDSHAKE;
            if !plain {
                return tls.acceptor().accept(stream).await.map(|stream| Some(Way::Tls(Box::new(stream))));
            }
            if self.may_be_plain(peer, open) {
                return Ok(Some(Way::Plain(stream)));
            }
            let mut stream = stream;
            stream.write_all(TLS_ONLY).await?;
            stream.shutdown().await?;
            // What was asked is read away, as an answer would be lost with a reset.
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            io::Result::Ok(None)
        };
        tokio::time::timeout(limits.handshake_time, shake).await.ok()?.ok()?
    }
}

impl AsyncRead for Way {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Way {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
