//! Probes during startup.

use crate::health::OK;
use crate::problem::Problem;
use crate::respond;
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::rt::System;
use actix_web::{App, HttpServer, web};
use allocation_ports::FailedCheck;
use std::io;
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

/// The number of open connections during startup; others wait to be accepted.
const MAX_CONNECTIONS: usize = 64;

/// The server during migrations, which may take long: it reports the process as alive but not ready.
#[derive(Debug)]
pub struct Starting {
    server: ServerHandle,
    thread: JoinHandle<io::Result<()>>,
}

impl Starting {
    /// Starts the server.
    ///
    /// # Errors
    ///
    /// Returns an error if the listener cannot be used, or if the thread cannot be created.
    pub fn serve(listener: &TcpListener) -> io::Result<Self> {
        let listener = listener.try_clone()?;
        let (started, server) = mpsc::channel();
        let run = move || {
            System::new().block_on(async {
                let server = HttpServer::new(|| {
                    App::new()
                        .route("/livez", web::get().to(|| async { respond::json(StatusCode::OK, &OK) }))
                        .default_service(web::to(|| async { Err::<&str, _>(starting()) }))
                });
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
        let thread = thread::Builder::new().name("starting".to_owned()).spawn(run)?;
        match server.recv() {
            Ok(server) => Ok(Self { server, thread }),
            Err(_) => Err(match thread.join() {
                Ok(Err(error)) => error,
                _ => io::Error::other("the startup server has ended"),
            }),
        }
    }

    /// Stops the server. Connections that wait to be accepted stay with the listener.
    pub fn stop(self) {
        // The command is sent at once; joining the thread waits for its completion.
        drop(self.server.stop(true));
        let _ended = self.thread.join();
    }
}

fn starting() -> Problem {
    Problem::not_ready(&[FailedCheck::new(FailedCheck::STARTING, "The service is starting")])
}
