//! Problems (RFC 9457): the error responses of the API.

mod documented;
pub(crate) mod examples;
mod kind;
mod operation;
mod raised;
pub(crate) mod schema;

pub(crate) use documented::{document, document_edge, document_refusals, responses, shared_refusals};
pub(crate) use kind::Kind;
#[cfg(test)]
pub(crate) use operation::Operation;

use crate::prefix::Prefix;
use crate::rate_limit;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError, http::StatusCode};
use allocation_access::{Quota, RateLimited, Scope};
use allocation_domain::{CountId, ExcessReturn, OrderId, OutOfStock, PickListId, ShipmentId, Sku};
use allocation_ports::FailedCheck;
use allocation_requests::ValidationError;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The initial size of the buffer of a body, in bytes; most problems fit in it.
const USUAL_BYTES: usize = 512;

/// The media type of problems.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// An error response. The client sees the detail; `cause` goes to the log only.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    members: Members,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

/// The extension members of a problem.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Members {
    None {},
    ValidationErrors {
        errors: Vec<ValidationError>,
    },
    Shortage(Shortage),
    Shortages {
        shortages: Vec<Shortage>,
    },
    UnknownSkus {
        skus: Vec<String>,
    },
    ExcessReturns {
        excess: Vec<Excess>,
    },
    /// The oldest position, encoded as a string like all ids. The `Link` header carries it, too.
    Gone {
        #[serde(serialize_with = "text")]
        oldest: u64,
        #[serde(skip)]
        next: Option<HeaderValue>,
    },
    /// The unpicked lines of a pick list, or the lines of a count that are not entered.
    Lines {
        lines: Vec<u32>,
    },
    /// Failed readiness checks.
    Checks {
        checks: Vec<Check>,
    },
    /// The scope that a key lacks, and what is left of its rate, which headers tell.
    Scope {
        scope: &'static str,
        #[serde(skip)]
        quota: Option<Quota>,
    },
    /// What is left of the rate of a key, which headers tell.
    RateLimited {
        #[serde(skip)]
        limited: RateLimited,
    },
    /// The methods of a path, which the `Allow` header lists.
    Methods {
        #[serde(skip)]
        allow: HeaderValue,
    },
}

/// A failed readiness check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    detail: Cow<'static, str>,
}

/// A line that stock cannot serve completely.
#[derive(Debug, Serialize)]
struct Shortage {
    sku: String,
    requested: u32,
    available: u64,
}

impl From<&OutOfStock> for Shortage {
    fn from(line: &OutOfStock) -> Self {
        Self { sku: line.sku.to_string(), requested: line.requested.get(), available: line.available }
    }
}

/// A line of which more units would come back than were shipped.
#[derive(Debug, Serialize)]
struct Excess {
    sku: String,
    requested: u64,
    returnable: u32,
}

impl From<&ExcessReturn> for Excess {
    fn from(line: &ExcessReturn) -> Self {
        Self { sku: line.sku.to_string(), requested: line.requested, returnable: line.returnable }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: Cow<'static, str>,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(flatten)]
    members: &'a Members,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), members: Members::None {}, cause: None }
    }

    /// Creates a problem whose detail is the description of its kind.
    pub(crate) fn of(kind: Kind) -> Self {
        Self::new(kind, kind.description())
    }

    /// Creates the problem of a failure whose cause only the log shows.
    pub(crate) fn internal(cause: Arc<dyn Error + Send + Sync>) -> Self {
        Self::of(Kind::InternalError).caused_by(cause)
    }

    pub(crate) fn order_not_found(order_id: &OrderId) -> Self {
        Self::new(Kind::OrderNotFound, format!("There is no order {order_id}"))
    }

    pub(crate) fn product_not_found(sku: &Sku) -> Self {
        Self::new(Kind::ProductNotFound, format!("There is no product {sku}"))
    }

    /// Creates the problem of pruned events; `oldest` is the position of the oldest retained event.
    pub(crate) fn events_gone(oldest: u64) -> Self {
        Self::read_on(oldest, format!("The oldest retained event comes after {}", oldest.saturating_sub(1)))
    }

    /// Creates the problem of a reader ahead of the log, for example after the database was restored.
    pub(crate) fn no_event_yet(seen: u64, oldest: u64) -> Self {
        Self::read_on(oldest, format!("There is no event {seen} yet. If the database was restored, start over"))
    }

    fn read_on(oldest: u64, detail: String) -> Self {
        let before = oldest.saturating_sub(1);
        Self { members: Members::Gone { oldest: before, next: None }, ..Self::new(Kind::EventsGone, detail) }
    }

    /// Adds a link to the oldest retained events; `link` receives the position before them.
    pub(crate) fn with_next(mut self, link: impl FnOnce(u64) -> Option<HeaderValue>) -> Self {
        if let Members::Gone { oldest, next } = &mut self.members {
            *next = link(*oldest);
        }
        self
    }

    pub(crate) fn count_not_found(count_id: &CountId) -> Self {
        Self::new(Kind::CountNotFound, format!("There is no count {count_id}"))
    }

    pub(crate) fn shipment_not_found(shipment_id: &ShipmentId) -> Self {
        Self::new(Kind::ShipmentNotFound, format!("There is no shipment {shipment_id}"))
    }

    pub(crate) fn pick_list_not_found(list_id: &PickListId) -> Self {
        Self::new(Kind::PickListNotFound, format!("There is no pick list {list_id}"))
    }

    /// Creates the problem of failed readiness checks.
    pub(crate) fn not_ready(failed: &[FailedCheck]) -> Self {
        let fails = |name: &str| failed.iter().any(|check| check.name == name);
        let kind = if fails(FailedCheck::DATABASE) {
            Kind::DatabaseUnavailable
        } else if fails(FailedCheck::SCHEMA) {
            Kind::SchemaNotCurrent
        } else if let [FailedCheck { name: FailedCheck::CLOCK, .. }] = failed {
            Kind::ClockOff
        } else {
            Kind::NotReady
        };
        let detail = match failed {
            [only] => only.detail.clone(),
            _ => kind.description().into(),
        };
        let check = |check: &FailedCheck| Check { name: check.name, detail: check.detail.clone() };
        Self { members: Members::Checks { checks: failed.iter().map(check).collect() }, ..Self::new(kind, detail) }
    }

    /// Removes what the failed checks disclose of the service.
    pub(crate) fn without_checks(self) -> Self {
        let members = Members::Checks { checks: Vec::new() };
        Self { members, detail: self.kind.description().into(), ..self }
    }

    /// Creates the problem of a key or a token that is refused.
    pub(crate) fn credentials_refused(refusal: &impl Error) -> Self {
        let mut detail = refusal.to_string();
        if let Some(first) = detail.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Self::new(Kind::KeyRefused, detail)
    }

    pub(crate) fn missing_scope(scope: Scope, quota: Option<Quota>) -> Self {
        let members = Members::Scope { scope: scope.as_str(), quota };
        Self { members, ..Self::new(Kind::MissingScope, format!("The caller lacks the scope {scope}")) }
    }

    pub(crate) fn rate_limited(limited: RateLimited) -> Self {
        let detail = format!("The key may send {} requests", limited.quota.rate);
        Self { members: Members::RateLimited { limited }, ..Self::new(Kind::RateLimited, detail) }
    }

    pub(crate) fn method_not_allowed(allow: HeaderValue) -> Self {
        Self { members: Members::Methods { allow }, ..Self::of(Kind::MethodNotAllowed) }
    }

    pub(crate) fn caused_by(self, cause: Arc<dyn Error + Send + Sync>) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// Returns whether the problem rejects a request temporarily, which is no failure of the service.
    pub(crate) fn turns_away(&self) -> bool {
        matches!(self.kind, Kind::Overloaded | Kind::ShuttingDown | Kind::SchemaNotCurrent | Kind::NotReady)
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the problem's name and its chain of causes, for the log.
    pub(crate) fn chain(&self) -> String {
        let mut chain = self.kind.name().to_owned();
        let mut next = self.cause.as_deref().map(|cause| -> &(dyn Error + 'static) { cause });
        while let Some(error) = next {
            chain.push_str(": ");
            chain.push_str(&error.to_string());
            next = error.source();
        }
        chain
    }

    /// Returns how to authenticate (RFC 6750), if that is the problem.
    fn challenge(&self) -> Option<String> {
        let bearer = r#"Bearer realm="allocation""#;
        match (self.kind, &self.members) {
            (Kind::KeyRequired, _) => Some(bearer.to_owned()),
            (Kind::KeyRefused, _) => Some(format!(r#"{bearer}, error="invalid_token""#)),
            (Kind::MissingScope, Members::Scope { scope, .. }) => {
                Some(format!(r#"{bearer}, error="insufficient_scope", scope="{scope}""#))
            }
            _ => None,
        }
    }

    /// Returns the response body.
    pub(crate) fn body(&self) -> Vec<u8> {
        self.document(self.kind.uri().into())
    }

    /// Returns the response body for a client behind a prefix, so that it can follow the type.
    pub(crate) fn body_at(&self, prefix: &Prefix) -> Vec<u8> {
        self.document(format!("{prefix}{}", self.kind.uri()).into())
    }

    #[expect(clippy::expect_used, reason = "serialising texts and numbers into memory does not fail")]
    fn document(&self, r#type: Cow<'static, str>) -> Vec<u8> {
        let document = Document {
            r#type,
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            members: &self.members,
        };
        let mut body = Vec::with_capacity(USUAL_BYTES);
        serde_json::to_writer(&mut body, &document).expect("texts and numbers are JSON");
        body
    }
}

fn text<S: Serializer>(id: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)));
        if let Some(seconds) = self.kind.retry_after() {
            response.insert_header((header::RETRY_AFTER, HeaderValue::from_static(seconds)));
        }
        if matches!(self.kind, Kind::NotAcceptable) {
            response.insert_header((header::VARY, HeaderValue::from_static("Accept")));
        }
        if let Some(challenge) = self.challenge() {
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        match &self.members {
            Members::Methods { allow } => {
                response.insert_header((header::ALLOW, allow.clone()));
            }
            Members::Gone { next: Some(link), .. } => {
                response.insert_header((header::LINK, link.clone()));
            }
            Members::Scope { quota: Some(quota), .. } => rate_limit::describe_in(&mut response, quota),
            Members::RateLimited { limited } => rate_limit::refuse(&mut response, limited),
            _ => {}
        }
        response.body(self.body())
    }
}

#[cfg(test)]
mod tests;
