use crate::api::Api;
use crate::connection::{Connection, ConnectionLimits, ConnectionState, Slots};
use crate::routes::app;
use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol, Request};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Extensions, Server, Service, ServiceFactory, ServiceResponse};
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::timeout;
use std::fmt::Debug;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The connections beyond the limit that are accepted to be rejected with a response; more wait in the backlog.
const MAX_REJECTED: usize = 64;

/// The response to a connection beyond the limit.
const LIMIT_REACHED: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The time for a rejected peer to read the response and close.
const REJECT_TIMEOUT: Duration = Duration::from_millis(500);

/// The bytes of a rejected request that are read, so that the socket closes in order.
const REJECTED_READ_BYTES: usize = 4 * 1024;

/// Serves the API on a listener until `stop` is ready, then waits up to `shutdown_seconds` for requests in
/// flight. Event streams end at once.
///
/// # Errors
///
/// Returns an error if the listener cannot be used.
pub async fn serve(
    listener: TcpListener,
    api: Api,
    limits: ConnectionLimits,
    stop: impl Future<Output = ()> + Send + 'static,
    shutdown_seconds: u64,
) -> io::Result<()> {
    let tail = api.feed.tail.clone();
    let stop = async move {
        stop.await;
        // Waiting event readers would delay the shutdown.
        tail.close();
    };
    let (address, slots) = (listener.local_addr()?, Slots::new(limits));
    let builder = Server::build()
        .shutdown_signal(stop)
        .shutdown_timeout(shutdown_seconds)
        .max_concurrent_connections(limits.total.saturating_add(MAX_REJECTED));
    let stopping = builder.graceful_shutdown_signal();
    let service = move || {
        let (slots, stopping) = (slots.clone(), stopping.clone());
        let stops = move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        };
        fn_service(move |stream: TcpStream| {
            let slots = slots.clone();
            async move { admit(stream, &slots).await.map_err(DispatchError::Io) }
        })
        .and_then(http(app(&api), address, stops))
    };
    builder.listen("http", listener, service)?.run().await
}

/// Returns the HTTP service of an application; each connection shuts down once its `stops` is ready.
fn http<I, S, B, F>(
    app: I,
    address: SocketAddr,
    stops: impl Fn() -> F + 'static,
) -> impl ServiceFactory<Admitted, Config = (), Response = (), Error = DispatchError, InitError = ()>
where
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::InitError: Debug,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
    F: Future<Output = ()> + 'static,
{
    let app = app.into_factory().map_err(|error: Error| error.error_response());
    HttpService::build()
        .graceful_shutdown_signal(stops)
        // The connection enforces its own deadlines and ends itself.
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(Duration::ZERO)
        // A client that disconnects leaves the queue. Half-closed and closed connections look alike here.
        .h1_allow_half_closed(false)
        .local_addr(address)
        .on_connect_ext(share_state)
        .finish::<_, B>(map_config(app, |()| AppConfig::default()))
}

/// Makes the state of a connection available to its requests.
fn share_state(connection: &Connection<TcpStream>, data: &mut Extensions) {
    data.insert::<Rc<ConnectionState>>(connection.state());
}

/// An admitted connection, its protocol and its peer.
type Admitted = (Connection<TcpStream>, Protocol, Option<SocketAddr>);

/// Admits a connection if a slot is free, and rejects it otherwise.
async fn admit(stream: TcpStream, slots: &Slots) -> io::Result<Admitted> {
    let peer = stream.peer_addr()?;
    if let Some(slot) = slots.take(peer.ip()) {
        return Ok((Connection::new(stream, slot), Protocol::Http1, Some(peer)));
    }
    tracing::debug!(%peer, "connection limit reached, refusing connection");
    let _too_slow = timeout(REJECT_TIMEOUT, refuse(stream)).await;
    Err(io::ErrorKind::ConnectionRefused.into())
}

/// Sends the rejection to a peer.
///
/// The start of its input is read, because closing a socket with unread bytes could discard the response.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(LIMIT_REACHED).await?;
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

#[cfg(test)]
mod tests;
