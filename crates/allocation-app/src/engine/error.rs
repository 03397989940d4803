//! Errors of the engine.

use allocation_ports::StoreError;
use std::sync::Arc;

/// Why the engine has not carried out a command. Nothing has changed, except possibly after
/// [`StoreError::OutcomeUnknown`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError<R> {
    /// A rule refuses the command.
    #[error(transparent)]
    Refused(R),
    /// Too many commands wait, or this one has waited too long.
    #[error("too many commands wait")]
    Overloaded,
    /// The engine has been shut down.
    #[error("the service is shutting down")]
    ShuttingDown,
    /// The store failed; the commands of a group share its cause.
    #[error("the command was not executed")]
    Store(#[from] Arc<StoreError>),
}

impl<R> From<SubmitError> for EngineError<R> {
    fn from(reason: SubmitError) -> Self {
        match reason {
            SubmitError::Overloaded => Self::Overloaded,
            SubmitError::ShuttingDown => Self::ShuttingDown,
        }
    }
}

/// Why the engine does not accept a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SubmitError {
    Overloaded,
    ShuttingDown,
}
