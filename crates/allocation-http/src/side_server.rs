//! Small servers beside the one of the API.

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};
use std::io;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

/// The number of open connections; others wait to be accepted.
const MAX_CONNECTIONS: usize = 64;

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
        configure: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let (started, server) = mpsc::channel();
        let run = move || {
            System::new().block_on(async {
                let server = HttpServer::new(move || App::new().configure(&configure));
                let server = server
                    .workers(1)
                    .max_connections(MAX_CONNECTIONS)
                    .disable_signals()
                    .shutdown_timeout(1)
                    .listen(listener)?
                    .run();
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
