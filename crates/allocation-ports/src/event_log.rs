use crate::{EventContext, PageSize, StoreError};
use allocation_domain::{BatchReference, Event, IdentifierError, OrderId, Sku};
use chrono::{DateTime, Utc};
use std::fmt;

/// An event with its position in the one order that all readers see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    /// The position, from 1, without gaps.
    pub position: u64,
    /// The instant at which the event occurred, to the microsecond.
    pub occurred_at: DateTime<Utc>,
    /// The name of the event ([`Event::name`]), or a name that only a later version knows.
    pub name: String,
    /// The order, batch or product that the event is about.
    pub subject: Subject,
    /// The event as JSON, as it was stored.
    pub json: String,
    /// The context of the command that caused it.
    pub context: EventContext,
}

/// The order, batch or product that an event is about. Displayed as a path: `orders/O-1`, `batches/B-1`,
/// `products/LAMP`.
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
    /// Returns the subject of an event: its order, or its batch if it has no order, or else its product.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        match event {
            Event::BatchAdded { reference, .. }
            | Event::BatchChanged { reference, .. }
            | Event::BatchAdjusted { reference, .. }
            | Event::BatchReceived { reference, .. }
            | Event::BatchRemoved { reference, .. } => Self::Batch(reference.clone()),
            _ => match event.order_id() {
                Some(order_id) => Self::Order(order_id.clone()),
                None => Self::Product(event.sku().clone()),
            },
        }
    }

    /// Parses the format that [`fmt::Display`] writes.
    ///
    /// # Errors
    ///
    /// [`SubjectError`] for any other collection, and for a name that is not valid.
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        match text.split_once('/') {
            Some(("orders", name)) => Ok(Self::Order(OrderId::parse(name)?)),
            Some(("batches", name)) => Ok(Self::Batch(BatchReference::parse(name)?)),
            Some(("products", name)) => Ok(Self::Product(Sku::parse(name)?)),
            _ => Err(SubjectError::Collection),
        }
    }
}

/// Why a text is not a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// The collection is not `orders`, `batches` or `products`.
    #[error("must be orders/, batches/ or products/ and a name")]
    Collection,
    /// The name is not valid.
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

/// A filter of events: it accepts those that match every given criterion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events of these types ([`Event::name`]); all types if empty.
    pub types: Vec<&'static str>,
    /// Only events about this subject.
    pub subject: Option<Subject>,
}

impl EventFilter {
    /// Returns whether the filter accepts every event.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.types.is_empty() && self.subject.is_none()
    }

    /// Returns whether the filter accepts an event.
    #[must_use]
    pub fn fits(&self, event: &LoggedEvent) -> bool {
        (self.types.is_empty() || self.types.contains(&event.name.as_str()))
            && self.subject.as_ref().is_none_or(|subject| *subject == event.subject)
    }
}

/// A page of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventPage {
    /// The matching events, by position.
    pub events: Vec<LoggedEvent>,
    /// The position after which the next page begins. A page examines a bounded number of events, so it may
    /// be short, or even empty, without being the last.
    pub next: u64,
}

/// The oldest and the newest position of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogBounds {
    /// The position of the oldest retained event; one more than `last` when there is none.
    pub oldest: u64,
    /// The position of the newest event, 0 before the first.
    pub last: u64,
}

/// Why the log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadLogError {
    /// The next events are no longer retained, or the position is beyond the newest. The latter can
    /// happen after a restore of the log from a backup: other events will take the positions up to it.
    #[error("the events are gone, the oldest is {oldest}")]
    Gone {
        /// The position of the oldest retained event.
        oldest: u64,
    },
    /// The store failed.
    #[error("the events were not read")]
    Store(#[from] StoreError),
}

/// Reads the log: all events in one order, which is the same for every reader and never changes. An event
/// MUST NOT become visible before an event with a lower position.
///
/// An event gets its position some time after the commit that wrote it; events of one product keep their
/// order.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait EventLog: Send + Sync {
    /// Returns the matching events after a position, by position. Position 0 precedes the first event.
    ///
    /// # Errors
    ///
    /// MUST be [`ReadLogError::Gone`] when an event after the position is no longer retained, or when no
    /// event has that position yet.
    fn read(&self, after: u64, filter: &EventFilter, page: PageSize) -> Result<EventPage, ReadLogError>;

    /// Returns the oldest and the newest position of the log.
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
    fn a_subject_round_trips() {
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
    fn a_filter_matches_events_that_meet_every_criterion() {
        let sku = Sku::parse("LAMP").unwrap();
        let order_id = OrderId::parse("O-1").unwrap();
        let logged = |event: &Event| LoggedEvent {
            position: 1,
            occurred_at: DateTime::UNIX_EPOCH,
            name: event.name().to_owned(),
            subject: Subject::of(event),
            json: String::new(),
            context: EventContext::default(),
        };
        let sold_out = logged(&Event::OutOfStock { sku: sku.clone() });
        let cancelled = logged(&Event::LineCancelled { order_id: order_id.clone(), sku: sku.clone() });
        let filter = |types: &[&'static str], subject| EventFilter { types: types.to_vec(), subject };
        assert!(filter(&[], None).is_open() && filter(&[], None).fits(&sold_out));
        assert!(filter(&["out_of_stock", "allocated"], None).fits(&sold_out));
        assert!(!filter(&["allocated"], None).fits(&sold_out));
        assert!(filter(&[], Some(Subject::Product(sku.clone()))).fits(&sold_out));
        assert!(!filter(&[], Some(Subject::Product(sku))).fits(&cancelled), "it is about the order");
        assert!(filter(&["line_cancelled"], Some(Subject::Order(order_id))).fits(&cancelled));
    }
}
