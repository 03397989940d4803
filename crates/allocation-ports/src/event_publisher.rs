use crate::LoggedEvent;
use std::error::Error;
use std::time::Duration;

/// The outcome of an event that was sent to a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The broker has stored the event durably.
    Confirmed,
    /// The broker has no queue for the event and has discarded it; the text is the reason.
    Unroutable(String),
    /// The broker rejected the event; sending it again can succeed.
    Refused,
    /// The event cannot be sent at all; the text is the reason.
    Poison(String),
}

/// The broker does not respond, or has closed the connection. Events that were sent but not confirmed may
/// or may not have arrived.
#[derive(Debug, thiserror::Error)]
#[error("the broker is unavailable")]
pub struct BrokerUnavailable(#[source] pub Box<dyn Error + Send + Sync>);

/// Sends events to a broker over one connection that it keeps open.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait EventPublisher: Send {
    /// Opens a connection, and abandons the previous one.
    ///
    /// # Errors
    ///
    /// [`BrokerUnavailable`], after a few seconds at most.
    fn connect(&mut self) -> Result<(), BrokerUnavailable>;

    /// Begins to send events, without waiting. They MUST arrive in the given order. Earlier events are to
    /// be confirmed first, or abandoned with their connection.
    ///
    /// # Errors
    ///
    /// [`BrokerUnavailable`], also without a connection: only [`EventPublisher::connect`] opens one.
    fn send(&mut self, events: &[LoggedEvent]) -> Result<Box<dyn PendingConfirms>, BrokerUnavailable>;
}

/// The known status of events that were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishStatus {
    /// One result for each event, in their order.
    Answered(Vec<Delivery>),
    /// Some results are pending.
    Waiting,
    /// The broker is alive but has blocked the connection for now.
    Blocked,
}

/// The pending confirms of events that were sent.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait PendingConfirms {
    /// Waits at most `timeout` for the broker to confirm or reject all events.
    ///
    /// # Errors
    ///
    /// [`BrokerUnavailable`]: the outcome of every event is unknown.
    fn wait(&mut self, timeout: Duration) -> Result<PublishStatus, BrokerUnavailable>;
}
