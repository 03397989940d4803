//! Descriptions of events for people.

use crate::instant::Instant;
use allocation_domain::{
    AllocationReason, BatchReference, DeallocationReason, Disposition, Eta, Event, ListedUnits, Quantity,
    WithdrawalReason,
};
use std::fmt;

/// Describes an event in a sentence.
pub(super) fn describe(event: &Event) -> String {
    match event {
        Event::LinePlaced { quantity, expires_at, .. } => match expires_at {
            Some(expires_at) => format!("{} ordered, to be held until {}", Count(*quantity), Instant(*expires_at)),
            None => format!("{} ordered", Count(*quantity)),
        },
        Event::LineChanged { quantity, old_quantity, requeued, .. } => {
            changed(Count(*quantity), Count(*old_quantity), *requeued)
        }
        Event::LineReinstated { quantity, .. } => {
            format!("The line of {} was confirmed after its hold had expired, like a new one", Count(*quantity))
        }
        Event::LineRemoved { quantity, .. } => format!("The line of {} was removed from the order", Count(*quantity)),
        Event::Allocated { reference, quantity, reason, .. } => allocated(Count(*quantity), reference, *reason),
        Event::Deallocated { reference, quantity, reason, .. } => deallocated(Count(*quantity), reference, *reason),
        Event::Backordered { quantity, .. } => format!("{} backordered: stock is short", Count(*quantity)),
        Event::LineShort { quantity, .. } => {
            format!("{} short: lost after being promised, and no others are free", Count(*quantity))
        }
        Event::WaitEnded { quantity, .. } => format!("The line no longer waits for {}", Count(*quantity)),
        Event::PromiseImproved { old_reference, reference, quantity, old_eta, new_eta, .. } => {
            let (units, new, old) = (Count(*quantity), Day(*new_eta), Day(*old_eta));
            format!(
                "{units} moved from batch {old_reference} to {reference}, promised {new}, earlier than before: {old}"
            )
        }
        Event::PromiseWorsened { reference, quantity, old_eta, new_eta, .. } => {
            let (units, new, old) = (Count(*quantity), Day(*new_eta), Day(*old_eta));
            format!("{units} from batch {reference} promised {new}, later than before: {old}")
        }
        Event::HoldConfirmed { .. } => "The order was confirmed: held units are now firm".to_owned(),
        Event::HoldExtended { expires_at, .. } => format!("The hold was extended until {}", Instant(*expires_at)),
        Event::HoldExpired { expires_at, .. } => {
            format!("The hold expired at {} without confirmation", Instant(*expires_at))
        }
        Event::LineCancelled { .. } => "The order was cancelled".to_owned(),
        Event::LineClosed { .. } => "The order was closed: nothing more is to come".to_owned(),
        Event::PickListed(ListedUnits { reference, list, line, quantity, .. }) => {
            format!("{} from batch {reference} to be picked: line {line} of pick list {list}", Count(*quantity))
        }
        Event::PickLineChanged { units, reason, .. } => {
            let (quantity, why) = (Count(units.quantity), left_list(*reason));
            format!("Only {quantity} left to be picked on line {}: {why}", units.id())
        }
        Event::PickLineWithdrawn { units, reason } => {
            format!("Line {} was withdrawn: {}", units.id(), left_list(*reason))
        }
        Event::Picked(ListedUnits { reference, quantity, .. }) => {
            format!("{} picked from batch {reference}", Count(*quantity))
        }
        Event::PickCorrected { units, found, old_found, .. } => {
            format!("The pick of line {} was corrected: {found} units found, not {old_found}", units.id())
        }
        Event::PutBack { units, reason } => {
            let back = format!("{} put back to batch {}", Count(units.quantity), units.reference);
            reason.as_ref().map_or_else(|| back.clone(), |reason| format!("{back}: {reason}"))
        }
        Event::UnitsMissing(ListedUnits { reference, quantity, .. }) => {
            format!("{} of batch {reference} not found by the picker", Count(*quantity))
        }
        Event::Shipped { units: ListedUnits { reference, quantity, .. }, shipment_id } => {
            let shipped = format!("{} from batch {reference} shipped", Count(*quantity));
            shipment_id.as_ref().map_or_else(|| shipped.clone(), |id| format!("{shipped} with shipment {id}"))
        }
        Event::LineReturned { return_id, quantity, disposition, .. } => {
            format!("{} came back, {}: return {return_id}", Count(*quantity), disposed(*quantity, *disposition))
        }
        Event::BatchAdded { reference, .. } => format!("Batch {reference} was added"),
        Event::BatchChanged { reference, .. } => format!("Batch {reference} was corrected"),
        Event::BatchAdjusted { reference, change, reason, .. } => {
            format!("Batch {reference} was adjusted by {change}: {reason}")
        }
        Event::BatchReceived { reference, .. } => format!("Batch {reference} was received"),
        Event::BatchRemoved { reference, .. } => format!("Batch {reference} was removed"),
        Event::ProductRegistered { sku } => format!("Product {sku} was registered"),
        Event::ProductChanged { sku, .. } => format!("The settings of product {sku} were changed"),
        Event::OutOfStock { sku } => format!("The last free unit of SKU {sku} was allocated"),
        Event::BackInStock { sku } => format!("Units of SKU {sku} are free again"),
    }
}

fn changed(new: Count, old: Count, requeued: bool) -> String {
    let queue = if requeued { "; it waits behind the lines that already wait" } else { "" };
    if new.0 == old.0 {
        "The terms of the line were changed".to_owned()
    } else {
        format!("The line was changed to {new}, from {}{queue}", old.0)
    }
}

fn allocated(units: Count, batch: &BatchReference, reason: AllocationReason) -> String {
    match reason {
        AllocationReason::NewLine => format!("{units} allocated from batch {batch}"),
        AllocationReason::Refill => {
            format!("{units} allocated from batch {batch}, for units that the line had released")
        }
        AllocationReason::Backorder => format!("{units} allocated from batch {batch}, which the line was waiting for"),
        AllocationReason::Move => format!("{units} moved to batch {batch}"),
        AllocationReason::LineChanged => format!("{units} allocated from batch {batch}: the line was raised"),
    }
}

fn deallocated(units: Count, batch: &BatchReference, reason: DeallocationReason) -> String {
    match reason {
        DeallocationReason::Request => format!("{units} returned to batch {batch} on request"),
        DeallocationReason::Cancellation => format!("{units} returned to batch {batch}: the order was cancelled"),
        DeallocationReason::Closure => format!("{units} returned to batch {batch}: the order was closed"),
        DeallocationReason::PickCorrected => {
            format!("{units} returned to batch {batch}: the missing units that they replaced were found")
        }
        DeallocationReason::Expiry => format!("{units} returned to batch {batch}: the hold had expired"),
        DeallocationReason::BatchLowered => {
            format!("{units} lost from batch {batch}: fewer units remain than were allocated")
        }
        DeallocationReason::Move => format!("{units} moved out of batch {batch}, for a better one"),
        DeallocationReason::LineChanged => {
            format!("{units} returned to batch {batch}: the line was lowered or removed")
        }
    }
}

/// Describes why units left a pick list.
const fn left_list(reason: WithdrawalReason) -> &'static str {
    match reason {
        WithdrawalReason::Deallocated => "its units are no longer allocated",
        WithdrawalReason::NotInStock => "the batch is no longer in stock",
        WithdrawalReason::Released => "the list was released",
    }
}

fn disposed(units: Quantity, disposition: Disposition) -> String {
    let verb = if units.get() == 1 { "is" } else { "are" };
    match disposition {
        Disposition::Restock => format!("and {verb} in stock again"),
        Disposition::Quarantine => format!("and {verb} in quarantine"),
        Disposition::Scrap => format!("and {verb} scrapped"),
    }
}

/// A number of units, as text.
#[derive(Clone, Copy)]
struct Count(Quantity);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.0.get() == 1 { "unit" } else { "units" };
        write!(f, "{} {unit}", self.0)
    }
}

/// A promised date, as text.
struct Day(Eta);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.date() {
            Some(date) => write!(f, "for {date}"),
            None => f.write_str("from stock"),
        }
    }
}

#[cfg(test)]
mod tests;
