use crate::connection::{Connection, HEAD_TIME, Slots};
use crate::tls::{Tls, Transport};
use actix_http::Protocol;
use actix_server::GracefulShutdownSignal;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::timeout;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The connections beyond the limit that are accepted to be rejected with a response; more wait in the backlog.
pub(super) const MAX_REJECTED: usize = 64;

/// The response to a connection beyond the limit.
const LIMIT_REACHED: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The response to a plain request where TLS is expected.
const NOT_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 37\r\n\
    connection: close\r\n\r\nThis port speaks HTTPS: use https://\n";

/// The time for a rejected peer to read the response and close.
const REJECT_TIMEOUT: Duration = Duration::from_millis(500);

/// The bytes of a rejected request that are read, so that the socket closes in order.
const REJECTED_READ_BYTES: usize = 4 * 1024;

/// The time for a TLS handshake, from accept. It equals the time for the first head of a plain connection.
const HANDSHAKE_TIME: Duration = HEAD_TIME;

/// An admitted connection, its protocol and its peer.
pub(super) type Admitted = (Connection<Transport>, Protocol, Option<SocketAddr>);

/// Admits connections: each takes a slot, and with TLS completes its handshake.
#[derive(Clone)]
pub(super) struct Admission {
    pub(super) slots: Slots,
    pub(super) tls: Option<Tls>,
    pub(super) stopping: GracefulShutdownSignal,
}

impl Admission {
    /// Admits a connection if a slot is free, and rejects it otherwise.
    ///
    /// # Errors
    ///
    /// Any error ends the connection.
    pub(super) async fn admit(&self, stream: TcpStream) -> io::Result<Admitted> {
        let peer = stream.peer_addr()?;
        let Some(slot) = self.slots.take(peer.ip()) else {
            tracing::debug!(%peer, "connection limit reached, refusing connection");
            // Without a handshake, a client of TLS could not read the response.
            if self.tls.is_none() {
                refuse(stream, LIMIT_REACHED).await;
            }
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        let transport = match &self.tls {
            None => Transport::Plain(stream),
            Some(tls) => self.secure(tls, stream).await.inspect_err(|error| {
                tls.handshake_failed();
                tracing::debug!(%peer, %error, "TLS handshake failed");
            })?,
        };
        Ok((Connection::new(transport, slot), Protocol::Http1, Some(peer)))
    }

    /// Completes a handshake, unless it takes too long or the server stops.
    async fn secure(&self, tls: &Tls, stream: TcpStream) -> io::Result<Transport> {
        tokio::select! {
            secured = timeout(HANDSHAKE_TIME, handshake(tls, stream)) => secured?,
            () = self.stopping.notified() => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

/// Completes a handshake. A plain request gets a response that says so.
async fn handshake(tls: &Tls, stream: TcpStream) -> io::Result<Transport> {
    let mut first = [0];
    // A handshake never begins with a letter.
    if stream.peek(&mut first).await? > 0 && first[0].is_ascii_uppercase() {
        refuse(stream, NOT_TLS).await;
        return Err(io::Error::other("the request is not encrypted"));
    }
    tls.accept(stream).await.map(|stream| Transport::Tls(Box::new(stream)))
}

/// Sends a rejection to a peer, which may be too slow for it.
async fn refuse(stream: TcpStream, response: &[u8]) {
    let _too_slow = timeout(REJECT_TIMEOUT, send_refusal(stream, response)).await;
}

/// Sends a response, and reads the start of the input: closing a socket with unread bytes could discard the response.
async fn send_refusal(mut stream: TcpStream, response: &[u8]) -> io::Result<()> {
    stream.write_all(response).await?;
    stream.shutdown().await?;
    let mut left = REJECTED_READ_BYTES;
    let mut bytes = [0; 1024];
    while left > 0 {
        match stream.read(&mut bytes).await? {
            0 => break,
            read => left = left.saturating_sub(read),
        }
    }
    Ok(())
}
