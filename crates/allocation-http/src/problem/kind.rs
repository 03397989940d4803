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
    /// The request breaks rules of this API. Every fault is in `errors`, with a JSON pointer into
    /// the body or the name of a parameter.
    Validation: UNPROCESSABLE_ENTITY, "validation", "The request is not valid";

    /// The body is not JSON in UTF-8, or it ends before it is complete.
    MalformedJson: BAD_REQUEST, "malformed-json", "The body is not JSON";

    /// The body must be sent as `application/json`, without a content encoding.
    UnsupportedMediaType: UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The media type is not supported";

    /// The body did not come in time: within 10 seconds, or at 64 KiB a second from then on. Nothing was
    /// changed, and the connection is closed.
    RequestTimeout: REQUEST_TIMEOUT, "request-timeout", "The body came too slowly";

    /// The body is larger than the largest that the request can need: 2 MiB for an order, 10 MiB for a
    /// pick list, 256 KiB for everything else.
    BodyTooLarge: PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large";

    /// `Host` is no name that the service is reached by: an IP address, `localhost`, or a name that was set
    /// with `--allowed-host`. A page whose name was made to resolve to the service could use it otherwise.
    HostNotAllowed: MISDIRECTED_REQUEST, "host-not-allowed", "The service is not reached by this name";

    /// A page of another origin asks for a change, as `Origin` or `Sec-Fetch-Site` shows. Nothing was
    /// changed. `--cors-origin` lets the pages of an origin use the service.
    CrossSiteRequest: FORBIDDEN, "cross-site-request", "The request is made by a page of another site";

    /// The request is for a version that `If-Match` names, and what it would change has no versions: only
    /// batches have. Nothing was changed.
    PreconditionFailed: PRECONDITION_FAILED, "precondition-failed", "Only batches have versions";

    /// There is nothing at this path. The OpenAPI document at `/openapi.json` lists all paths.
    NotFound: NOT_FOUND, "not-found", "There is nothing here";

    /// The path is known, but not with this method. The header `Allow` names the methods it has.
    MethodNotAllowed: METHOD_NOT_ALLOWED, "method-not-allowed", "The method is not allowed";

    /// There is no batch of that reference.
    BatchNotFound: NOT_FOUND, "batch-not-found", "There is no such batch";

    /// The order has no units in that batch.
    AllocationNotFound: NOT_FOUND, "allocation-not-found", "There is no such allocation";

    /// There is no order of that name: no line was ever sent for it, or all of them, sent one by one,
    /// were freed.
    OrderNotFound: NOT_FOUND, "order-not-found", "There is no such order";

    /// No batch of that SKU was ever added, and nobody has registered it.
    ProductNotFound: NOT_FOUND, "product-not-found", "There is no such product";

    /// Another batch has that reference: its SKU, purchased quantity or ETA is not the one sent.
    BatchAlreadyExists: CONFLICT, "batch-already-exists", "The reference is taken";

    /// Lines are allocated to the batch, so that it cannot be deleted. Deallocate them first.
    BatchHasAllocations: CONFLICT, "batch-has-allocations", "The batch has allocations";

    /// The batch was corrected since, so that it has none of the versions named by `If-Match`.
    /// Nothing was changed; look at the batch, and decide anew.
    BatchChanged: PRECONDITION_FAILED, "batch-changed", "The batch has changed";

    /// The order has a line of that SKU already, with another quantity.
    LineAlreadyAllocated: CONFLICT, "line-already-allocated", "The line is allocated with another quantity";

    /// All batches of the SKU together have fewer free units than the line needs, or no batch has
    /// that SKU. Nothing was allocated. Of an order, `shortages` has all the lines that are short.
    OutOfStock: CONFLICT, "out-of-stock", "Not enough stock";

    /// The order would wait for SKUs that nobody has registered, and that no batch was ever added of:
    /// `skus` has all of them. Nothing was placed. Correct them, or register the products with
    /// `PUT /products/{sku}`.
    UnknownSku: CONFLICT, "unknown-sku", "The SKU is not known";

    /// Another order has that name: what was sent is not the same, or one of its lines was allocated
    /// by itself before.
    OrderAlreadyExists: CONFLICT, "order-already-exists", "The name of the order is taken";

    /// The units of the order were held for a time that is up. They are free for others, or theirs
    /// already; place a new order.
    HoldExpired: CONFLICT, "hold-expired", "The hold has expired";

    /// The order was cancelled, and stays so. Place a new order.
    OrderCancelled: CONFLICT, "order-cancelled", "The order was cancelled";

    /// The order is firm, so that there is no hold to extend.
    OrderNotHeld: CONFLICT, "order-not-held", "The order is not on hold";

    /// Events that come after the one named are not retained any more, or the log was put back and has not
    /// come so far again. Start over with `after` being the `oldest` that there is, as the header `Link`
    /// does, and take the state from the other paths of this API.
    EventsGone: GONE, "events-gone", "The events are gone";

    /// No firm allocation in stock that is on no pick list is among what was asked for.
    NothingToPick: CONFLICT, "nothing-to-pick", "There is nothing to pick";

    /// There is a pick list of that name already, which was asked to be made of something else.
    PickListAlreadyExists: CONFLICT, "pick-list-already-exists", "The name of the pick list is taken";

    /// There is no pick list of that name.
    PickListNotFound: NOT_FOUND, "pick-list-not-found", "There is no such pick list";

    /// The pick list has no line of that number, or there is no such list.
    PickLineNotFound: NOT_FOUND, "pick-line-not-found", "There is no such pick line";

    /// The line is not to be picked any more: its order was cancelled or gave the units back, its
    /// batch changed, or the list was released. Put the units back on their shelf.
    PickLineWithdrawn: CONFLICT, "pick-line-withdrawn", "The pick line was withdrawn";

    /// More units were found than the line has to pick; it may have been lowered since the list was
    /// printed. Look at the list again.
    MoreThanToPick: CONFLICT, "more-than-to-pick", "There are fewer units to pick";

    /// The line was picked before, with another number of units. What was picked is not undone.
    PickedOtherwise: CONFLICT, "picked-otherwise", "The line was picked with another quantity";

    /// Lines of the list are still to be picked: `lines` has their numbers. A list is shipped as a
    /// whole.
    NotPicked: CONFLICT, "not-picked", "Lines are not picked yet";

    /// Nothing of the list was picked, so that there is nothing to ship.
    NothingPicked: CONFLICT, "nothing-picked", "Nothing was picked";

    /// Units were picked, and that is not undone: what they belong to cannot be cancelled, freed,
    /// given back or deleted any more.
    AlreadyPicked: CONFLICT, "already-picked", "Units were picked already";

    /// More units of the batch were picked, shipped or found missing than it is to be lowered to.
    UnitsConsumed: CONFLICT, "units-gone", "More units of the batch are gone";

    /// None of the media types that the header `Accept` names can be had here.
    NotAcceptable: NOT_ACCEPTABLE, "not-acceptable", "No media type fits";

    /// More requests are waiting than the service takes in, or this one has waited for too long.
    /// Nothing was changed; send the request again after the time in `Retry-After`.
    Overloaded: SERVICE_UNAVAILABLE, "overloaded", "The service is overloaded";

    /// Locks or connections of the database did not become free in time: other requests or another program
    /// hold them. Nothing was changed; send the request again after the time in `Retry-After`.
    DatabaseBusy: SERVICE_UNAVAILABLE, "database-busy", "The database is busy";

    /// The database does not answer. Send the same request again after the time in `Retry-After`:
    /// if it was carried out after all, the repeat changes nothing.
    DatabaseUnavailable: SERVICE_UNAVAILABLE, "database-unavailable", "The database is not available";

    /// The schema of the database is not the one this version of the service was built for:
    /// migrations have still to be run, or a newer version has run its own.
    SchemaNotCurrent: SERVICE_UNAVAILABLE, "schema-not-current", "The database's schema is not current";

    /// The service is not ready to serve requests: it is starting, no replica numbers events, or a part of it
    /// has failed. `checks` says which.
    NotReady: SERVICE_UNAVAILABLE, "not-ready", "The service is not ready";
    /// The clock of the machine that the service runs on is wrong. Requests are decided by that of the
    /// database all the same; mend the clock.
    ClockOff: SERVICE_UNAVAILABLE, "clock-off", "The clock of the service is wrong";

    /// The service is shutting down and takes no more requests. Nothing was changed; send the
    /// request again after the time in `Retry-After`.
    ShuttingDown: SERVICE_UNAVAILABLE, "shutting-down", "The service is shutting down";

    /// The service failed, and sending the request again will hardly help. The log has the cause; for the
    /// first of several requests that fail in the same way, with the id in the header `X-Request-Id`.
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
