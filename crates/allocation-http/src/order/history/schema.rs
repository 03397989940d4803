use utoipa::ToSchema;

/// The name of an event of an order line.
#[derive(ToSchema)]
#[schema(as = OrderEventName, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum EventNameSchema {
    LinePlaced,
    Allocated,
    Deallocated,
    Backordered,
    LineShort,
    WaitEnded,
    PromiseWorsened,
    HoldConfirmed,
    HoldExtended,
    HoldExpired,
    LineCancelled,
    PickListed,
    PickLineChanged,
    PickLineWithdrawn,
    Picked,
    UnitsMissing,
    Shipped,
}

/// Why units were allocated (`new_line`, `refill`, `backorder`, `move`), deallocated (`request`,
/// `cancellation`, `expiry`, `batch_lowered`, `move`) or withdrawn from a pick list (`deallocated`,
/// `not_in_stock`, `given_back`).
#[derive(ToSchema)]
#[schema(as = OrderEventReason, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum ReasonSchema {
    NewLine,
    Refill,
    Backorder,
    Move,
    Request,
    Cancellation,
    Expiry,
    BatchLowered,
    Deallocated,
    NotInStock,
    GivenBack,
}
