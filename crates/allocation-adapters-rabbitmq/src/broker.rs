//! Connections to the broker.

use crate::AmqpUrl;
use lapin::{Connection, ConnectionProperties};
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How long opening a connection may take.
const CONNECT_AT_MOST: Duration = Duration::from_secs(10);

/// A broker, and the threads on which connections to it live. They are not those that serve requests:
/// neither waits for the other.
#[derive(Debug)]
pub struct Broker {
    url: AmqpUrl,
    runtime: Runtime,
}

/// Why a connection is not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("no connection to {url}")]
    Refused { url: AmqpUrl, source: lapin::Error },
    #[error("no answer from {0}")]
    Silent(AmqpUrl),
}

impl Broker {
    /// A broker to which nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub fn new(url: AmqpUrl) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("amqp").enable_all().build()?;
        Ok(Self { url, runtime })
    }

    /// Opens a connection that others know by a name.
    pub(crate) async fn connect(&self, name: &str) -> Result<Connection, ConnectError> {
        let mut properties = ConnectionProperties::default().with_connection_name(name.into());
        if let Some(login) = self.url.login() {
            properties = properties.with_auth_provider(login);
        }
        let opened = tokio::time::timeout(CONNECT_AT_MOST, Connection::connect_uri(self.url.uri(), properties)).await;
        let opened = opened.map_err(|_| ConnectError::Silent(self.url.clone()))?;
        opened.map_err(|source| ConnectError::Refused { url: self.url.clone(), source })
    }

    /// Runs something to its end; the thread waits.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}
