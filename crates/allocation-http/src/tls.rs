//! TLS of the server: the certificate in use, which can be replaced while connections are open.

mod config;
mod transport;

pub use config::{ClientAuth, TlsConfig, TlsError, TlsFiles};
pub(crate) use transport::Transport;

use actix_web::rt::net::TcpStream;
use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The TLS configuration that new connections get. Clones share it.
#[derive(Clone)]
pub struct Tls(Arc<Shared>);

struct Shared {
    config: ArcSwap<TlsConfig>,
    /// Whether the files have changed to something that cannot be used.
    is_outdated: AtomicBool,
    failed_handshakes: AtomicU64,
}

impl Tls {
    /// Returns TLS with a configuration.
    #[must_use]
    pub fn new(config: TlsConfig) -> Self {
        Self(Arc::new(Shared {
            config: ArcSwap::from_pointee(config),
            is_outdated: AtomicBool::new(false),
            failed_handshakes: AtomicU64::new(0),
        }))
    }

    /// Replaces the configuration for connections from now on. Open ones stay as they are.
    pub fn replace(&self, config: TlsConfig) {
        self.0.config.store(Arc::new(config));
    }

    /// Records whether a newer configuration exists that cannot be used.
    pub fn set_outdated(&self, is_outdated: bool) {
        self.0.is_outdated.store(is_outdated, Ordering::Relaxed);
    }

    /// Returns whether a newer configuration exists that cannot be used.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.0.is_outdated.load(Ordering::Relaxed)
    }

    /// Returns the instant at which the certificate in use, or one of its intermediates, expires.
    #[must_use]
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.0.config.load().expires_at()
    }

    /// Returns the number of handshakes that failed or were too slow.
    pub(crate) fn failed_handshakes(&self) -> u64 {
        self.0.failed_handshakes.load(Ordering::Relaxed)
    }

    /// Counts a handshake that failed.
    pub(crate) fn handshake_failed(&self) {
        self.0.failed_handshakes.fetch_add(1, Ordering::Relaxed);
    }

    /// Completes the handshake of a connection.
    ///
    /// # Errors
    ///
    /// Returns an error if the client speaks no TLS, a version below 1.2, or has no valid certificate where one is
    /// required.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = self.0.config.load().server();
        TlsAcceptor::from(config).accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("expires_at", &self.expires_at()).finish_non_exhaustive()
    }
}
