//! Small servers beside the one of the API.

use crate::connection::{self, ConnectionLimits};
use crate::endpoint::Endpoint;
use crate::tls::Tls;
use actix_server::{Server, ServerHandle};
use actix_web::App;
use actix_web::rt::System;
use actix_web::web::ServiceConfig;
use std::io;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

/// The limits on connections.
const LIMITS: ConnectionLimits = ConnectionLimits { total: 64, per_address: 64 };

/// A server with a single worker, on a thread of its own.
#[derive(Debug)]
pub(crate) struct SideServer {
    server: ServerHandle,
    thread: JoinHandle<io::Result<()>>,
}

impl SideServer {
    /// Starts a server with the given routes.
    ///
    /// # Errors
    ///
    /// Returns an error if the listener cannot be used, or if the thread cannot be created.
    pub(crate) fn start(
        name: &str,
        listener: TcpListener,
        tls: Option<Tls>,
        configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (started, server) = mpsc::channel();
        let endpoint = Endpoint { listener, limits: LIMITS, tls };
        let app = move || App::new().configure(&configure).wrap_fn(connection::observe);
        let run = move || {
            System::new().block_on(async {
                let builder = Server::build().workers(1).disable_signals().shutdown_timeout(1);
                let server = endpoint.server(builder, app)?;
                // The caller may have ended meanwhile.
                let _gone = started.send(server.handle());
                server.await
            })
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run)?;
        match server.recv() {
            Ok(server) => Ok(Self { server, thread }),
            Err(_) => Err(match thread.join() {
                Ok(Err(error)) => error,
                _ => io::Error::other("the server has ended"),
            }),
        }
    }

    /// Stops the server within two seconds.
    pub(crate) fn stop(self) {
        // The command is sent at once; joining the thread waits for its completion.
        drop(self.server.stop(true));
        let _ended = self.thread.join();
    }
}
