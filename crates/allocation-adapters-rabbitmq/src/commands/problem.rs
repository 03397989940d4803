//! The reason why a command is not executed, as an RFC 9457 problem with the types of the HTTP API.

use allocation_app::{AddBatchError, AllocateLineError, ChangeBatchError, DeallocateError, ErrorChain};
use allocation_domain as domain;
use allocation_ports::StoreError;
use serde::Serialize;
use std::fmt;

/// The problem of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    r#type: &'static str,
    title: &'static str,
    detail: String,
}

/// Generates the problem types from one table.
macro_rules! kinds {
    ($($kind:ident: $name:literal, $title:literal;)+) => {
        /// The types of problems, named as in the HTTP API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind { $($kind),+ }

        impl Kind {
            const fn uri(self) -> &'static str {
                match self { $(Self::$kind => concat!("/problems/", $name)),+ }
            }

            const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title),+ }
            }
        }
    };
}

kinds! {
    Validation: "validation", "The request is not valid";
    MalformedJson: "malformed-json", "The body is not JSON";
    UnsupportedMediaType: "unsupported-media-type", "The media type is not supported";
    BodyTooLarge: "body-too-large", "The body is too large";
    BatchNotFound: "batch-not-found", "There is no such batch";
    AllocationNotFound: "allocation-not-found", "There is no such allocation";
    AlreadyPicked: "already-picked", "Units were picked already";
    UnitsConsumed: "units-gone", "More units of the batch are gone";
    BatchAlreadyExists: "batch-already-exists", "The reference is taken";
    LineAlreadyAllocated: "line-already-allocated", "The line is allocated with another quantity";
    OutOfStock: "out-of-stock", "Not enough stock";
    HoldExpired: "hold-expired", "The hold has expired";
    OrderCancelled: "order-cancelled", "The order was cancelled";
    Overloaded: "overloaded", "The service is overloaded";
    InternalError: "internal-error", "The service failed";
}

/// The most characters in a detail. A detail may quote the message, and the headers must fit into a frame.
const MAX_CHARACTERS: usize = 1_000;

impl Problem {
    pub(crate) fn of(kind: Kind, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(MAX_CHARACTERS) {
            detail.truncate(end);
        }
        Self { r#type: kind.uri(), title: kind.title(), detail }
    }

    pub(crate) fn validation(detail: impl Into<String>) -> Self {
        Self::of(Kind::Validation, detail)
    }

    /// Returns the problem of a bug or corrupt data, and logs its cause.
    pub(crate) fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %ErrorChain(cause), "a command failed");
        Self::of(Kind::InternalError, "The log has the cause, with the id of the command")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}

/// The reason why a command is not executed.
#[derive(Debug, Clone)]
pub(crate) enum NotDone {
    /// The command can never be executed.
    Refused(Problem),
    /// The command may be executed later; the text is the reason.
    Later(String),
    /// The service is overloaded or shutting down; the command is not at fault.
    TurnedAway(String),
}

impl From<Problem> for NotDone {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

/// Returns a rejection by a rule, in the words of the rule.
fn refused(kind: Kind, refusal: &dyn fmt::Display) -> NotDone {
    NotDone::Refused(Problem::of(kind, refusal.to_string()))
}

impl From<&StoreError> for NotDone {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Conflict(_)
            | StoreError::Busy(_)
            | StoreError::ConnectionLost(_)
            | StoreError::Unavailable(_)
            | StoreError::OutcomeUnknown(_) => Self::Later(error.to_string()),
            StoreError::Invariant { .. } | StoreError::Failed(_) => Self::Refused(Problem::internal(error)),
        }
    }
}

impl From<AllocateLineError> for NotDone {
    fn from(error: AllocateLineError) -> Self {
        match error {
            AllocateLineError::OutOfStock(refusal) => refused(Kind::OutOfStock, &refusal),
            AllocateLineError::LineAlreadyAllocated(refusal) => refused(Kind::LineAlreadyAllocated, &refusal),
            AllocateLineError::HoldExpired(refusal) => refused(Kind::HoldExpired, &refusal),
            AllocateLineError::OrderCancelled(refusal) => refused(Kind::OrderCancelled, &refusal),
            AllocateLineError::Overloaded | AllocateLineError::ShuttingDown => Self::TurnedAway(error.to_string()),
            AllocateLineError::Store(error) => Self::from(&*error),
        }
    }
}

impl From<DeallocateError> for NotDone {
    fn from(error: DeallocateError) -> Self {
        match error {
            DeallocateError::Refused(refusal) => match refusal {
                domain::DeallocateError::BatchNotFound(_) => refused(Kind::BatchNotFound, &refusal),
                domain::DeallocateError::AllocationNotFound { .. } => refused(Kind::AllocationNotFound, &refusal),
                domain::DeallocateError::Picked { .. } => refused(Kind::AlreadyPicked, &refusal),
                domain::DeallocateError::MoreNeeded(needed) => Problem::internal(&needed).into(),
            },
            DeallocateError::Store(error) => Self::from(&error),
        }
    }
}

impl From<ChangeBatchError> for NotDone {
    fn from(error: ChangeBatchError) -> Self {
        match error {
            ChangeBatchError::Refused(refusal) => match refusal {
                domain::ChangeBatchError::BelowConsumed { .. } => refused(Kind::UnitsConsumed, &refusal),
                domain::ChangeBatchError::NotFound(_) => refused(Kind::BatchNotFound, &refusal),
                // No command has a revision, so that none can be stale.
                domain::ChangeBatchError::Stale { .. } => Problem::internal(&refusal).into(),
                domain::ChangeBatchError::MoreNeeded(needed) => Problem::internal(&needed).into(),
            },
            ChangeBatchError::Store(error) => Self::from(&error),
        }
    }
}

impl From<AddBatchError> for NotDone {
    fn from(error: AddBatchError) -> Self {
        match error {
            AddBatchError::AlreadyExists(_) => refused(Kind::BatchAlreadyExists, &error),
            AddBatchError::Store(error) => Self::from(&error),
        }
    }
}
