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
pub struct BrokerUnavailable(#[source] pub Box<dyn Error + Send + Sync>);

/// Sends events to a broker, over one connection that it keeps.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait EventPublisher: Send {
    /// Opens a connection; one that there was is given up.
    ///
    /// # Errors
    ///
    /// [`BrokerUnavailable`], after some seconds at most.
    fn connect(&mut self) -> Result<(), BrokerUnavailable>;

    /// Begins to send events, and waits for nothing. They MUST arrive in the order in which they are
    /// given. Those that were sent before are to be answered first, or given up with their connection.
    ///
    /// # Errors
    ///
    /// [`BrokerUnavailable`], also when there is no connection: nothing but [`EventPublisher::connect`] opens
    /// one.
    fn send(&mut self, events: &[LoggedEvent]) -> Result<Box<dyn PendingConfirms>, BrokerUnavailable>;
}

/// What is known of events that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishStatus {
    /// One answer for each event, in their order.
    Answered(Vec<Delivery>),
    /// Some answers are lacking.
    Waiting,
    /// The broker lives and has said that it takes nothing for the time being.
    Blocked,
}

/// Events that were sent.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait PendingConfirms {
    /// Waits for the broker to answer all of them, no longer than `patience`.
    ///
    /// # Errors
    ///
    /// [`BrokerUnavailable`], and nothing is known of any of them.
    fn wait(&mut self, patience: Duration) -> Result<PublishStatus, BrokerUnavailable>;
}
