//! Connections to the broker.

use crate::AmqpUrl;
use crate::meter::{Meter, MeteredReactor};
use allocation_ports::BrokerUnavailable;
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime as AsyncRuntime, Tokio};
use lapin::tcp::OwnedTLSConfig;
use lapin::{Connection, ConnectionProperties};
use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// The timeout for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The timeout for opening a channel on a new connection, and for closing both.
const CHANNEL_TIMEOUT: Duration = Duration::from_secs(2);
/// The reply code of a connection that is closed without an error.
const REPLY_SUCCESS: u16 = 200;

/// A broker and the threads of its connections.
///
/// These threads are separate from those that serve requests: neither waits for the other.
#[derive(Debug)]
pub struct Broker {
    url: AmqpUrl,
    tls: OwnedTLSConfig,
    runtime: Runtime,
}

/// The reason why a connection is not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("no connection to {url}")]
    Refused { url: AmqpUrl, source: lapin::Error },
    #[error("no answer from {0}")]
    Silent(AmqpUrl),
}

impl Broker {
    /// Returns a broker without any connection yet.
    ///
    /// With `amqps`, the broker's certificate must chain to an authority of the system or one of `authorities`, which
    /// are certificates in PEM. The system must have some.
    ///
    /// # Errors
    ///
    /// Returns an error when the system cannot start a thread.
    pub fn new(url: AmqpUrl, authorities: Option<String>) -> io::Result<Self> {
        let tls = OwnedTLSConfig { identity: None, cert_chain: authorities };
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("amqp").enable_all().build()?;
        Ok(Self { url, tls, runtime })
    }

    /// Checks that the broker accepts a connection with these credentials, and opens a channel for it.
    ///
    /// # Errors
    ///
    /// Returns the reason why it does not, after twelve seconds at most.
    pub fn check(&self) -> Result<(), BrokerUnavailable> {
        self.block_on(async {
            let connection =
                self.connect("allocation: doctor").await.map_err(|error| BrokerUnavailable(error.into()))?;
            let opened = tokio::time::timeout(CHANNEL_TIMEOUT, async {
                // Dropped with its connection: a dropped channel is closed by itself.
                let _channel = connection.create_channel().await?;
                connection.close(REPLY_SUCCESS, "checked".into()).await
            });
            match opened.await {
                Ok(opened) => opened.map_err(|error| BrokerUnavailable(error.into())),
                Err(silent) => Err(BrokerUnavailable(silent.into())),
            }
        })
    }

    /// Opens a connection under a name that the broker displays.
    pub(crate) async fn connect(&self, name: &str) -> Result<Connection, ConnectError> {
        self.connect_with(name, Tokio::current()).await
    }

    /// Opens a connection that is read only while its meter has room.
    pub(crate) async fn connect_metered(&self, name: &str, meter: Meter) -> Result<Connection, ConnectError> {
        self.connect_with(name, MeteredReactor { tokio: Tokio::current(), meter }).await
    }

    async fn connect_with<R>(&self, name: &str, reactor: R) -> Result<Connection, ConnectError>
    where
        R: Reactor + fmt::Debug + Send + Sync + Clone + 'static,
    {
        let runtime = AsyncRuntime::new(RuntimeParts::new(Tokio::current(), reactor));
        let (uri, properties, tls) = (self.url.uri(), self.properties(name), self.tls.clone());
        let opening = Connection::connect_uri_with_config(uri, properties, tls, runtime);
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, opening).await;
        let opened = opened.map_err(|_| ConnectError::Silent(self.url.clone()))?;
        opened.map_err(|source| ConnectError::Refused { url: self.url.clone(), source })
    }

    fn properties(&self, name: &str) -> ConnectionProperties {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        match self.url.login() {
            Some(login) => properties.with_auth_provider(login),
            None => properties,
        }
    }

    /// Runs a future to completion, blocking the thread.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}
