use crate::{PageSize, RecordedShipment, StoreError};
use allocation_domain::{Carrier, OrderId, ShipmentId, ShippedLines, Tracking};
use chrono::{DateTime, Utc};

/// A shipment, or the part of it that is for one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShipmentRecord {
    /// The id.
    pub shipment_id: ShipmentId,
    /// The carrier.
    pub carrier: Option<Carrier>,
    /// The carrier's number for the shipment.
    pub tracking: Option<Tracking>,
    /// When the units were shipped, in microseconds.
    pub shipped_at: DateTime<Utc>,
    /// The units, sorted by list and line.
    pub lines: ShippedLines,
}

impl From<RecordedShipment> for ShipmentRecord {
    fn from(recorded: RecordedShipment) -> Self {
        let RecordedShipment { request, outcome, recorded_at } = recorded;
        Self {
            shipment_id: request.shipment_id().clone(),
            carrier: request.carrier().cloned(),
            tracking: request.tracking().cloned(),
            shipped_at: recorded_at,
            lines: outcome,
        }
    }
}

/// A page of shipments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShipmentPage {
    /// The shipments, by the bytes of their ids.
    pub shipments: Vec<ShipmentRecord>,
    /// The shipment after which the next page begins, `None` at the end.
    pub next: Option<ShipmentId>,
}

/// Reads shipments.
pub trait ShipmentQueries: Send + Sync {
    /// Returns a shipment, `None` when no shipment has that id.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn shipment(&self, shipment_id: &ShipmentId) -> Result<Option<ShipmentRecord>, StoreError>;

    /// Returns the shipments after `after`, by the bytes of their ids: all of them, or those of one order with the
    /// lines of this order.
    ///
    /// A page has at most [`NewShipment::MAX_LINES`](allocation_domain::NewShipment::MAX_LINES) lines in total, so it
    /// may be short without being the last. The cost of a page does not grow with the shipments before it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn shipments(
        &self,
        of_order: Option<&OrderId>,
        after: Option<ShipmentId>,
        page: PageSize,
    ) -> Result<ShipmentPage, StoreError>;
}
