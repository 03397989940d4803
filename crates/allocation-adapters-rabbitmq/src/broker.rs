//! Connections to the broker.

use crate::AmqpUrl;
use crate::meter::{Meter, MeteredReactor};
use async_rs::util::RuntimeParts;
use async_rs::{Runtime as AsyncRuntime, Tokio};
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
        self.opened(Connection::connect_uri(self.url.uri(), self.properties(name))).await
    }

    /// Opens a connection over which no more is read than a meter has room for.
    pub(crate) async fn connect_metered(&self, name: &str, meter: Meter) -> Result<Connection, ConnectError> {
        let tokio = Tokio::current();
        let parts = RuntimeParts::new(tokio.clone(), MeteredReactor { tokio, meter });
        let (uri, properties) = (self.url.uri(), self.properties(name));
        self.opened(Connection::connect_uri_with_runtime(uri, properties, AsyncRuntime::new(parts))).await
    }

    fn properties(&self, name: &str) -> ConnectionProperties {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        match self.url.login() {
            Some(login) => properties.with_auth_provider(login),
            None => properties,
        }
    }

    async fn opened(
        &self,
        opening: impl Future<Output = lapin::Result<Connection>>,
    ) -> Result<Connection, ConnectError> {
        let opened = tokio::time::timeout(CONNECT_AT_MOST, opening).await;
        let opened = opened.map_err(|_| ConnectError::Silent(self.url.clone()))?;
        opened.map_err(|source| ConnectError::Refused { url: self.url.clone(), source })
    }

    /// Runs something to its end; the thread waits.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}
