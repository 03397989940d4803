use utoipa::ToSchema;

/// What happened to a line.
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

/// Why units came to a line (`new_line`, `refill`, `backorder`, `move`) or went (`request`,
/// `cancellation`, `expiry`, `batch_lowered`, `move`), or left a pick list (`deallocated`,
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
