mod admission;

use crate::connection::{Connection, ConnectionLimits, ConnectionState, Slots};
use crate::tls::{Tls, Transport};
use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Request};
use actix_server::{Server, ServerBuilder};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Extensions, Service, ServiceFactory, ServiceResponse};
use actix_web::rt::net::TcpStream;
use admission::{Admission, Admitted, MAX_REJECTED};
use std::fmt::Debug;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

/// What a server listens on.
#[derive(Debug)]
pub struct Endpoint {
    /// The socket.
    pub listener: TcpListener,
    /// How many connections it serves.
    pub limits: ConnectionLimits,
    /// The TLS of its connections; `None` for plain ones.
    pub tls: Option<Tls>,
}

impl Endpoint {
    /// Starts a server of an application, one for each worker.
    pub(crate) fn server<I, S, B>(
        self,
        builder: ServerBuilder,
        app: impl Fn() -> I + Clone + Send + 'static,
    ) -> io::Result<Server>
    where
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = Error> + 'static,
        S::InitError: Debug,
        <S::Service as Service<Request>>::Future: 'static,
        B: MessageBody + 'static,
    {
        let address = self.listener.local_addr()?;
        let builder = builder.max_concurrent_connections(self.limits.total.saturating_add(MAX_REJECTED));
        let stopping = builder.graceful_shutdown_signal();
        let admission = Admission { slots: Slots::new(self.limits), tls: self.tls, stopping: stopping.clone() };
        let service = move || {
            let (admission, stopping) = (admission.clone(), stopping.clone());
            let stops = move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            };
            fn_service(move |stream: TcpStream| {
                let admission = admission.clone();
                async move { admission.admit(stream).await.map_err(DispatchError::Io) }
            })
            .and_then(http(app(), address, stops))
        };
        Ok(builder.listen("http", self.listener, service)?.run())
    }
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
fn share_state(connection: &Connection<Transport>, data: &mut Extensions) {
    data.insert::<Rc<ConnectionState>>(connection.state());
}
