use allocation_app::EventTail;
use allocation_ports::EventLog;
use std::sync::Arc;

/// What the feed of events is made from.
#[derive(Clone)]
pub struct EventFeed {
    /// The events.
    pub log: Arc<dyn EventLog>,
    /// Tells who waits that there are more.
    pub tail: EventTail,
    /// The `source` of all events: a URI reference that names the service.
    pub source: Arc<str>,
}
