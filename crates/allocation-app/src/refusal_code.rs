//! The codes of refusals.

/// Declares the codes from one table. The doc comment of a code is its public description.
macro_rules! codes {
    ($($(#[doc = $description:literal])+ $code:ident: $name:literal, $title:literal;)+) => {
        /// The codes of refusals.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum RefusalCode {
            $($(#[doc = $description])+ $code,)+
        }

        impl RefusalCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// Returns the unique name of the code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name),+ }
            }

            /// Returns the relative reference that clients compare.
            #[must_use]
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$code => concat!("/problems/", $name)),+ }
            }

            /// Returns the title.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$code => $title),+ }
            }

            /// Returns the description: when the refusal occurs, and the remedy.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$code => concat!($($description),+).trim_ascii()),+ }
            }
        }
    };
}

codes! {
    /// No batch has this reference.
    BatchNotFound: "batch-not-found", "There is no such batch";

    /// The order has no units in this batch.
    AllocationNotFound: "allocation-not-found", "There is no such allocation";

    /// No order has this id, or all its lines were standalone and have been deallocated.
    OrderNotFound: "order-not-found", "There is no such order";

    /// Another batch has this reference. It has another SKU, purchased quantity or ETA, or one of the two was purchased
    /// and the other came back from an order.
    BatchAlreadyExists: "batch-already-exists", "The reference is taken";

    /// Lines are allocated to the batch, so it cannot be deleted. Deallocate them first.
    BatchHasAllocations: "batch-has-allocations", "The batch has allocations";

    /// The batch was corrected, and its version is none of those that `If-Match` names. Nothing was changed;
    /// get the batch and decide again.
    BatchChanged: "batch-changed", "The batch has changed";

    /// The order already has a line of this SKU with another quantity.
    LineAlreadyAllocated: "line-already-allocated", "The line is allocated with another quantity";

    /// All batches of the SKU together have fewer free units than the line needs, or there are none. Nothing
    /// was allocated or changed. For an order, `shortages` lists all lines that are short.
    OutOfStock: "out-of-stock", "Not enough stock";

    /// The order accepts backorders, and `skus` lists those of its SKUs that have never had a batch and are
    /// not registered. Nothing was placed or changed. Correct the SKUs, or register the products with
    /// `PUT /products/{sku}`.
    UnknownSku: "unknown-sku", "The SKU is not known";

    /// Another order has this id: its content differs, or one of its lines was allocated as a standalone
    /// line.
    OrderAlreadyExists: "order-already-exists", "The order id is taken";

    /// The order was changed, and its version is none of those that `If-Match` names. Nothing was changed; get the
    /// order and decide again.
    OrderChanged: "order-changed", "The order has changed";

    /// The order would have more than 500 lines. Nothing was changed; place a second order.
    TooManyLines: "too-many-lines", "The order has too many lines";

    /// The hold of the order has expired, and its units are free or allocated to other lines. Place a new order, or
    /// confirm this one with `reallocate`.
    HoldExpired: "hold-expired", "The hold has expired";

    /// The order was cancelled, which cannot be undone. Place a new order.
    OrderCancelled: "order-cancelled", "The order was cancelled";

    /// The order was closed, so no more units are to come. What was picked before is shipped. Place a new order.
    OrderClosed: "order-closed", "The order was closed";

    /// The order is firm, so it has no hold to extend.
    OrderNotHeld: "order-not-held", "The order is not on hold";

    /// The hold would last longer than 30 days from the time when the first line of the order was placed. Nothing was
    /// changed; confirm the order, or place a new one.
    HoldTooLong: "hold-too-long", "The hold would last too long";

    /// No units that match the criteria are allocated firmly, in stock and on no pick list.
    NothingToPick: "nothing-to-pick", "There is nothing to pick";

    /// Another pick list has this id, with other criteria.
    PickListAlreadyExists: "pick-list-already-exists", "The pick list id is taken";

    /// No pick list has this id.
    PickListNotFound: "pick-list-not-found", "There is no such pick list";

    /// The pick list has no line of this number, or does not exist.
    PickLineNotFound: "pick-line-not-found", "There is no such pick line";

    /// The line must not be picked any more: its order was cancelled or deallocated, its batch changed, or the
    /// line or its list was released. Return the units to their shelf.
    PickLineWithdrawn: "pick-line-withdrawn", "The pick line was withdrawn";

    /// The reported quantity exceeds that of the line, which may have been lowered since the list was printed.
    /// Get the list again.
    MoreThanToPick: "more-than-to-pick", "There are fewer units to pick";

    /// The request affects units of the line that were shipped. Shipped units are not put back, corrected or shipped
    /// again. Get the list; `shipped` has their number.
    AlreadyShipped: "already-shipped", "The units were shipped already";

    /// More units of the line were put back than the request states. A pick is not corrected to fewer units, and the
    /// total of a put-back never falls. Get the list; `put_back` has their number.
    AlreadyPutBack: "already-put-back", "More units were put back already";

    /// The request puts back or ships more units of the line than are picked. Get the list; `picked`, `shipped` and
    /// `put_back` have the numbers.
    MoreThanPicked: "more-than-picked", "There are fewer picked units";

    /// The batch no longer counts the units as missing that the corrected pick has found: it was removed, or they were
    /// found otherwise. Nothing was changed.
    NotMissing: "not-missing", "The units are not missing";

    /// Lines of the list are still open; `lines` has their numbers. Pick or release them. For a shipment: a pick line
    /// is open, missing or withdrawn, so nothing of it can be shipped.
    NotPicked: "not-picked", "Lines are not picked yet";

    /// No units of the list were picked, so there is nothing to ship.
    NothingPicked: "nothing-picked", "Nothing was picked";

    /// Units were already picked. What they belong to cannot be cancelled, deallocated, released or deleted, nor
    /// lowered below them. Put the units back first, or close the order if they are shipped.
    AlreadyPicked: "already-picked", "Units were picked already";

    /// More units of the batch were picked, shipped, found missing or removed by adjustments than the request
    /// leaves.
    UnitsConsumed: "units-gone", "More units of the batch are gone";

    /// Another adjustment has this id, with other content.
    AdjustmentAlreadyExists: "adjustment-already-exists", "The adjustment id is taken";

    /// The batch has another number of units on hand than `from`. Nothing was adjusted; count again.
    QuantityChanged: "quantity-changed", "The quantity has changed";

    /// Another count has this id, with other content.
    CountAlreadyExists: "count-already-exists", "The count id is taken";

    /// A batch of the new count is in an open one: both would book the same difference. Close or abandon the open count
    /// first.
    BatchInOpenCount: "batch-in-open-count", "A batch is in an open count";

    /// No count has this id, or it was abandoned.
    CountNotFound: "count-not-found", "There is no such count";

    /// The count has no line of this number.
    CountLineNotFound: "count-line-not-found", "There is no such line of the count";

    /// The count is closed: its variances are applied, so it can neither be changed nor abandoned. Adjust the batches, or
    /// count them again.
    CountClosed: "count-closed", "The count is closed";

    /// No batch of the SKUs has units in stock. To count a batch without units, name it.
    NothingToCount: "nothing-to-count", "There is nothing to count";

    /// More than 500 batches of the SKUs have units in stock. Count fewer SKUs at once, or name the batches.
    CountTooLarge: "count-too-large", "The count has too many batches";

    /// Units of the batch are picked and not shipped. Say with `picked_counted` whether they were counted, too.
    PickedUnits: "picked-units", "Were the picked units counted?";

    /// Lines of the count are not entered, or their batches were deleted or got an ETA since they were: `lines` has
    /// their numbers. Enter them, or leave their batches as they are with `uncounted`.
    NotCounted: "not-counted", "Lines are not counted yet";

    /// Another shipment has this id, with other content.
    ShipmentAlreadyExists: "shipment-already-exists", "The shipment id is taken";

    /// Another receipt has this id, with other content.
    ReceiptAlreadyExists: "receipt-already-exists", "The receipt id is taken";

    /// The batch is in stock, so nothing of it is to arrive. Adjust it, or add a batch.
    NotInTransit: "not-in-transit", "The batch is not in transit";

    /// More units arrived than the batch has to arrive. Nothing was received; count again, or accept them with `over`.
    MoreThanExpected: "more-than-expected", "More units arrived than expected";

    /// The reference of the batch with a number is too long for the rest, or 1,000 of them are taken. Give the rest a
    /// `reference`.
    RestWithoutName: "rest-without-name", "The rest needs a reference";

    /// Another return has this id, with other content.
    ReturnAlreadyExists: "return-already-exists", "The return id is taken";

    /// The return exceeds the units of the order that were shipped and have not come back. Nothing was booked; `excess`
    /// lists every SKU with too many units.
    MoreThanShipped: "more-than-shipped", "More units would come back than were shipped";

    /// The batch would have more than 2,147,483,647 units with those that adjustments have added.
    TooManyUnits: "too-many-units", "The batch would have too many units";
}
