use super::{Metrics, PATH};
use crate::problem::{Kind, Problem};
use crate::side_server::SideServer;
use actix_web::{HttpRequest, web};
use std::future::ready;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;

/// A server of metrics on an address of its own.
#[derive(Debug)]
pub struct MetricsServer(SideServer);

impl MetricsServer {
    /// Starts to serve `/metrics`, and nothing else.
    ///
    /// # Errors
    ///
    /// Returns an error if the listener cannot be used, or if the thread cannot be created.
    pub fn start(listener: TcpListener, metrics: Arc<Metrics>) -> io::Result<Self> {
        let server = SideServer::start("metrics", listener, None, move |cfg| {
            let metrics = Arc::clone(&metrics);
            let respond = move |request: HttpRequest| ready(metrics.respond(&request));
            cfg.route(PATH, web::get().to(respond))
                .default_service(web::to(|| ready(Err::<&str, _>(Problem::of(Kind::NotFound)))));
        });
        server.map(Self)
    }

    /// Stops the server within two seconds.
    pub fn stop(self) {
        self.0.stop();
    }
}
