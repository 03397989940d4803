use actix_web::http::StatusCode;
use allocation_app::RefusalCode;

/// Declares the problem types: the types of HTTP from a table, and the refusals of use cases with their status.
///
/// The doc comment of a type is its public description.
macro_rules! kinds {
    (
        own { $($(#[doc = $description:literal])+ $kind:ident: $status:ident, $name:literal, $title:literal;)+ }
        refusals { $($refusal:ident: $refused:ident;)+ }
    ) => {
        /// The types of problems.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($(#[doc = $description])+ $kind,)+
            $(#[doc = concat!("[`RefusalCode::", stringify!($refusal), "`].")] $refusal,)+
        }

        impl Kind {
            /// All types.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind,)+ $(Self::$refusal),+];

            /// Returns the unique name of the type.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                    $(Self::$refusal => RefusalCode::$refusal.as_str(),)+
                }
            }

            /// Returns the relative reference that clients compare.
            pub(crate) const fn uri(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!("/problems/", $name),)+
                    $(Self::$refusal => RefusalCode::$refusal.uri(),)+
                }
            }

            /// Returns the title.
            pub(crate) const fn title(self) -> &'static str {
                match self {
                    $(Self::$kind => $title,)+
                    $(Self::$refusal => RefusalCode::$refusal.title(),)+
                }
            }

            /// Returns the description: when the problem occurs, and the remedy.
            pub(crate) const fn description(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!($($description),+).trim_ascii(),)+
                    $(Self::$refusal => RefusalCode::$refusal.description(),)+
                }
            }

            /// Returns the HTTP status.
            pub(crate) const fn status(self) -> StatusCode {
                match self {
                    $(Self::$kind => StatusCode::$status,)+
                    $(Self::$refusal => StatusCode::$refused,)+
                }
            }
        }

        impl From<RefusalCode> for Kind {
            fn from(code: RefusalCode) -> Self {
                match code {
                    $(RefusalCode::$refusal => Self::$refusal,)+
                }
            }
        }
    };
}

kinds! {
    own {
        /// The request violates rules of this API. `errors` lists every violation, with a JSON pointer into the
        /// body or the name of a parameter.
        Validation: UNPROCESSABLE_ENTITY, "validation", "The request is not valid";

        /// The body is not JSON in UTF-8, or it is incomplete.
        MalformedJson: BAD_REQUEST, "malformed-json", "The body is not JSON";

        /// The body must be sent as `application/json`, without a content encoding. The body of a bulk request may
        /// also be `application/x-ndjson`.
        UnsupportedMediaType: UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The media type is not supported";

        /// The body did not arrive in time: within 10 seconds, or at 64 KiB a second after that. Nothing was
        /// changed, and the connection is closed.
        RequestTimeout: REQUEST_TIMEOUT, "request-timeout", "The body arrived too slowly";

        /// The body exceeds the limit of the request: 2 MiB for an order, its change, an adjustment, a count or a return,
        /// 4 MiB for a shipment, 8 MiB for a bulk request, 10 MiB for a pick list, 256 KiB for everything else.
        BodyTooLarge: PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large";

        /// `Host` is not an accepted name of the service: an IP address, `localhost`, or a name set with
        /// `--allowed-host`. Otherwise a page whose name resolves to the service could use it.
        HostNotAllowed: MISDIRECTED_REQUEST, "host-not-allowed", "The host is not allowed";

        /// A page of another origin requested a change, as `Origin` or `Sec-Fetch-Site` shows. Nothing was
        /// changed. `--cors-origin` allows the pages of an origin to use the service.
        CrossSiteRequest: FORBIDDEN, "cross-site-request", "The request comes from a page of another site";

        /// This server only reads: its database is a standby, or must not be changed. Nothing was changed; send the
        /// request to a server that writes.
        ReadOnly: FORBIDDEN, "read-only", "The server is read-only";

        /// The request has no key. Send one as `Authorization: Bearer alloc_...`; `allocation keys create` makes one.
        /// Where an issuer is configured, one of its tokens serves as well.
        KeyRequired: UNAUTHORIZED, "key-required", "A key is required";

        /// The key is malformed, unknown, expired or revoked, or was rotated; or the token is malformed, expired, or
        /// not one for this service. The detail says which.
        KeyRefused: UNAUTHORIZED, "key-refused", "The key is refused";

        /// The key or the token does not have the scope that this operation needs. Nothing was changed; use one with
        /// the scope in `scope`.
        MissingScope: FORBIDDEN, "missing-scope", "The caller lacks a scope";

        /// The key has sent more requests than its rate allows. Nothing was changed; retry after the time in
        /// `Retry-After`.
        RateLimited: TOO_MANY_REQUESTS, "rate-limited", "The key has sent too many requests";

        /// There is no key with this id.
        KeyNotFound: NOT_FOUND, "key-not-found", "There is no such key";

        /// As many keys are stored as possible, revoked ones included.
        TooManyKeys: CONFLICT, "too-many-keys", "There are too many keys";

        /// `If-Match` names a version, but the target has none: only batches and orders have versions. Nothing was
        /// changed.
        PreconditionFailed: PRECONDITION_FAILED, "precondition-failed", "Only batches and orders have versions";

        /// The request with this `Idempotency-Key` was carried out, and its effect was undone or changed since. Nothing
        /// was changed. Send the request with a new key to repeat it on purpose.
        AlreadyUndone: CONFLICT, "already-undone", "The request was carried out and undone";

        /// Another request had this `Idempotency-Key`. Nothing was changed; each request needs a key of its own.
        IdempotencyKeyReused: UNPROCESSABLE_ENTITY, "idempotency-key-reused", "The key belongs to another request";

        /// The path does not exist. The OpenAPI document at `/openapi.json` lists all paths.
        NotFound: NOT_FOUND, "not-found", "The path does not exist";

        /// The path does not support this method. The `Allow` header lists the methods that it supports.
        MethodNotAllowed: METHOD_NOT_ALLOWED, "method-not-allowed", "The method is not allowed";

        /// No batch of this SKU was ever added, and the product was not registered.
        ProductNotFound: NOT_FOUND, "product-not-found", "There is no such product";

        /// No shipment has this id. A list that is shipped as a whole makes none.
        ShipmentNotFound: NOT_FOUND, "shipment-not-found", "There is no such shipment";

        /// The events after this position are no longer retained, or the log was restored to an earlier state.
        /// Start over with `after` set to `oldest`, as the `Link` header does, and read the current state from the
        /// other paths of this API.
        EventsGone: GONE, "events-gone", "The events are gone";

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

        /// This version of the service cannot use the database: migrations are pending, or a newer version has
        /// migrated it, or has recorded the event to be read.
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

    refusals {
        BatchNotFound: NOT_FOUND;
        AllocationNotFound: NOT_FOUND;
        OrderNotFound: NOT_FOUND;
        BatchAlreadyExists: CONFLICT;
        BatchHasAllocations: CONFLICT;
        BatchChanged: PRECONDITION_FAILED;
        LineAlreadyAllocated: CONFLICT;
        OutOfStock: CONFLICT;
        UnknownSku: CONFLICT;
        OrderAlreadyExists: CONFLICT;
        OrderChanged: PRECONDITION_FAILED;
        TooManyLines: CONFLICT;
        HoldExpired: CONFLICT;
        OrderCancelled: CONFLICT;
        OrderClosed: CONFLICT;
        OrderNotHeld: CONFLICT;
        HoldTooLong: CONFLICT;
        NothingToPick: CONFLICT;
        PickListAlreadyExists: CONFLICT;
        PickListNotFound: NOT_FOUND;
        PickLineNotFound: NOT_FOUND;
        PickLineWithdrawn: CONFLICT;
        MoreThanToPick: CONFLICT;
        AlreadyShipped: CONFLICT;
        AlreadyPutBack: CONFLICT;
        MoreThanPicked: CONFLICT;
        NotMissing: CONFLICT;
        NotPicked: CONFLICT;
        NothingPicked: CONFLICT;
        AlreadyPicked: CONFLICT;
        UnitsConsumed: CONFLICT;
        AdjustmentAlreadyExists: CONFLICT;
        QuantityChanged: CONFLICT;
        CountAlreadyExists: CONFLICT;
        BatchInOpenCount: CONFLICT;
        CountNotFound: NOT_FOUND;
        CountLineNotFound: NOT_FOUND;
        CountClosed: CONFLICT;
        NothingToCount: CONFLICT;
        CountTooLarge: UNPROCESSABLE_ENTITY;
        PickedUnits: CONFLICT;
        NotCounted: CONFLICT;
        ShipmentAlreadyExists: CONFLICT;
        ReceiptAlreadyExists: CONFLICT;
        NotInTransit: CONFLICT;
        MoreThanExpected: CONFLICT;
        RestWithoutName: CONFLICT;
        ReturnAlreadyExists: CONFLICT;
        MoreThanShipped: CONFLICT;
        TooManyUnits: CONFLICT;
    }
}

impl Kind {
    /// Returns the type with a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Returns the seconds after which a retry makes sense.
    pub(crate) fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::Overloaded | Self::DatabaseBusy | Self::RateLimited => Some("1"),
            Self::DatabaseUnavailable
            | Self::SchemaNotCurrent
            | Self::ClockOff
            | Self::NotReady
            | Self::ShuttingDown => Some("5"),
            _ => None,
        }
    }
}
