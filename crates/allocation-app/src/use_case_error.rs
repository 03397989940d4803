use allocation_ports::StoreError;

/// Why a use case has not been carried out. Nothing has changed, except possibly after
/// [`StoreError::OutcomeUnknown`].
#[derive(Debug, thiserror::Error)]
pub enum UseCaseError<R> {
    /// A rule refuses the command.
    #[error(transparent)]
    Refused(R),
    /// The store failed.
    #[error("the command was not executed")]
    Store(#[from] StoreError),
}
