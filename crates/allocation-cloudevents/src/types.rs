use allocation_domain::Event;

/// Returns a name for the schema of a type in documents: `LineAllocatedV1` for `allocation.line.allocated.v1`.
#[must_use]
pub fn schema_name(event_type: &str) -> String {
    let words = event_type.trim_start_matches("allocation.").split(['.', '_']);
    words
        .map(|word| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>())
        .collect()
}

/// Generates the types from one table: the event variant, its stored name, its type.
macro_rules! types {
    ($($variant:ident: $name:literal, $type:literal;)+) => {
        /// All event types.
        pub const TYPES: &[&str] = &[$($type),+];

        /// Returns the JSON Schema of the events of a type, as `docs/events` has it; `None` for an unknown type.
        #[must_use]
        pub fn event_schema(event_type: &str) -> Option<&'static str> {
            match event_type {
                $($type => Some(include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/../../docs/events/", $type, ".json"
                ))),)+
                _ => None,
            }
        }

        /// Returns the type of an event.
        #[must_use]
        pub const fn event_type(event: &Event) -> &'static str {
            match event { $(Event::$variant { .. } => $type),+ }
        }

        /// Returns the type of the events with a name ([`Event::name`]), `None` for an unknown name.
        #[must_use]
        pub fn type_of(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some($type),)+
                _ => None,
            }
        }

        /// Returns the name ([`Event::name`]) of the events of a type, `None` for an unknown type.
        #[must_use]
        pub fn event_name(event_type: &str) -> Option<&'static str> {
            match event_type {
                $($type => Some($name),)+
                _ => None,
            }
        }
    };
}

types! {
    BatchAdded: "batch_added", "allocation.batch.added.v1";
    BatchChanged: "batch_changed", "allocation.batch.changed.v1";
    BatchAdjusted: "batch_adjusted", "allocation.batch.adjusted.v1";
    BatchReceived: "batch_received", "allocation.batch.received.v1";
    BatchRemoved: "batch_removed", "allocation.batch.removed.v1";
    LinePlaced: "line_placed", "allocation.line.placed.v1";
    LineChanged: "line_changed", "allocation.line.changed.v1";
    LineRemoved: "line_removed", "allocation.line.removed.v1";
    LineReinstated: "line_reinstated", "allocation.line.reinstated.v1";
    Allocated: "allocated", "allocation.line.allocated.v1";
    Deallocated: "deallocated", "allocation.line.deallocated.v1";
    Backordered: "backordered", "allocation.line.backordered.v1";
    LineShort: "line_short", "allocation.line.short.v1";
    WaitEnded: "wait_ended", "allocation.line.wait_ended.v1";
    PromiseWorsened: "promise_worsened", "allocation.line.promise_worsened.v1";
    PromiseImproved: "promise_improved", "allocation.line.promise_improved.v1";
    LineCancelled: "line_cancelled", "allocation.line.cancelled.v1";
    LineClosed: "line_closed", "allocation.line.closed.v1";
    HoldConfirmed: "hold_confirmed", "allocation.hold.confirmed.v1";
    HoldExtended: "hold_extended", "allocation.hold.extended.v1";
    HoldExpired: "hold_expired", "allocation.hold.expired.v1";
    PickListed: "pick_listed", "allocation.pick.listed.v1";
    PickLineChanged: "pick_line_changed", "allocation.pick.changed.v1";
    PickLineWithdrawn: "pick_line_withdrawn", "allocation.pick.withdrawn.v1";
    Picked: "picked", "allocation.pick.picked.v1";
    PickCorrected: "pick_corrected", "allocation.pick.corrected.v1";
    PutBack: "put_back", "allocation.pick.put_back.v1";
    UnitsMissing: "units_missing", "allocation.pick.units_missing.v1";
    Shipped: "shipped", "allocation.pick.shipped.v1";
    LineReturned: "line_returned", "allocation.line.returned.v1";
    ProductRegistered: "product_registered", "allocation.product.registered.v1";
    ProductChanged: "product_changed", "allocation.product.changed.v1";
    OutOfStock: "out_of_stock", "allocation.product.out_of_stock.v1";
    BackInStock: "back_in_stock", "allocation.product.back_in_stock.v1";
}
