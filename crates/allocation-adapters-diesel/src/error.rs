//! Conversion of database errors to errors of the ports.
//!
//! diesel distinguishes the most common errors. For the others it returns the message but no error code, so
//! the message decides. SQLite's messages are fixed; PostgreSQL's are requested in English.

use allocation_ports::StoreError;
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use std::error::Error as StdError;

/// Parts of messages that a database under load returns.
const BUSY: [&str; 6] = [
    // SQLite
    "database is locked",
    "locking protocol",
    "table is locked",
    // PostgreSQL
    "canceling statement due to lock timeout",
    "canceling statement due to statement timeout",
    "canceling statement due to user request",
];

/// Parts of the messages of databases that are unavailable or cannot write. The messages of a lost connection are
/// checked before these.
const UNAVAILABLE: [&str; 19] = [
    // SQLite
    "database or disk is full",
    "unable to open database file",
    "attempt to write a readonly database",
    // PostgreSQL
    "connection refused",
    "connection timed out",
    "the database system is",
    "too many clients",
    "too many connections",
    "remaining connection slots",
    "no space left on device",
    "in a read-only transaction",
    "during recovery",
    // Both, on a file system that failed or is read-only
    "input/output error",
    "read-only file system",
    "could not write",
    "could not read",
    "could not open file",
    "could not fsync",
    "could not access",
];

/// Converts an error of a statement.
pub(crate) fn store_error(error: Error) -> StoreError {
    match class(&error) {
        Class::Conflict => StoreError::Conflict(error.into()),
        Class::Invariant(name) => StoreError::invariant(name, error),
        Class::Busy => StoreError::Busy(error.into()),
        Class::Lost => StoreError::ConnectionLost(error.into()),
        Class::Unavailable => StoreError::Unavailable(error.into()),
        Class::Failed => StoreError::Failed(error.into()),
    }
}

/// Converts an error of a commit. If the connection is lost meanwhile, the commit may have succeeded.
pub(crate) fn commit_error(error: Error) -> StoreError {
    match class(&error) {
        Class::Lost => StoreError::OutcomeUnknown(error.into()),
        _ => store_error(error),
    }
}

/// Returns whether an error means that the database is busy with other work.
pub(crate) fn is_busy(error: &Error) -> bool {
    class(error) == Class::Busy
}

/// Returns the error for a database value that no domain type accepts.
pub(crate) fn corrupt(cause: impl StdError + Send + Sync + 'static) -> StoreError {
    StoreError::Failed(Corrupt(Box::new(cause)).into())
}

/// Returns the error for a value that the database cannot store.
pub(crate) fn failed(cause: impl StdError + Send + Sync + 'static) -> StoreError {
    StoreError::Failed(cause.into())
}

/// A row that this program does not write.
#[derive(Debug, thiserror::Error)]
#[error("the database holds a row that this program cannot have written")]
struct Corrupt(#[source] Box<dyn StdError + Send + Sync>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Class {
    Conflict,
    /// The constraint of this name rejects the change.
    Invariant(String),
    Busy,
    /// The connection broke during a statement, or a write of the statement failed halfway.
    Lost,
    Unavailable,
    Failed,
}

fn class(error: &Error) -> Class {
    match error {
        Error::DatabaseError(kind, information) => class_of_kind(kind, &**information),
        Error::RollbackErrorOnCommit { commit_error, .. } => class(commit_error),
        // The connection broke at an earlier statement; nothing was sent since.
        Error::BrokenTransactionManager => Class::Unavailable,
        _ => Class::Failed,
    }
}

/// The unique keys that units of work under different locks may insert at the same time, by their names in
/// the databases. Every other key belongs to a product, and its lock excludes other units of work.
const NAMES: [&str; 17] = [
    // PostgreSQL: the constraint
    "batch_references_pkey",
    "order_lines_by_order",
    "orders_pkey",
    "pick_lists_pkey",
    "pick_list_lines_pkey",
    "stock_documents_pkey",
    "shipments_pkey",
    "stock_counts_pkey",
    "counted_batches_pkey",
    // SQLite: the columns
    "batch_references.reference",
    "orders.order_id",
    "pick_lists.list_id",
    "pick_list_lines.list_id, pick_list_lines.line",
    "stock_documents.kind, stock_documents.document_id",
    "shipments.shipment_id",
    "stock_counts.count_id",
    "counted_batches.reference",
];

fn class_of_kind(kind: &DatabaseErrorKind, information: &dyn DatabaseErrorInformation) -> Class {
    match kind {
        DatabaseErrorKind::SerializationFailure => Class::Conflict,
        DatabaseErrorKind::UniqueViolation => match constraint(information) {
            name if NAMES.contains(&name) => Class::Conflict,
            name => Class::Invariant(name.to_owned()),
        },
        DatabaseErrorKind::CheckViolation
        | DatabaseErrorKind::ExclusionViolation
        | DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::RestrictViolation => Class::Invariant(constraint(information).to_owned()),
        DatabaseErrorKind::ReadOnlyTransaction => Class::Unavailable,
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => Class::Lost,
        DatabaseErrorKind::Unknown => class_of_message(information.message()),
        _ => Class::Failed,
    }
}

/// Returns the name of the violated constraint. SQLite includes it in its message, except for a foreign
/// key, whose message contains no name.
fn constraint(information: &dyn DatabaseErrorInformation) -> &str {
    let message = information.message();
    let named = information.constraint_name().or_else(|| information.column_name());
    named.unwrap_or_else(|| message.split_once("constraint failed: ").map_or(message, |(_, name)| name))
}

fn class_of_message(message: &str) -> Class {
    const LOST: [&str; 9] = [
        "server closed the connection",
        "terminating connection",
        "no connection to the server",
        "connection reset",
        "could not receive data from server",
        "could not send data to server",
        "ssl connection has been closed",
        "ssl syscall error",
        "disk i/o error",
    ];
    if let Some((_, name)) = message.split_once("trigger constraint failed: ") {
        return Class::Invariant(name.to_owned());
    }
    let message = message.to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    // Citus reports its own as "canceling the transaction since it was involved in a distributed deadlock".
    if says(&["deadlock detected", "distributed deadlock"]) {
        Class::Conflict
    } else if says(&BUSY) {
        Class::Busy
    } else if says(&LOST) {
        Class::Lost
    } else if says(&UNAVAILABLE) {
        Class::Unavailable
    } else {
        Class::Failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database_error(kind: DatabaseErrorKind, message: &str) -> Error {
        Error::DatabaseError(kind, Box::new(message.to_owned()))
    }

    fn unknown(message: &str) -> Error {
        database_error(DatabaseErrorKind::Unknown, message)
    }

    #[test]
    fn interference_by_another_unit_of_work_is_a_conflict() {
        for error in [
            database_error(DatabaseErrorKind::UniqueViolation, "UNIQUE constraint failed: batch_references.reference"),
            database_error(DatabaseErrorKind::UniqueViolation, "UNIQUE constraint failed: orders.order_id"),
            database_error(DatabaseErrorKind::SerializationFailure, "could not serialize access"),
            unknown("deadlock detected"),
            unknown("canceling the transaction since it was involved in a distributed deadlock"),
        ] {
            assert!(matches!(store_error(error), StoreError::Conflict(_)));
        }
    }

    #[test]
    fn waiting_in_vain_is_busy() {
        for message in [
            "database is locked",
            "database table is locked: products",
            "canceling statement due to lock timeout",
            "canceling statement due to statement timeout",
        ] {
            assert!(matches!(store_error(unknown(message)), StoreError::Busy(_)), "{message}");
            assert!(matches!(commit_error(unknown(message)), StoreError::Busy(_)), "{message}");
        }
    }

    #[test]
    fn a_connection_lost_before_the_commit_is_no_unknown_outcome() {
        for error in [
            database_error(DatabaseErrorKind::ClosedConnection, "server closed the connection unexpectedly"),
            database_error(DatabaseErrorKind::UnableToSendCommand, "no connection to the server"),
            unknown("FATAL:  terminating connection due to administrator command"),
            unknown("could not receive data from server: Connection reset by peer"),
        ] {
            let shown = error.to_string();
            assert!(matches!(store_error(error), StoreError::ConnectionLost(_)), "{shown}");
        }
    }

    #[test]
    fn an_unreachable_or_read_only_database_is_unavailable() {
        for error in [
            database_error(DatabaseErrorKind::ReadOnlyTransaction, "cannot execute UPDATE in a read-only transaction"),
            Error::BrokenTransactionManager,
            unknown("connection to server at \"127.0.0.1\", port 1 failed: Connection refused"),
            unknown("FATAL:  the database system is starting up"),
            unknown("FATAL:  the database system is shutting down"),
            unknown("FATAL:  sorry, too many clients already"),
            unknown("could not extend file \"base/5/1\": No space left on device"),
            unknown("database or disk is full"),
            unknown("could not open file \"base/5/16384\": Read-only file system"),
            unknown("could not extend file \"base/5/1\": Input/output error"),
            unknown("could not write to file \"base/pgsql_tmp/1\": wrote only 8192 of 65536 bytes"),
            unknown("could not access status of transaction 573"),
            unknown("attempt to write a readonly database"),
        ] {
            let shown = error.to_string();
            assert!(matches!(store_error(error), StoreError::Unavailable(_)), "{shown}");
        }
    }

    #[test]
    fn a_broken_rule_of_the_schema_is_an_invariant_with_its_name() {
        for (kind, message, expected) in [
            (
                DatabaseErrorKind::CheckViolation,
                "CHECK constraint failed: batches_not_oversold",
                "batches_not_oversold",
            ),
            (
                DatabaseErrorKind::UniqueViolation,
                "UNIQUE constraint failed: event_blocks.first_position",
                "event_blocks.first_position",
            ),
            (DatabaseErrorKind::NotNullViolation, "NOT NULL constraint failed: batches.sku", "batches.sku"),
            (DatabaseErrorKind::ForeignKeyViolation, "FOREIGN KEY constraint failed", "FOREIGN KEY constraint failed"),
        ] {
            let error = store_error(database_error(kind, message));
            assert!(matches!(&error, StoreError::Invariant { name, .. } if name == expected), "{error}");
        }
    }

    #[test]
    fn an_error_that_no_retry_can_fix_is_a_failure() {
        for error in [
            unknown("no such table: products"),
            unknown("database disk image is malformed"),
            Error::NotFound,
            Error::DeserializationError("not a date".into()),
        ] {
            let shown = error.to_string();
            assert!(matches!(store_error(error), StoreError::Failed(_)), "{shown}");
        }
    }

    #[test]
    fn a_commit_whose_connection_is_lost_has_an_unknown_outcome() {
        let lost = || database_error(DatabaseErrorKind::ClosedConnection, "server closed the connection unexpectedly");
        assert!(matches!(commit_error(lost()), StoreError::OutcomeUnknown(_)));
        let rolled_back = Error::RollbackErrorOnCommit {
            rollback_error: Box::new(Error::BrokenTransactionManager),
            commit_error: Box::new(lost()),
        };
        assert!(matches!(commit_error(rolled_back), StoreError::OutcomeUnknown(_)));
        assert!(matches!(commit_error(unknown("disk I/O error")), StoreError::OutcomeUnknown(_)));
    }

    #[test]
    fn a_commit_that_was_never_sent_is_not_unknown() {
        assert!(matches!(commit_error(Error::BrokenTransactionManager), StoreError::Unavailable(_)));
        assert!(matches!(commit_error(unknown("database or disk is full")), StoreError::Unavailable(_)));
        let conflict = database_error(DatabaseErrorKind::UniqueViolation, "UNIQUE constraint failed: orders.order_id");
        assert!(matches!(commit_error(conflict), StoreError::Conflict(_)));
    }
}
