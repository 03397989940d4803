use crate::{Origin, PageSize, StoreError};
use allocation_domain::{BatchReference, Event, IdentifierError, OrderId, Sku};
use chrono::{DateTime, Utc};
use std::fmt;

/// An event with its place in the one order that all readers see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    /// The place, from 1, without gaps.
    pub position: u64,
    /// The product that it is about.
    pub sku: Sku,
    /// When it happened, in microseconds.
    pub occurred_at: DateTime<Utc>,
    /// What happened.
    pub event: Event,
    /// Where the command came from that it happened for.
    pub origin: Origin,
}

/// What an event is about. Written as a path: `orders/O-1`, `batches/B-1`, `products/LAMP`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An order.
    Order(OrderId),
    /// A batch.
    Batch(BatchReference),
    /// A product.
    Product(Sku),
}

impl Subject {
    /// What an event is about: its order, else its batch, else its product.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        if let Some(order_id) = event.order_id() {
            return Self::Order(order_id.clone());
        }
        match event {
            Event::BatchAdded { reference, .. }
            | Event::BatchChanged { reference, .. }
            | Event::BatchRemoved { reference, .. } => Self::Batch(reference.clone()),
            Event::OutOfStock { sku }
            | Event::ProductRegistered { sku }
            | Event::LinePlaced { sku, .. }
            | Event::Allocated { sku, .. }
            | Event::Deallocated { sku, .. }
            | Event::Backordered { sku, .. }
            | Event::LineShort { sku, .. }
            | Event::WaitEnded { sku, .. }
            | Event::PromiseWorsened { sku, .. }
            | Event::HoldConfirmed { sku, .. }
            | Event::HoldExtended { sku, .. }
            | Event::HoldExpired { sku, .. }
            | Event::LineCancelled { sku, .. }
            | Event::PickListed { sku, .. }
            | Event::PickLineChanged { sku, .. }
            | Event::PickLineWithdrawn { sku, .. }
            | Event::Picked { sku, .. }
            | Event::UnitsMissing { sku, .. }
            | Event::Shipped { sku, .. } => Self::Product(sku.clone()),
        }
    }

    /// Parses what [`fmt::Display`] writes.
    ///
    /// # Errors
    ///
    /// [`SubjectError`] for another collection, and for a name that breaks a rule.
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        match text.split_once('/') {
            Some(("orders", name)) => Ok(Self::Order(OrderId::parse(name)?)),
            Some(("batches", name)) => Ok(Self::Batch(BatchReference::parse(name)?)),
            Some(("products", name)) => Ok(Self::Product(Sku::parse(name)?)),
            _ => Err(SubjectError::Collection),
        }
    }
}

/// Why a text is no subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// Events are about orders, batches and products.
    #[error("must be orders/, batches/ or products/ and a name")]
    Collection,
    /// The name breaks a rule.
    #[error("must be orders/, batches/ or products/ and a name, which {0}")]
    Name(#[from] IdentifierError),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(order_id) => write!(f, "orders/{order_id}"),
            Self::Batch(reference) => write!(f, "batches/{reference}"),
            Self::Product(sku) => write!(f, "products/{sku}"),
        }
    }
}

/// Which events to read: those that fit all that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events of these names ([`Event::name`]); all when it is empty.
    pub types: Vec<&'static str>,
    /// Only events about this.
    pub subject: Option<Subject>,
}

impl EventFilter {
    /// Whether every event fits.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.types.is_empty() && self.subject.is_none()
    }

    /// Whether an event fits.
    #[must_use]
    pub fn fits(&self, event: &Event) -> bool {
        (self.types.is_empty() || self.types.contains(&event.name()))
            && self.subject.as_ref().is_none_or(|subject| *subject == Subject::of(event))
    }
}

/// A page of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventPage {
    /// The events that fit, by their positions.
    pub events: Vec<LoggedEvent>,
    /// The position up to which the log was looked through: where the next page begins after. A page
    /// looks through a bounded number of events, so it may have fewer than asked for, even none, and
    /// not be the last.
    pub next: u64,
}

/// The ends of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogBounds {
    /// The position of the oldest event that is retained; one more than `last` when there is none.
    pub oldest: u64,
    /// The position of the newest event, 0 before the first.
    pub last: u64,
}

/// Why the log is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadLogError {
    /// Events that come next are not retained any more; or the position is beyond the newest, as when the
    /// log was put back, and other events will take the places up to it.
    #[error("the events are gone, the oldest is {oldest}")]
    Gone {
        /// The position of the oldest event that is retained.
        oldest: u64,
    },
    /// The first event that was to be read is stored as nothing that this program knows. Those behind it
    /// can be read after its position.
    #[error("the event at position {position} cannot be read")]
    Unreadable {
        /// Its position.
        position: u64,
        /// What is wrong with it.
        source: StoreError,
    },
    /// The store failed.
    #[error("the events were not read")]
    Store(#[from] StoreError),
}

/// Reads the log: all events in one order, which is the same for every reader and never changes. An
/// event MUST NOT become visible before one of a lower position.
///
/// An event gets its place some time after the commit that wrote it; those of one product keep their
/// order.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait EventLog: Send + Sync {
    /// Events after a position that fit, in their order. The position 0 is that before the first event.
    ///
    /// # Errors
    ///
    /// MUST be [`ReadLogError::Gone`] when an event after the position is not retained any more, and when
    /// there is no event of that position yet. MUST be [`ReadLogError::Unreadable`] when the first that
    /// fits cannot be read; one behind it ends the page before it.
    fn read(&self, after: u64, filter: &EventFilter, page: PageSize) -> Result<EventPage, ReadLogError>;

    /// The ends of the log.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn bounds(&self) -> Result<LogBounds, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_as_it_is_written() {
        for text in ["orders/O-1", "batches/a/b c", "products/ご注文"] {
            assert_eq!(Subject::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "orders", "orders/", "lines/O-1", "/orders/O-1", "batches/ B"] {
            assert!(Subject::parse(wrong).is_err(), "{wrong}");
        }
        let twin = Subject::parse("orders/O\u{200B}1").unwrap_err().to_string();
        assert!(twin.ends_with("must not hold invisible characters: character 2 is U+200B"), "{twin}");
    }

    #[test]
    fn a_filter_lets_through_what_fits_all_of_it() {
        let sku = Sku::parse("LAMP").unwrap();
        let (sold_out, order_id) = (Event::OutOfStock { sku: sku.clone() }, OrderId::parse("O-1").unwrap());
        let cancelled = Event::LineCancelled { order_id: order_id.clone(), sku: sku.clone() };
        let filter = |types: &[&'static str], subject| EventFilter { types: types.to_vec(), subject };
        assert!(filter(&[], None).is_open() && filter(&[], None).fits(&sold_out));
        assert!(filter(&["out_of_stock", "allocated"], None).fits(&sold_out));
        assert!(!filter(&["allocated"], None).fits(&sold_out));
        assert!(filter(&[], Some(Subject::Product(sku.clone()))).fits(&sold_out));
        assert!(!filter(&[], Some(Subject::Product(sku))).fits(&cancelled), "it is about the order");
        assert!(filter(&["line_cancelled"], Some(Subject::Order(order_id))).fits(&cancelled));
    }
}
