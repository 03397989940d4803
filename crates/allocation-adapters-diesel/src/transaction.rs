//! The end of a transaction.

use diesel::Connection;
use diesel::connection::TransactionManager;
use diesel::result::Error;

/// Commits the transaction of a connection if `result` is a success, and rolls it back otherwise.
/// `commit_error` converts the error of a failed commit.
pub(crate) fn end<C: Connection, T, E>(
    connection: &mut C,
    result: Result<T, E>,
    commit_error: impl FnOnce(Error) -> E,
) -> Result<T, E> {
    if result.is_ok() {
        C::TransactionManager::commit_transaction(connection).map_err(commit_error)?;
    } else if let Err(error) = C::TransactionManager::rollback_transaction(connection) {
        // The first error is more useful. The connection is broken now, and is not used again.
        tracing::debug!(%error, "a rollback failed");
    }
    result
}
