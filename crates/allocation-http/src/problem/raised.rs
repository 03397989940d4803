//! Converts validation errors, refusals and failures to problems.

use super::{Kind, Members, Problem};
use crate::etag;
use allocation_app::{AccessError, EngineError, KeyError, Refusal, RefusalMembers, UseCaseError, is_overload};
use allocation_cloudevents::UnpublishableEvent;
use allocation_ports::{FailedCheck, ProgramTooOld, ReadLogError, StoreError};
use allocation_requests::{Location, ValidationError, ValidationErrors};
use std::sync::Arc;

impl Problem {
    /// Creates the problem of a refusal.
    pub(crate) fn refused(refusal: &impl Refusal) -> Self {
        let kind = refusal.code().into();
        let members = match refusal.members() {
            RefusalMembers::None => Members::None {},
            RefusalMembers::Shortage(line) => Members::Shortage(line.into()),
            RefusalMembers::Shortages(lines) => {
                Members::Shortages { shortages: lines.iter().map(Into::into).collect() }
            }
            RefusalMembers::UnknownSkus(skus) => {
                Members::UnknownSkus { skus: skus.iter().map(ToString::to_string).collect() }
            }
            RefusalMembers::ExcessReturns(lines) => {
                Members::ExcessReturns { excess: lines.iter().map(Into::into).collect() }
            }
            RefusalMembers::OpenLines(lines) => Members::Lines { lines: lines.to_vec() },
            RefusalMembers::Stale(reference, actual) => {
                let tag = etag::version_tag(actual);
                let detail = format!("Batch {reference} has the version {tag} now, which If-Match does not name");
                return Self::new(kind, detail);
            }
        };
        Self { members, ..Self::new(kind, refusal.detail()) }
    }
}

impl From<ValidationError> for Problem {
    fn from(error: ValidationError) -> Self {
        ValidationErrors::from(error).into()
    }
}

impl From<ValidationErrors> for Problem {
    fn from(errors: ValidationErrors) -> Self {
        let count = errors.count();
        let detail = match errors.listed() {
            [ValidationError { location: Location::Pointer(whole), detail }] if whole.is_empty() => {
                format!("The body {detail}")
            }
            [error] if count == 1 => error.to_string(),
            all if all.len() == count => format!("The request has {count} errors, listed in errors"),
            first => format!("The request has {count} errors, the first {} of them listed in errors", first.len()),
        };
        let members = Members::ValidationErrors { errors: errors.into_listed() };
        Self { members, ..Self::new(Kind::Validation, detail) }
    }
}

impl<R: Refusal> From<UseCaseError<R>> for Problem {
    fn from(error: UseCaseError<R>) -> Self {
        match error {
            UseCaseError::Refused(refusal) => Self::refused(&refusal),
            UseCaseError::Store(error) => error.into(),
        }
    }
}

impl<R: Refusal> From<EngineError<R>> for Problem {
    fn from(error: EngineError<R>) -> Self {
        match error {
            EngineError::Refused(refusal) => Self::refused(&refusal),
            EngineError::Overloaded => Self::of(Kind::Overloaded),
            EngineError::ShuttingDown => Self::of(Kind::ShuttingDown),
            EngineError::Store(error) => error.into(),
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotLoaded => {
                Self::not_ready(&[FailedCheck::new(FailedCheck::KEYS, "The keys of callers are not loaded")])
            }
            AccessError::NoKey => Self::of(Kind::KeyRequired),
            AccessError::Refused(refusal) => Self::credentials_refused(&refusal),
            AccessError::TokenRefused(refusal) => Self::credentials_refused(&refusal),
            AccessError::RateLimited(limited) => Self::rate_limited(limited),
            AccessError::MissingScope { scope, quota } => Self::missing_scope(scope, quota),
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::NotFound(id) => Self::new(Kind::KeyNotFound, format!("There is no key {id}")),
            KeyError::TooMany => Self::of(Kind::TooManyKeys),
            KeyError::NoScope => ValidationError::in_body("/scopes", "must not be empty").into(),
            KeyError::Expired => ValidationError::in_body("/expires_at", "must be in the future").into(),
            // Requests over HTTP rotate no keys.
            KeyError::GraceTooLong | KeyError::InGrace(_) | KeyError::ChangedMeanwhile => Self::of(Kind::InternalError),
            KeyError::NoRandomBytes(error) => Self::internal(Arc::new(error)),
            KeyError::Store(error) => error.into(),
        }
    }
}

impl From<ReadLogError> for Problem {
    fn from(error: ReadLogError) -> Self {
        match error {
            ReadLogError::Gone { oldest } => Self::events_gone(oldest),
            ReadLogError::Store(error) => error.into(),
        }
    }
}

impl From<UnpublishableEvent> for Problem {
    fn from(error: UnpublishableEvent) -> Self {
        match error {
            // Replicas of that version can publish it.
            UnpublishableEvent::UnknownName(_) => {
                Self::new(Kind::SchemaNotCurrent, "The next event was recorded by a later version of the service")
                    .caused_by(Arc::new(error))
            }
            UnpublishableEvent::NotJson(_) => Self::internal(Arc::new(error)),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Arc::new(error).into()
    }
}

impl From<Arc<StoreError>> for Problem {
    fn from(error: Arc<StoreError>) -> Self {
        let problem = match &*error {
            error if is_overload(error) => Self::of(Kind::Overloaded),
            StoreError::Conflict(_) | StoreError::Busy(_) => Self::of(Kind::DatabaseBusy),
            StoreError::Unavailable(cause) => match cause.downcast_ref::<ProgramTooOld>() {
                Some(too_old) => Self::new(Kind::SchemaNotCurrent, format!("Nothing was changed: {too_old}")),
                None => Self::of(Kind::DatabaseUnavailable),
            },
            StoreError::ConnectionLost(_) | StoreError::OutcomeUnknown(_) => Self::of(Kind::DatabaseUnavailable),
            StoreError::Invariant { .. } | StoreError::Failed(_) => Self::of(Kind::InternalError),
        };
        problem.caused_by(error)
    }
}
