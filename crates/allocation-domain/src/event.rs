//! What has happened.

use crate::{BatchReference, Eta, OnShortage, OrderId, PickListId, Quantity, Sku, Units};
use chrono::{DateTime, Utc};

/// Why a line got units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum AllocationReason {
    /// The line is new.
    #[default]
    NewLine,
    /// The line was sent again after it had given units back.
    Refill,
    /// The line has waited for them.
    Backorder,
    /// The line left another batch, or its units were missing there.
    Move,
}

/// Why a line gave units back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum DeallocationReason {
    /// Somebody asked for it. A line that was sent alone and has nothing left is forgotten.
    #[default]
    Request,
    /// The order was cancelled.
    Cancellation,
    /// The hold expired.
    Expiry,
    /// The batch came to less than was allocated of it.
    BatchLowered,
    /// The line goes to a better batch.
    Move,
}

/// Why units left a pick list before they were picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum WithdrawalReason {
    /// The line gives them back: of that, and why, is told next.
    Deallocated,
    /// The batch is not in stock any more: of that is told next.
    NotInStock,
    /// The list was given back.
    GivenBack,
}

/// A fact about a product, in the past tense.
///
/// Every change of a product records its events, one for each batch added, changed or removed, one
/// for each line and batch whose allocation changed, and those of a line's life. They alone tell
/// the state: a reader that starts from nothing and follows them has every batch, line, allocation
/// and pick line. Those of one unit of work on the product happen at the instant that it records
/// ([`crate::Product::decided_at`]), which is also the `added_at` of a batch and the `placed_at` of a line. At no event is more of a batch allocated
/// than there is, or more on pick lists than allocated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "type", rename_all = "snake_case"))]
pub enum Event {
    /// A batch was added.
    BatchAdded {
        /// The batch.
        reference: BatchReference,
        /// What it holds.
        sku: Sku,
        /// How many units were purchased.
        purchased_quantity: Quantity,
        /// When the batch can be picked from.
        eta: Eta,
    },
    /// What was purchased, or when it comes, was corrected. Lines that left the batch for it have
    /// left before. Where there are many, the batch is lowered in steps, as they leave: each step is
    /// an event of the same revision.
    BatchChanged {
        /// The batch.
        reference: BatchReference,
        /// What it holds.
        sku: Sku,
        /// How many units were purchased.
        purchased_quantity: Units,
        /// When the batch can be picked from.
        eta: Eta,
        /// How many units it was before.
        old_purchased_quantity: Units,
        /// When it was expected before.
        old_eta: Eta,
        /// Counts the changes of the batch.
        revision: u32,
    },
    /// A batch of which nothing was allocated was removed.
    BatchRemoved {
        /// The batch.
        reference: BatchReference,
        /// What it held.
        sku: Sku,
    },
    /// A line was placed with an order; what it holds or waits for is told next.
    LinePlaced {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// How many units the line has ordered.
        quantity: Quantity,
        /// Who is served first: the higher number.
        priority: i32,
        /// Whether the line asks to wait for what it lacks.
        on_shortage: OnShortage,
        /// Whether it takes parts of what it waits for.
        allow_split: bool,
        /// When its hold expires, `None` for a firm line.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Units of a batch were allocated to a line. A line of which nothing was told before was sent
    /// alone.
    Allocated {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// How many units of the batch.
        quantity: Quantity,
        /// How many units the line has ordered.
        line_quantity: Quantity,
        /// Why; of [`AllocationReason::Backorder`], the line waits for so many units less.
        #[cfg_attr(feature = "serde", serde(default))]
        reason: AllocationReason,
    },
    /// A line's units in a batch were freed.
    Deallocated {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// How many units were freed.
        quantity: Quantity,
        /// Why.
        #[cfg_attr(feature = "serde", serde(default))]
        reason: DeallocationReason,
    },
    /// A line waits for so many units more, as its order has asked.
    Backordered {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// How many units more it waits for.
        quantity: Quantity,
    },
    /// A line lost so many units without having asked to wait: it is short, and waits for them.
    LineShort {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// How many units more it waits for.
        quantity: Quantity,
    },
    /// A line that gave units back, or was filled by itself, waits for nothing more.
    WaitEnded {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// For how many units it had waited.
        quantity: Quantity,
    },
    /// A line's promise got worse: its batch comes later, or it was moved to a later one.
    PromiseWorsened {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// The batch that holds the units now.
        reference: BatchReference,
        /// How many units.
        quantity: Quantity,
        /// When they were promised before.
        old_eta: Eta,
        /// When they are promised now.
        new_eta: Eta,
    },
    /// A held line was made firm.
    HoldConfirmed {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
    },
    /// A line is held for longer.
    HoldExtended {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// When the hold expires now.
        expires_at: DateTime<Utc>,
    },
    /// A line's hold expired: what it held was freed, and it waits no more.
    HoldExpired {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// When the hold expired; it may have been noticed later.
        expires_at: DateTime<Utc>,
    },
    /// A line was cancelled: what it held was freed, and it waits no more.
    LineCancelled {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
    },
    /// Units that a line holds in a batch were put on a pick list.
    PickListed {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// The pick list.
        list: PickListId,
        /// The number of the line on it.
        line: u32,
        /// How many units are to be picked.
        quantity: Quantity,
    },
    /// Fewer units are to be picked of a line of a pick list.
    PickLineChanged {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// The pick list.
        list: PickListId,
        /// The number of the line on it.
        line: u32,
        /// How many units are to be picked now.
        quantity: Quantity,
        /// How many units it was before.
        old_quantity: Quantity,
        /// Why.
        reason: WithdrawalReason,
    },
    /// Nothing is to be picked any more of a line of a pick list.
    PickLineWithdrawn {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// The pick list.
        list: PickListId,
        /// The number of the line on it.
        line: u32,
        /// How many units were to be picked.
        quantity: Quantity,
        /// Why.
        reason: WithdrawalReason,
    },
    /// Units of a batch were picked for a line: they are allocated no more, and will not be undone.
    Picked {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// The pick list.
        list: PickListId,
        /// The number of the line on it.
        line: u32,
        /// How many units.
        quantity: Quantity,
    },
    /// Units of a batch were not there when they were to be picked: the batch has so many less, and
    /// so has the line. What was found of the pick line is told before.
    UnitsMissing {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// The pick list.
        list: PickListId,
        /// The number of the line on it.
        line: u32,
        /// How many units.
        quantity: Quantity,
    },
    /// The units that were picked of a line of a pick list have left for good.
    Shipped {
        /// The order that the line belongs to.
        order_id: OrderId,
        /// What is ordered.
        sku: Sku,
        /// The batch.
        reference: BatchReference,
        /// The pick list.
        list: PickListId,
        /// The number of the line on it.
        line: u32,
        /// How many units.
        quantity: Quantity,
    },
    /// The last free unit of a SKU, in the warehouse or on its way, was allocated.
    OutOfStock {
        /// What is sold out.
        sku: Sku,
    },
}

impl Event {
    /// The event's type, as it is stored.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BatchAdded { .. } => "batch_added",
            Self::BatchChanged { .. } => "batch_changed",
            Self::BatchRemoved { .. } => "batch_removed",
            Self::LinePlaced { .. } => "line_placed",
            Self::Allocated { .. } => "allocated",
            Self::Deallocated { .. } => "deallocated",
            Self::Backordered { .. } => "backordered",
            Self::LineShort { .. } => "line_short",
            Self::WaitEnded { .. } => "wait_ended",
            Self::PromiseWorsened { .. } => "promise_worsened",
            Self::HoldConfirmed { .. } => "hold_confirmed",
            Self::HoldExtended { .. } => "hold_extended",
            Self::HoldExpired { .. } => "hold_expired",
            Self::LineCancelled { .. } => "line_cancelled",
            Self::PickListed { .. } => "pick_listed",
            Self::PickLineChanged { .. } => "pick_line_changed",
            Self::PickLineWithdrawn { .. } => "pick_line_withdrawn",
            Self::Picked { .. } => "picked",
            Self::UnitsMissing { .. } => "units_missing",
            Self::Shipped { .. } => "shipped",
            Self::OutOfStock { .. } => "out_of_stock",
        }
    }

    /// The order that the event is about, `None` for an event of the product alone.
    #[must_use]
    pub const fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::LinePlaced { order_id, .. }
            | Self::Allocated { order_id, .. }
            | Self::Deallocated { order_id, .. }
            | Self::Backordered { order_id, .. }
            | Self::LineShort { order_id, .. }
            | Self::WaitEnded { order_id, .. }
            | Self::PromiseWorsened { order_id, .. }
            | Self::HoldConfirmed { order_id, .. }
            | Self::HoldExtended { order_id, .. }
            | Self::HoldExpired { order_id, .. }
            | Self::LineCancelled { order_id, .. }
            | Self::PickListed { order_id, .. }
            | Self::PickLineChanged { order_id, .. }
            | Self::PickLineWithdrawn { order_id, .. }
            | Self::Picked { order_id, .. }
            | Self::UnitsMissing { order_id, .. }
            | Self::Shipped { order_id, .. } => Some(order_id),
            Self::BatchAdded { .. }
            | Self::BatchChanged { .. }
            | Self::BatchRemoved { .. }
            | Self::OutOfStock { .. } => None,
        }
    }
}

#[cfg(test)]
#[cfg(feature = "serde")]
mod tests {
    use super::*;

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
    fn an_event_from_before_there_were_reasons_is_read_as_what_it_was() {
        let stored = r#"{"type":"deallocated","order_id":"O-1","sku":"LAMP","reference":"B-1","quantity":3}"#;
        let event: Event = serde_json::from_str(stored).unwrap();
        assert!(matches!(event, Event::Deallocated { reason: DeallocationReason::Request, .. }));
    }

    #[test]
    fn terms_and_instants_are_written_whole() {
        let json = written(&Event::LinePlaced {
            order_id: OrderId::parse("O-1").unwrap(),
            sku: Sku::parse("LAMP").unwrap(),
            quantity: Quantity::new(3).unwrap(),
            priority: -5,
            on_shortage: OnShortage::Backorder,
            allow_split: false,
            expires_at: DateTime::from_timestamp_micros(1_800_000_000_000_001),
        });
        assert_eq!(json["on_shortage"], "backorder");
        assert_eq!(json["expires_at"], "2027-01-15T08:00:00.000001Z");
    }

    #[test]
    fn a_pick_line_is_named_by_its_list_and_number() {
        let json = written(&Event::PickLineWithdrawn {
            order_id: OrderId::parse("O-1").unwrap(),
            sku: Sku::parse("LAMP").unwrap(),
            reference: BatchReference::parse("B-1").unwrap(),
            list: PickListId::parse("PICK-1").unwrap(),
            line: 7,
            quantity: Quantity::new(3).unwrap(),
            reason: WithdrawalReason::NotInStock,
        });
        assert_eq!(
            (&json["list"], &json["line"], &json["reason"]),
            (&"PICK-1".into(), &7.into(), &"not_in_stock".into())
        );
    }

    #[test]
    fn a_batch_that_came_to_nothing_is_written_as_zero() {
        let json = written(&Event::BatchChanged {
            reference: BatchReference::parse("B-1").unwrap(),
            sku: Sku::parse("LAMP").unwrap(),
            purchased_quantity: Units::ZERO,
            eta: Eta::InStock,
            old_purchased_quantity: Units::new(3).unwrap(),
            old_eta: Eta::InStock,
            revision: 2,
        });
        assert_eq!((&json["purchased_quantity"], &json["eta"]), (&0.into(), &serde_json::Value::Null));
    }
}
