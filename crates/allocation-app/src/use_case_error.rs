use allocation_ports::StoreError;

/// The reason why a use case has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum UseCaseError<R> {
    /// A rule refuses the command.
    #[error(transparent)]
    Refused(R),
    /// The store failed.
    #[error("the command was not executed")]
    Store(#[from] StoreError),
}
