use crate::StoreError;
use allocation_domain::{
    Adjusted, Adjustment, AdjustmentId, GoodsReturn, NewShipment, Receipt, ReceiptId, Received, ReturnId, Returned,
    ShipmentId, ShippedLines,
};
use chrono::{DateTime, Utc};
use std::fmt;

/// The id of a document, unique among the documents of its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StockDocumentId {
    /// The id of an adjustment.
    Adjustment(AdjustmentId),
    /// The id of a receipt.
    Receipt(ReceiptId),
    /// The id of a return.
    Return(ReturnId),
    /// The id of a shipment.
    Shipment(ShipmentId),
}

impl StockDocumentId {
    /// Returns the stored name of the kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Adjustment(_) => "adjustment",
            Self::Receipt(_) => "receipt",
            Self::Return(_) => "return",
            Self::Shipment(_) => "shipment",
        }
    }

    /// Returns the id as the caller wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Adjustment(id) => id.as_str(),
            Self::Receipt(id) => id.as_str(),
            Self::Return(id) => id.as_str(),
            Self::Shipment(id) => id.as_str(),
        }
    }
}

impl fmt::Display for StockDocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.as_str())
    }
}

/// A document with its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<Request, Outcome> {
    /// The document as it was requested, which distinguishes a repeat from another document of that id.
    pub request: Request,
    /// The outcome, which a repeat returns.
    pub outcome: Outcome,
    /// The instant at which it took effect, in microseconds.
    pub recorded_at: DateTime<Utc>,
}

/// A shipment that was made.
pub type RecordedShipment = Recorded<NewShipment, ShippedLines>;

/// A document that has changed stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StockDocument {
    /// Batches were adjusted.
    Adjustment(Recorded<Adjustment, Adjusted>),
    /// Units of a batch were received.
    Receipt(Recorded<Receipt, Received>),
    /// Units of an order came back.
    Return(Recorded<GoodsReturn, Returned>),
    /// Picked units were shipped.
    Shipment(RecordedShipment),
}

impl StockDocument {
    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> StockDocumentId {
        match self {
            Self::Adjustment(recorded) => StockDocumentId::Adjustment(recorded.request.adjustment_id().clone()),
            Self::Receipt(recorded) => StockDocumentId::Receipt(recorded.request.receipt_id().clone()),
            Self::Return(recorded) => StockDocumentId::Return(recorded.request.return_id().clone()),
            Self::Shipment(recorded) => StockDocumentId::Shipment(recorded.request.shipment_id().clone()),
        }
    }

    /// Returns the instant at which it took effect, in microseconds.
    #[must_use]
    pub const fn recorded_at(&self) -> DateTime<Utc> {
        match self {
            Self::Adjustment(recorded) => recorded.recorded_at,
            Self::Receipt(recorded) => recorded.recorded_at,
            Self::Return(recorded) => recorded.recorded_at,
            Self::Shipment(recorded) => recorded.recorded_at,
        }
    }
}

/// The documents that have changed stock, within a unit of work. They are never changed or removed.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait StockDocuments {
    /// Returns a document.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn find(&mut self, id: &StockDocumentId) -> Result<Option<StockDocument>, StoreError>;

    /// Adds a document. Its effects are saved with their products, before.
    ///
    /// # Errors
    ///
    /// MUST be [`StoreError::Conflict`] when a document of that kind and id exists already.
    fn add(&mut self, document: &StockDocument) -> Result<(), StoreError>;

    /// Shuts out programs that would lose the returned units of a line. Called before products are locked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or this program is such a program.
    fn prepare_returns(&mut self) -> Result<(), StoreError>;
}
