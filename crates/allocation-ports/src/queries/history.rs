use crate::{PageSize, StoreError, Subject};
use allocation_access::Actor;
use allocation_domain::{Event, Sku};
use chrono::{DateTime, Utc};

/// An event as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The product that the event is about.
    pub sku: Sku,
    /// The version of the product in the unit of work.
    pub version: u64,
    /// The ordinal of the event within that unit.
    pub ordinal: u32,
    /// The instant at which the event occurred, to the microsecond.
    pub occurred_at: DateTime<Utc>,
    /// The event.
    pub event: Event,
    /// The author of the change.
    pub actor: Actor,
}

/// The position of an event in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor {
    /// The instant at which the event occurred, to the microsecond.
    pub occurred_at: DateTime<Utc>,
    /// The product that the event is about.
    pub sku: Sku,
    /// The version of the product in the unit of work.
    pub version: u64,
    /// The ordinal of the event within that unit.
    pub ordinal: u32,
}

impl From<&RecordedEvent> for EventCursor {
    fn from(row: &RecordedEvent) -> Self {
        Self { occurred_at: row.occurred_at, sku: row.sku.clone(), version: row.version, ordinal: row.ordinal }
    }
}

/// A page of the movements of a product.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MovementPage {
    /// The movements with their positions in the log, oldest first.
    pub movements: Vec<(u64, RecordedEvent)>,
    /// The position after which the next page starts; `None` if there is no further movement.
    pub next: Option<u64>,
}

/// Reads the events of orders, batches and products.
pub trait HistoryQueries: Send + Sync {
    /// Returns the retained events of a subject ([`Subject::of`]) after `after`, by the time at which they occurred,
    /// then by SKU, version and ordinal. Events without a position in the log MUST be included.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails. [`StoreError::Unavailable`] when no process has sequenced events for so
    /// long that the events without a position are too many to scan.
    fn history(
        &self,
        subject: &Subject,
        after: Option<EventCursor>,
        page: PageSize,
    ) -> Result<Vec<RecordedEvent>, StoreError>;

    /// Returns the retained movements of a product ([`Event::moved_units`]) after a position in the log, in its order.
    /// Events get their positions after their commit: the newest may be missing.
    ///
    /// Each page scans a bounded number of events, so a page that is not the last may have fewer movements than `page`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn movements(&self, sku: &Sku, after: u64, page: PageSize) -> Result<MovementPage, StoreError>;
}
