use crate::choice::choice_schema;

choice_schema! {
    /// The name of an event of an order line.
    EventNameSchema as "OrderEventName": [
        "line_placed",
        "line_changed",
        "line_removed",
        "line_reinstated",
        "allocated",
        "deallocated",
        "backordered",
        "line_short",
        "wait_ended",
        "promise_worsened",
        "promise_improved",
        "hold_confirmed",
        "hold_extended",
        "hold_expired",
        "line_cancelled",
        "line_closed",
        "pick_listed",
        "pick_line_changed",
        "pick_line_withdrawn",
        "picked",
        "pick_corrected",
        "put_back",
        "units_missing",
        "shipped",
        "line_returned",
    ]
}

choice_schema! {
    /// Why units were allocated (`new_line`, `refill`, `backorder`, `move`, `line_changed`), deallocated
    /// (`request`, `cancellation`, `expiry`, `batch_lowered`, `move`, `line_changed`, `closure`, `pick_corrected`) or
    /// withdrawn from a pick list (`deallocated`, `not_in_stock`, `given_back`).
    ReasonSchema as "OrderEventReason": [
        "new_line",
        "refill",
        "backorder",
        "move",
        "request",
        "cancellation",
        "expiry",
        "batch_lowered",
        "line_changed",
        "closure",
        "pick_corrected",
        "deallocated",
        "not_in_stock",
        "given_back",
    ]
}
