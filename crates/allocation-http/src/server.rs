use crate::api::{Api, app};
use crate::connection::{Connection, ConnectionLimits, ConnectionState, Places};
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

/// How many connections beyond the limit are accepted, to be refused with a word, before the others wait to be
/// accepted.
const REFUSED_AT_ONCE: usize = 64;

/// What is sent to a peer that finds no place.
const NO_PLACE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// How long a refused peer is waited for, to read why and to close.
const REFUSED_WITHIN: Duration = Duration::from_millis(500);

/// How many bytes of a refused request are read, so that the socket can be closed in order.
const READ_OF_REFUSED: usize = 4 * 1024;

/// Serves the API on a listener until `stop` is ready, and lets the requests in flight end, for so
/// many seconds at most. Nobody waits for events any longer then.
///
/// # Errors
///
/// When the listener cannot be used.
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
        // Who waits for events would otherwise be waited for.
        tail.close();
    };
    let (address, places) = (listener.local_addr()?, Places::new(limits));
    let builder = Server::build()
        .shutdown_signal(stop)
        .shutdown_timeout(shutdown_seconds)
        .max_concurrent_connections(limits.total.saturating_add(REFUSED_AT_ONCE));
    let stopping = builder.graceful_shutdown_signal();
    let service = move || {
        let (places, stopping) = (places.clone(), stopping.clone());
        let stops = move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        };
        fn_service(move |stream: TcpStream| {
            let places = places.clone();
            async move { admit(stream, &places).await.map_err(DispatchError::Io) }
        })
        .and_then(http(app(&api), address, stops))
    };
    builder.listen("http", listener, service)?.run().await
}

/// An application over connections, until `stops` is ready for each of them.
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
        // The connection keeps the time, and ends itself.
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(Duration::ZERO)
        // A client that hangs up is not waited with: its call leaves the line. Whether it has closed
        // one half of its connection or both cannot be seen from here.
        .h1_allow_half_closed(false)
        .local_addr(address)
        .on_connect_ext(share_state)
        .finish::<_, B>(map_config(app, |()| AppConfig::default()))
}

/// Lets the application see the state of its connection.
fn share_state(connection: &Connection<TcpStream>, data: &mut Extensions) {
    data.insert::<Rc<ConnectionState>>(connection.state());
}

/// What actix-http serves: a connection that has a place, its protocol and its peer.
type Admitted = (Connection<TcpStream>, Protocol, Option<SocketAddr>);

/// Gives a connection a place, or refuses it.
async fn admit(stream: TcpStream, places: &Places) -> io::Result<Admitted> {
    let peer = stream.peer_addr()?;
    if let Some(place) = places.take(peer.ip()) {
        return Ok((Connection::new(stream, place), Protocol::Http1, Some(peer)));
    }
    tracing::debug!(%peer, "a connection beyond the limit is refused");
    let _too_slow = timeout(REFUSED_WITHIN, refuse(stream)).await;
    Err(io::ErrorKind::ConnectionRefused.into())
}

/// Tells a peer that there is no place for it. A socket that is closed with unread bytes would take the response
/// away from it, so that the beginning of what it sends is read.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(NO_PLACE).await?;
    stream.shutdown().await?;
    let mut left = READ_OF_REFUSED;
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
