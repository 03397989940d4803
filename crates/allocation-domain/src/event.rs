//! Domain events.

use crate::named::named;
use crate::{
    AdjustmentId, AdjustmentReason, BatchOrigin, BatchReference, Disposition, Eta, ListedUnits, OnShortage, OrderId,
    Promises, PutBackReason, Quantity, ReceiptId, ReturnId, ShipmentId, Sku, UnitChange, Units,
};
use chrono::{DateTime, Utc};

/// The reason for an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum AllocationReason {
    /// The line is new.
    #[default]
    NewLine,
    /// The line was sent again after it had released units, or confirmed after its hold had expired.
    Refill,
    /// The line waited for the units.
    Backorder,
    /// The line left another batch, or its units there were missing.
    Move,
    /// The quantity of the line was raised.
    LineChanged,
}

named!(
    AllocationReason:
    NewLine = "new_line",
    Refill = "refill",
    Backorder = "backorder",
    Move = "move",
    LineChanged = "line_changed",
);

/// The reason for a deallocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum DeallocationReason {
    /// A request released the units. A standalone line with nothing left is removed.
    #[default]
    Request,
    /// The order was cancelled.
    Cancellation,
    /// The hold expired.
    Expiry,
    /// The batch was lowered below its allocated units.
    BatchLowered,
    /// The line moved to an earlier batch.
    Move,
    /// The quantity of the line was lowered, or the line was removed from its order.
    LineChanged,
    /// The order was closed.
    Closure,
    /// Units that the line was given in place of missing ones, which were found.
    PickCorrected,
}

named!(
    DeallocationReason:
    Request = "request",
    Cancellation = "cancellation",
    Expiry = "expiry",
    BatchLowered = "batch_lowered",
    Move = "move",
    LineChanged = "line_changed",
    Closure = "closure",
    PickCorrected = "pick_corrected",
);

/// The reason why units left a pick list before they were picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum WithdrawalReason {
    /// The line released the units. A following event records the reason.
    Deallocated,
    /// The batch is no longer in stock. A following event records the change.
    NotInStock,
    /// The list was released.
    Released,
}

named!(
    WithdrawalReason:
    Deallocated = "deallocated",
    NotInStock = "not_in_stock",
    Released = "given_back",
);

/// A fact about a product, in the past tense.
///
/// Every change of a product records events: one for each batch added, changed or removed, one for
/// each allocation changed, and the life cycle of each line. Events are complete: a reader that
/// follows them from the start has every batch, line, allocation and pick line.
///
/// All events of one unit of work on the product carry the instant that it records
/// ([`crate::Product::decided_at`]). It is also the `added_at` of a batch and the `placed_at` of a
/// line.
///
/// After every event, the allocated units of a batch do not exceed its units, and its units on pick
/// lists do not exceed the allocated ones.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "type", rename_all = "snake_case"))]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum Event {
    /// A batch was added.
    BatchAdded {
        /// The batch.
        reference: BatchReference,
        /// The SKU.
        sku: Sku,
        /// The purchased units.
        purchased_quantity: Quantity,
        /// The ETA.
        eta: Eta,
        /// Where the units come from, `None` if they were purchased.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        origin: Option<BatchOrigin>,
    },
    /// The quantity or ETA of a batch was corrected, or lines left it after an adjustment.
    ///
    /// Events of lines that leave the batch precede it. If there are many, the batch is lowered in
    /// steps as they leave. Each step is an event of the same revision.
    BatchChanged {
        /// The batch.
        reference: BatchReference,
        /// The SKU.
        sku: Sku,
        /// The purchased units.
        purchased_quantity: Units,
        /// The units that adjustments have added, less those that they have removed.
        #[cfg_attr(feature = "serde", serde(default))]
        adjustments: i32,
        /// The ETA.
        eta: Eta,
        /// The previous number of purchased units.
        old_purchased_quantity: Units,
        /// The previous adjustments.
        #[cfg_attr(feature = "serde", serde(default))]
        old_adjustments: i32,
        /// The previous ETA.
        old_eta: Eta,
        /// The revision.
        revision: u32,
    },
    /// Units of a batch were added or removed, because they were damaged, lost, found or counted.
    ///
    /// Events of lines that leave the batch precede it. If there are many, those that remain leave in steps, and
    /// each step is a [`Event::BatchChanged`] of the same revision.
    BatchAdjusted {
        /// The batch.
        reference: BatchReference,
        /// The SKU.
        sku: Sku,
        /// The adjustment, which may concern more batches.
        adjustment_id: AdjustmentId,
        /// The reason.
        reason: AdjustmentReason,
        /// The units to add, negative to remove them.
        change: UnitChange,
        /// The purchased units.
        purchased_quantity: Units,
        /// The units that adjustments have added, less those that they have removed.
        adjustments: i32,
        /// The previous number of purchased units. `None` for an event from before it was recorded.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        old_purchased_quantity: Option<Units>,
        /// The previous adjustments. `None` for an event from before they were recorded.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        old_adjustments: Option<i32>,
        /// The revision.
        revision: u32,
    },
    /// Units of an inbound batch arrived. It is in stock with them.
    ///
    /// The event of the batch that is still expected precedes it, and so do events of lines that leave the batch. If
    /// there are many, those that remain leave in steps, and each step is a [`Event::BatchChanged`] of the same
    /// revision.
    BatchReceived {
        /// The batch.
        reference: BatchReference,
        /// The SKU.
        sku: Sku,
        /// The receipt.
        receipt_id: ReceiptId,
        /// The units that arrived and are kept.
        quantity: Units,
        /// The units that arrived and are rejected.
        rejected_quantity: Units,
        /// The purchased units.
        purchased_quantity: Units,
        /// The units that adjustments have added, less those that they have removed.
        adjustments: i32,
        /// The previous number of purchased units. `None` for an event from before it was recorded.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        old_purchased_quantity: Option<Units>,
        /// The previous adjustments. `None` for an event from before they were recorded.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        old_adjustments: Option<i32>,
        /// The ETA before.
        old_eta: Eta,
        /// The revision.
        revision: u32,
    },
    /// A batch without allocations was removed.
    BatchRemoved {
        /// The batch.
        reference: BatchReference,
        /// The SKU.
        sku: Sku,
        /// The units that it had. `None` for an event from before they were recorded.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        quantity: Option<Units>,
    },
    /// A line was placed with an order. The following events record its allocations and backorders.
    LinePlaced {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The quantity of the line.
        quantity: Quantity,
        /// The priority; a higher number is served first.
        priority: i32,
        /// Whether the line accepts backorders.
        on_shortage: OnShortage,
        /// Whether the line accepts a part of its backordered units.
        allow_split: bool,
        /// Whether the line moves to an earlier batch when units of it come free.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Promises::is_fair"))]
        promises: Promises,
        /// Whether pick lists leave the line out until all lines of its order are in stock.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
        ship_complete: bool,
        /// The expiry of the hold, `None` for a firm line.
        expires_at: Option<DateTime<Utc>>,
    },
    /// The quantity or the terms of a line were changed on request.
    ///
    /// Events of units that a lowered line gives up precede it; the following events record the allocations and
    /// backorders of a raised one.
    LineChanged {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The quantity of the line.
        quantity: Quantity,
        /// The previous quantity.
        old_quantity: Quantity,
        /// The priority; a higher number is served first.
        priority: i32,
        /// Whether the line accepts backorders.
        on_shortage: OnShortage,
        /// Whether the line accepts a part of its backordered units.
        allow_split: bool,
        /// Whether the line moves to an earlier batch when units of it come free.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Promises::is_fair"))]
        promises: Promises,
        /// Whether pick lists leave the line out until all lines of its order are in stock.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_false"))]
        ship_complete: bool,
        /// Whether the line now counts as placed at the instant of this event, because a part of the raise
        /// waits.
        requeued: bool,
    },
    /// A line was removed from an order that has others: its units were released, and it no longer waits.
    LineRemoved {
        /// The order that the line belonged to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The quantity that the line had.
        quantity: Quantity,
    },
    /// A line was confirmed after its hold had expired: it is firm, and counts as placed at the instant of this event.
    /// The following events record its allocations and backorders.
    LineReinstated {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The quantity of the line.
        quantity: Quantity,
    },
    /// Units of a batch were allocated to a line. A new line without [`Event::LinePlaced`] is
    /// standalone.
    Allocated {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// The allocated units.
        quantity: Quantity,
        /// The quantity of the line.
        line_quantity: Quantity,
        /// The reason. With [`AllocationReason::Backorder`], the line waits for this many units
        /// fewer.
        #[cfg_attr(feature = "serde", serde(default))]
        reason: AllocationReason,
    },
    /// A line's units in a batch were released.
    Deallocated {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// The released units.
        quantity: Quantity,
        /// The reason.
        #[cfg_attr(feature = "serde", serde(default))]
        reason: DeallocationReason,
    },
    /// A line that accepts backorders waits for more units.
    Backordered {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The additional units that it waits for.
        quantity: Quantity,
    },
    /// A line that does not accept backorders lost units: it is short, and waits for them.
    LineShort {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The additional units that it waits for.
        quantity: Quantity,
    },
    /// A line stopped waiting for units: it released units, was sent again and filled, or was lowered.
    WaitEnded {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The units that it no longer waits for.
        quantity: Quantity,
    },
    /// A line's units are promised later: its batch is late, or it moved to a later batch.
    PromiseWorsened {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The batch that holds the units now.
        reference: BatchReference,
        /// The number of units.
        quantity: Quantity,
        /// The ETA promised before.
        old_eta: Eta,
        /// The ETA promised now.
        new_eta: Eta,
    },
    /// A line is promised an earlier date: its units moved to free units of a batch that arrives earlier.
    ///
    /// A [`Event::Deallocated`] and an [`Event::Allocated`] with the reason `move` precede it.
    PromiseImproved {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The batch that held the units before.
        old_reference: BatchReference,
        /// The batch that holds the units now.
        reference: BatchReference,
        /// The number of units.
        quantity: Quantity,
        /// The ETA promised before.
        old_eta: Eta,
        /// The ETA promised now.
        new_eta: Eta,
    },
    /// A held line was made firm.
    HoldConfirmed {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
    },
    /// A line's hold was extended.
    HoldExtended {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The new expiry.
        expires_at: DateTime<Utc>,
    },
    /// A line's hold expired: its units were released, and it no longer waits.
    HoldExpired {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The expiry; the hold may have been released later.
        expires_at: DateTime<Utc>,
    },
    /// A line was cancelled: its units were released, and it no longer waits.
    LineCancelled {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
    },
    /// A line was closed: its units that were not picked were released, and it no longer waits.
    LineClosed {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
    },
    /// Allocated units were put on a pick list.
    PickListed(ListedUnits),
    /// The quantity of a pick line was reduced.
    PickLineChanged {
        /// The units to pick now.
        #[cfg_attr(feature = "serde", serde(flatten))]
        units: ListedUnits,
        /// The previous number of units.
        old_quantity: Quantity,
        /// The reason.
        reason: WithdrawalReason,
    },
    /// A pick line was withdrawn.
    PickLineWithdrawn {
        /// The units that were to be picked.
        #[cfg_attr(feature = "serde", serde(flatten))]
        units: ListedUnits,
        /// The reason.
        reason: WithdrawalReason,
    },
    /// Units were picked for a line. They are no longer allocated.
    Picked(ListedUnits),
    /// The number of units that were found for a pick line was corrected.
    ///
    /// If more were found, the batch has as many missing units fewer: those that are not put back are picked. If fewer
    /// were found, the batch and the line lose the difference, which is missing.
    PickCorrected {
        /// The units that were to be picked.
        #[cfg_attr(feature = "serde", serde(flatten))]
        units: ListedUnits,
        /// The units that were found.
        found: Units,
        /// The units that were found according to the report before.
        old_found: Units,
        /// The found units that are back on the shelf; the others are picked.
        put_back: Units,
        /// The additional picked units for which the line waited: it waits for as many fewer.
        waited: Units,
    },
    /// Picked units were put back on the shelf. They are allocated to the line again, in the same batch and on no list.
    ///
    /// If the order was closed, a following event releases them.
    PutBack {
        /// The units that were put back now.
        #[cfg_attr(feature = "serde", serde(flatten))]
        units: ListedUnits,
        /// Why, in the words of the caller.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        reason: Option<PutBackReason>,
    },
    /// Units of a batch were not found by the picker: the batch and the line both lose them.
    ///
    /// [`Event::Picked`] precedes it if some units were found.
    UnitsMissing(ListedUnits),
    /// Picked units of a pick line were shipped.
    Shipped {
        /// The units that were shipped now.
        #[cfg_attr(feature = "serde", serde(flatten))]
        units: ListedUnits,
        /// The shipment with which they left, `None` if their list was shipped without one.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        shipment_id: Option<ShipmentId>,
    },
    /// Shipped units of a line came back.
    ///
    /// [`Event::BatchAdded`] follows it if they are restocked.
    LineReturned {
        /// The order that the units were shipped for.
        order_id: OrderId,
        /// The SKU.
        sku: Sku,
        /// The return.
        return_id: ReturnId,
        /// The units that came back.
        quantity: Quantity,
        /// What becomes of them.
        disposition: Disposition,
        /// The batch that they are, `None` if they are none.
        reference: Option<BatchReference>,
    },
    /// A product was registered before its first batch, so that lines can wait for it.
    ProductRegistered {
        /// The SKU.
        sku: Sku,
    },
    /// The settings of a product were changed.
    ProductChanged {
        /// The SKU.
        sku: Sku,
        /// Whether lines move to earlier batches when units of them come free.
        promises: Promises,
    },
    /// The last free unit of a SKU, in stock or in transit, was allocated.
    OutOfStock {
        /// The SKU.
        sku: Sku,
    },
    /// Units of a SKU that was out of stock are free, in stock or in transit, and no waiting line could take them.
    BackInStock {
        /// The SKU.
        sku: Sku,
    },
}

/// Returns whether a term is the usual one, which is not written.
#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(term: &bool) -> bool {
    !*term
}

impl Event {
    /// Returns the stored name of the event type.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BatchAdded { .. } => "batch_added",
            Self::BatchChanged { .. } => "batch_changed",
            Self::BatchAdjusted { .. } => "batch_adjusted",
            Self::BatchReceived { .. } => "batch_received",
            Self::BatchRemoved { .. } => "batch_removed",
            Self::LinePlaced { .. } => "line_placed",
            Self::LineChanged { .. } => "line_changed",
            Self::LineRemoved { .. } => "line_removed",
            Self::LineReinstated { .. } => "line_reinstated",
            Self::Allocated { .. } => "allocated",
            Self::Deallocated { .. } => "deallocated",
            Self::Backordered { .. } => "backordered",
            Self::LineShort { .. } => "line_short",
            Self::WaitEnded { .. } => "wait_ended",
            Self::PromiseWorsened { .. } => "promise_worsened",
            Self::PromiseImproved { .. } => "promise_improved",
            Self::HoldConfirmed { .. } => "hold_confirmed",
            Self::HoldExtended { .. } => "hold_extended",
            Self::HoldExpired { .. } => "hold_expired",
            Self::LineCancelled { .. } => "line_cancelled",
            Self::LineClosed { .. } => "line_closed",
            Self::PickListed(_) => "pick_listed",
            Self::PickLineChanged { .. } => "pick_line_changed",
            Self::PickLineWithdrawn { .. } => "pick_line_withdrawn",
            Self::Picked(_) => "picked",
            Self::PickCorrected { .. } => "pick_corrected",
            Self::PutBack { .. } => "put_back",
            Self::UnitsMissing(_) => "units_missing",
            Self::Shipped { .. } => "shipped",
            Self::LineReturned { .. } => "line_returned",
            Self::ProductRegistered { .. } => "product_registered",
            Self::ProductChanged { .. } => "product_changed",
            Self::OutOfStock { .. } => "out_of_stock",
            Self::BackInStock { .. } => "back_in_stock",
        }
    }

    /// Returns the SKU of the event.
    #[must_use]
    pub const fn sku(&self) -> &Sku {
        self.sku_and_order_id().0
    }

    /// Returns the order of the event, or `None` for an event of the product alone.
    #[must_use]
    pub const fn order_id(&self) -> Option<&OrderId> {
        self.sku_and_order_id().1
    }

    const fn sku_and_order_id(&self) -> (&Sku, Option<&OrderId>) {
        match self {
            Self::LinePlaced { sku, order_id, .. }
            | Self::LineChanged { sku, order_id, .. }
            | Self::LineRemoved { sku, order_id, .. }
            | Self::LineReinstated { sku, order_id, .. }
            | Self::Allocated { sku, order_id, .. }
            | Self::Deallocated { sku, order_id, .. }
            | Self::Backordered { sku, order_id, .. }
            | Self::LineShort { sku, order_id, .. }
            | Self::WaitEnded { sku, order_id, .. }
            | Self::PromiseWorsened { sku, order_id, .. }
            | Self::PromiseImproved { sku, order_id, .. }
            | Self::HoldConfirmed { sku, order_id, .. }
            | Self::HoldExtended { sku, order_id, .. }
            | Self::HoldExpired { sku, order_id, .. }
            | Self::LineCancelled { sku, order_id, .. }
            | Self::LineClosed { sku, order_id, .. }
            | Self::LineReturned { sku, order_id, .. }
            | Self::PickListed(ListedUnits { sku, order_id, .. })
            | Self::PickLineChanged { units: ListedUnits { sku, order_id, .. }, .. }
            | Self::PickLineWithdrawn { units: ListedUnits { sku, order_id, .. }, .. }
            | Self::PickCorrected { units: ListedUnits { sku, order_id, .. }, .. }
            | Self::PutBack { units: ListedUnits { sku, order_id, .. }, .. }
            | Self::Picked(ListedUnits { sku, order_id, .. })
            | Self::UnitsMissing(ListedUnits { sku, order_id, .. })
            | Self::Shipped { units: ListedUnits { sku, order_id, .. }, .. } => (sku, Some(order_id)),
            Self::BatchAdded { sku, .. }
            | Self::BatchChanged { sku, .. }
            | Self::BatchAdjusted { sku, .. }
            | Self::BatchReceived { sku, .. }
            | Self::BatchRemoved { sku, .. }
            | Self::ProductRegistered { sku }
            | Self::ProductChanged { sku, .. }
            | Self::OutOfStock { sku }
            | Self::BackInStock { sku } => (sku, None),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "serde")]
mod tests {
    use super::*;
    use crate::PickListId;

    fn written(event: &Event) -> serde_json::Value {
        let json = serde_json::to_value(event).unwrap();
        assert_eq!(json["type"], event.name());
        assert_eq!(serde_json::from_value::<Event>(json.clone()).unwrap(), *event);
        json
    }

    #[test]
    fn an_event_is_written_with_its_name_as_type() {
        let json = written(&Event::Deallocated {
            order_id: OrderId::parse("O-1").unwrap(),
            sku: Sku::parse("LAMP").unwrap(),
            reference: BatchReference::parse("B-1").unwrap(),
            quantity: Quantity::new(3).unwrap(),
            reason: DeallocationReason::BatchLowered,
        });
        assert_eq!((&json["quantity"], &json["reason"]), (&3.into(), &"batch_lowered".into()));
    }

    #[test]
    fn an_event_from_before_reasons_existed_gets_the_default_reason() {
        let stored = r#"{"type":"deallocated","order_id":"O-1","sku":"LAMP","reference":"B-1","quantity":3}"#;
        let event: Event = serde_json::from_str(stored).unwrap();
        assert!(matches!(event, Event::Deallocated { reason: DeallocationReason::Request, .. }));
    }

    #[test]
    fn terms_and_instants_are_written_without_loss() {
        let json = written(&Event::LinePlaced {
            order_id: OrderId::parse("O-1").unwrap(),
            sku: Sku::parse("LAMP").unwrap(),
            quantity: Quantity::new(3).unwrap(),
            priority: -5,
            on_shortage: OnShortage::Backorder,
            allow_split: false,
            promises: Promises::Stable,
            ship_complete: true,
            expires_at: DateTime::from_timestamp_micros(1_800_000_000_000_001),
        });
        assert_eq!((&json["on_shortage"], &json["promises"]), (&"backorder".into(), &"stable".into()));
        assert_eq!(json["ship_complete"], true);
        assert_eq!(json["expires_at"], "2027-01-15T08:00:00.000001Z");
    }

    #[test]
    fn a_pick_line_is_named_by_its_list_and_number() {
        let units = ListedUnits {
            order_id: OrderId::parse("O-1").unwrap(),
            sku: Sku::parse("LAMP").unwrap(),
            reference: BatchReference::parse("B-1").unwrap(),
            list: PickListId::parse("PICK-1").unwrap(),
            line: 7,
            quantity: Quantity::new(3).unwrap(),
        };
        written(&Event::Picked(units.clone()));
        let shipped = written(&Event::Shipped { units: units.clone(), shipment_id: ShipmentId::parse("S-1").ok() });
        assert_eq!((&shipped["quantity"], &shipped["shipment_id"]), (&3.into(), &"S-1".into()));
        let without = written(&Event::Shipped { units: units.clone(), shipment_id: None });
        assert_eq!(without.get("shipment_id"), None, "as a program from before writes it");
        let json = written(&Event::PickLineWithdrawn { units, reason: WithdrawalReason::NotInStock });
        assert_eq!(
            (&json["list"], &json["line"], &json["reason"]),
            (&"PICK-1".into(), &7.into(), &"not_in_stock".into())
        );
    }

    #[test]
    fn a_batch_lowered_to_nothing_is_written_as_zero() {
        let json = written(&Event::BatchChanged {
            reference: BatchReference::parse("B-1").unwrap(),
            sku: Sku::parse("LAMP").unwrap(),
            purchased_quantity: Units::ZERO,
            adjustments: 0,
            eta: Eta::InStock,
            old_purchased_quantity: Units::new(3).unwrap(),
            old_adjustments: 0,
            old_eta: Eta::InStock,
            revision: 2,
        });
        assert_eq!((&json["purchased_quantity"], &json["eta"]), (&0.into(), &serde_json::Value::Null));
    }
}
