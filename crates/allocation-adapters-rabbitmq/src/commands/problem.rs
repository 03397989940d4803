//! The reason why a command is not executed, as an RFC 9457 problem with the types of the HTTP API.

use allocation_app::{EngineError, ErrorChain, Refusal, UseCaseError};
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
        /// The types of problems beside refusals, named as in the HTTP API.
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
    Overloaded: "overloaded", "The service is overloaded";
    InternalError: "internal-error", "The service failed";
}

/// The maximum number of characters in a detail. A detail may quote the message, and the headers must fit into a
/// frame.
const MAX_CHARACTERS: usize = 1_000;

impl Problem {
    pub(crate) fn of(kind: Kind, detail: impl Into<String>) -> Self {
        Self::new(kind.uri(), kind.title(), detail.into())
    }

    /// Returns the problem of a refusal.
    fn refused(refusal: &impl Refusal) -> Self {
        Self::new(refusal.code().uri(), refusal.code().title(), refusal.detail())
    }

    fn new(r#type: &'static str, title: &'static str, mut detail: String) -> Self {
        if let Some((end, _)) = detail.char_indices().nth(MAX_CHARACTERS) {
            detail.truncate(end);
        }
        Self { r#type, title, detail }
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

impl<R: Refusal> From<UseCaseError<R>> for NotDone {
    fn from(error: UseCaseError<R>) -> Self {
        match error {
            UseCaseError::Refused(refusal) => Self::Refused(Problem::refused(&refusal)),
            UseCaseError::Store(error) => Self::from(&error),
        }
    }
}

impl<R: Refusal> From<EngineError<R>> for NotDone {
    fn from(error: EngineError<R>) -> Self {
        match error {
            EngineError::Refused(refusal) => Self::Refused(Problem::refused(&refusal)),
            EngineError::Overloaded => Self::TurnedAway("too many commands wait".to_owned()),
            EngineError::ShuttingDown => Self::TurnedAway("the service is shutting down".to_owned()),
            EngineError::Store(error) => Self::from(&*error),
        }
    }
}
