//! Probes during startup.

use crate::health::OK;
use crate::problem::Problem;
use crate::respond;
use crate::side_server::SideServer;
use crate::tls::Tls;
use actix_web::http::StatusCode;
use actix_web::web::{self, ServiceConfig};
use allocation_ports::FailedCheck;
use std::io;
use std::net::TcpListener;

/// The server during migrations, which may take long: it reports the process as alive but not ready.
#[derive(Debug)]
pub struct Starting(SideServer);

impl Starting {
    /// Starts the server.
    ///
    /// # Errors
    ///
    /// Returns an error if the listener cannot be used, or if the thread cannot be created.
    pub fn serve(listener: &TcpListener, tls: Option<Tls>) -> io::Result<Self> {
        SideServer::start("starting", listener.try_clone()?, tls, configure).map(Self)
    }

    /// Stops the server. Connections that wait to be accepted stay with the listener.
    pub fn stop(self) {
        self.0.stop();
    }
}

fn configure(cfg: &mut ServiceConfig) {
    cfg.route("/livez", web::get().to(|| async { respond::json(StatusCode::OK, &OK) }))
        .default_service(web::to(|| async { Err::<&str, _>(starting()) }));
}

fn starting() -> Problem {
    Problem::not_ready(&[FailedCheck::new(FailedCheck::STARTING, "The service is starting")])
}
