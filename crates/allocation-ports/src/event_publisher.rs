use crate::LoggedEvent;
use std::error::Error;
use std::time::Duration;

/// What became of an event that was sent to a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The broker has it, and keeps it over a restart.
    Confirmed,
    /// The broker has nobody to give it to, and has thrown it away; the text says why.
    Unroutable(String),
    /// The broker did not take it this time.
    Refused,
    /// It cannot be sent at all; the text says why.
    Poison(String),
}

/// The broker does not answer, or has ended the connection. What was sent and not confirmed may have
/// arrived or not.
#[derive(Debug, thiserror::Error)]
#[error("the broker is away")]
pub struct BrokerAway(#[source] pub Box<dyn Error + Send + Sync>);

/// Sends events to a broker, over one connection that it keeps.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait EventPublisher: Send {
    /// Opens a connection; one that there was is given up.
    ///
    /// # Errors
    ///
    /// [`BrokerAway`], after some seconds at most.
    fn connect(&mut self) -> Result<(), BrokerAway>;

    /// Sends events and does not wait for the broker to have them. They MUST arrive in the order in
    /// which they are given, after those that were sent before.
    ///
    /// # Errors
    ///
    /// [`BrokerAway`], also when there is no connection: nothing but [`EventPublisher::connect`] opens
    /// one.
    fn send(&mut self, events: &[LoggedEvent]) -> Result<Box<dyn SentEvents>, BrokerAway>;
}

/// Events that were sent.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait SentEvents {
    /// Waits for the broker, no longer than `patience`: one answer for each event, in their order, or
    /// `None` as long as some are lacking. Of several that were sent, the first MUST be waited for
    /// first.
    ///
    /// # Errors
    ///
    /// [`BrokerAway`], and nothing is known of any of them.
    fn wait(&mut self, patience: Duration) -> Result<Option<Vec<Delivery>>, BrokerAway>;
}
