use allocation_app::EventTail;
use allocation_ports::EventLog;
use std::sync::Arc;

/// The sources of the event feed.
#[derive(Clone)]
pub struct EventFeed {
    /// The event log.
    pub log: Arc<dyn EventLog>,
    /// Wakes waiting readers when the log grows.
    pub tail: EventTail,
    /// The `source` of all events: a URI reference that identifies the service.
    pub source: Arc<str>,
}
