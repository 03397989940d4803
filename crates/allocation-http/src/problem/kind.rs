use actix_web::http::StatusCode;

/// Declares the problem types from one table. The doc comment of a type is its public description.
macro_rules! kinds {
    ($($(#[doc = $description:literal])+ $kind:ident: $status:ident, $name:literal, $title:literal;)+) => {
        /// The types of problems.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($(#[doc = $description])+ $kind,)+
        }

        impl Kind {
            /// All types.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// Returns the unique name of the type.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }

            /// Returns the relative reference that clients compare.
            pub(crate) const fn uri(self) -> &'static str {
                match self { $(Self::$kind => concat!("/problems/", $name)),+ }
            }

            /// Returns the title.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title),+ }
            }

            /// Returns the description: when the problem occurs, and the remedy.
            pub(crate) const fn description(self) -> &'static str {
                match self { $(Self::$kind => concat!($($description),+).trim_ascii()),+ }
            }

            /// Returns the HTTP status.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status),+ }
            }
        }
    };
}

kinds! {
    /// The request violates rules of this API. `errors` lists every violation, with a JSON pointer into the
    /// body or the name of a parameter.
    Validation: UNPROCESSABLE_ENTITY, "validation", "The request is not valid";

    /// The body is not JSON in UTF-8, or it is incomplete.
    MalformedJson: BAD_REQUEST, "malformed-json", "The body is not JSON";

    /// The body must be sent as `application/json`, without a content encoding.
    UnsupportedMediaType: UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The media type is not supported";

    /// The body did not arrive in time: within 10 seconds, or at 64 KiB a second after that. Nothing was
    /// changed, and the connection is closed.
    RequestTimeout: REQUEST_TIMEOUT, "request-timeout", "The body arrived too slowly";

    /// The body exceeds the limit of the request: 2 MiB for an order, 10 MiB for a pick list, 256 KiB for
    /// everything else.
    BodyTooLarge: PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large";

    /// `Host` is not an accepted name of the service: an IP address, `localhost`, or a name set with
    /// `--allowed-host`. Otherwise a page whose name resolves to the service could use it.
    HostNotAllowed: MISDIRECTED_REQUEST, "host-not-allowed", "The host is not allowed";

    /// A page of another origin requested a change, as `Origin` or `Sec-Fetch-Site` shows. Nothing was
    /// changed. `--cors-origin` allows the pages of an origin to use the service.
    CrossSiteRequest: FORBIDDEN, "cross-site-request", "The request comes from a page of another site";

    /// `If-Match` names a version, but the target has none: only batches have versions. Nothing was changed.
    PreconditionFailed: PRECONDITION_FAILED, "precondition-failed", "Only batches have versions";

    /// The path does not exist. The OpenAPI document at `/openapi.json` lists all paths.
    NotFound: NOT_FOUND, "not-found", "The path does not exist";

    /// The path does not support this method. The `Allow` header lists the methods that it supports.
    MethodNotAllowed: METHOD_NOT_ALLOWED, "method-not-allowed", "The method is not allowed";

    /// No batch has this reference.
    BatchNotFound: NOT_FOUND, "batch-not-found", "There is no such batch";

    /// The order has no units in this batch.
    AllocationNotFound: NOT_FOUND, "allocation-not-found", "There is no such allocation";

    /// No order has this id, or all its lines were standalone and have been deallocated.
    OrderNotFound: NOT_FOUND, "order-not-found", "There is no such order";

    /// No batch of this SKU was ever added, and the product was not registered.
    ProductNotFound: NOT_FOUND, "product-not-found", "There is no such product";

    /// Another batch has this reference, with another SKU, purchased quantity or ETA.
    BatchAlreadyExists: CONFLICT, "batch-already-exists", "The reference is taken";

    /// Lines are allocated to the batch, so it cannot be deleted. Deallocate them first.
    BatchHasAllocations: CONFLICT, "batch-has-allocations", "The batch has allocations";

    /// The batch was corrected, and its version is none of those that `If-Match` names. Nothing was changed;
    /// get the batch and decide again.
    BatchChanged: PRECONDITION_FAILED, "batch-changed", "The batch has changed";

    /// The order already has a line of this SKU with another quantity.
    LineAlreadyAllocated: CONFLICT, "line-already-allocated", "The line is allocated with another quantity";

    /// All batches of the SKU together have fewer free units than the line needs, or there are none. Nothing
    /// was allocated. For an order, `shortages` lists all lines that are short.
    OutOfStock: CONFLICT, "out-of-stock", "Not enough stock";

    /// The order accepts backorders, and `skus` lists those of its SKUs that have never had a batch and are
    /// not registered. Nothing was placed. Correct the SKUs, or register the products with
    /// `PUT /products/{sku}`.
    UnknownSku: CONFLICT, "unknown-sku", "The SKU is not known";

    /// Another order has this id: its content differs, or one of its lines was allocated as a standalone
    /// line.
    OrderAlreadyExists: CONFLICT, "order-already-exists", "The order id is taken";

    /// The hold of the order has expired, and its units are free or allocated to other lines. Place a new
    /// order.
    HoldExpired: CONFLICT, "hold-expired", "The hold has expired";

    /// The order was cancelled, which cannot be undone. Place a new order.
    OrderCancelled: CONFLICT, "order-cancelled", "The order was cancelled";

    /// The order is firm, so it has no hold to extend.
    OrderNotHeld: CONFLICT, "order-not-held", "The order is not on hold";

    /// The events after this position are no longer retained, or the log was restored to an earlier state.
    /// Start over with `after` set to `oldest`, as the `Link` header does, and read the current state from the
    /// other paths of this API.
    EventsGone: GONE, "events-gone", "The events are gone";

    /// No units that match the criteria are allocated firmly, in stock and on no pick list.
    NothingToPick: CONFLICT, "nothing-to-pick", "There is nothing to pick";

    /// Another pick list has this id, with other criteria.
    PickListAlreadyExists: CONFLICT, "pick-list-already-exists", "The pick list id is taken";

    /// No pick list has this id.
    PickListNotFound: NOT_FOUND, "pick-list-not-found", "There is no such pick list";

    /// The pick list has no line of this number, or does not exist.
    PickLineNotFound: NOT_FOUND, "pick-line-not-found", "There is no such pick line";

    /// The line must not be picked any more: its order was cancelled or deallocated, its batch changed, or the
    /// list was released. Return the units to their shelf.
    PickLineWithdrawn: CONFLICT, "pick-line-withdrawn", "The pick line was withdrawn";

    /// The reported quantity exceeds that of the line, which may have been lowered since the list was printed.
    /// Get the list again.
    MoreThanToPick: CONFLICT, "more-than-to-pick", "There are fewer units to pick";

    /// The line was already picked with another quantity. Picks cannot be undone.
    PickedOtherwise: CONFLICT, "picked-otherwise", "The line was picked with another quantity";

    /// Lines of the list are still open: `lines` has their numbers. A list is shipped as a whole.
    NotPicked: CONFLICT, "not-picked", "Lines are not picked yet";

    /// No units of the list were picked, so there is nothing to ship.
    NothingPicked: CONFLICT, "nothing-picked", "Nothing was picked";

    /// Units were already picked, which cannot be undone. What they belong to can no longer be cancelled,
    /// deallocated, released or deleted.
    AlreadyPicked: CONFLICT, "already-picked", "Units were picked already";

    /// More units of the batch were picked, shipped or found missing than the requested quantity.
    UnitsConsumed: CONFLICT, "units-gone", "More units of the batch are gone";

    /// None of the media types in `Accept` is available.
    NotAcceptable: NOT_ACCEPTABLE, "not-acceptable", "No acceptable media type is available";

    /// Too many requests are waiting, or this one has waited too long. Nothing was changed; retry after the
    /// time in `Retry-After`.
    Overloaded: SERVICE_UNAVAILABLE, "overloaded", "The service is overloaded";

    /// Locks or connections of the database did not become free in time: other requests or another program
    /// hold them. Nothing was changed; retry after the time in `Retry-After`.
    DatabaseBusy: SERVICE_UNAVAILABLE, "database-busy", "The database is busy";

    /// The database does not respond. Send the same request again after the time in `Retry-After`: if it did
    /// take effect, the repetition changes nothing.
    DatabaseUnavailable: SERVICE_UNAVAILABLE, "database-unavailable", "The database is not available";

    /// The schema of the database is not the one that this version of the service was built for: migrations
    /// are pending, or a newer version has migrated it.
    SchemaNotCurrent: SERVICE_UNAVAILABLE, "schema-not-current", "The database's schema is not current";

    /// The service is not ready: it is starting, no replica sequences events, or a component has failed.
    /// `checks` lists the failed checks.
    NotReady: SERVICE_UNAVAILABLE, "not-ready", "The service is not ready";

    /// The clock of the service's machine is wrong. Decisions use the clock of the database and are not
    /// affected; correct the clock.
    ClockOff: SERVICE_UNAVAILABLE, "clock-off", "The clock of the service is wrong";

    /// The service is shutting down and accepts no more requests. Nothing was changed; retry after the time in
    /// `Retry-After`.
    ShuttingDown: SERVICE_UNAVAILABLE, "shutting-down", "The service is shutting down";

    /// The service failed, and a retry is unlikely to help. The log has the cause. If several requests fail in
    /// the same way, it has the `X-Request-Id` of the first.
    InternalError: INTERNAL_SERVER_ERROR, "internal-error", "The service failed";
}

impl Kind {
    /// Returns the type with a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Returns the seconds after which a retry makes sense.
    pub(crate) fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::Overloaded | Self::DatabaseBusy => Some("1"),
            Self::DatabaseUnavailable
            | Self::SchemaNotCurrent
            | Self::ClockOff
            | Self::NotReady
            | Self::ShuttingDown => Some("5"),
            _ => None,
        }
    }
}
