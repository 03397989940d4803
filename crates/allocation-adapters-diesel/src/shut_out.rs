//! Shutting out programs of earlier generations, once something is stored that they would lose.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::store_error;
use crate::generation;
use crate::statement::statement;
use allocation_ports::StoreError;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

statement! {
    RaiseOldest<'a>(generation: BigInt => i64, before: BigInt => i64) on MultiBackend,
    "UPDATE schema_generation SET generation = ? WHERE generation < ?"
}

/// Shuts out the programs before a generation, unless they are already, and checks that this one may write. The unit of
/// work has locked nothing yet.
pub(crate) fn shut_out_before(connection: &mut AnyConnection, first: i64) -> Result<(), StoreError> {
    if generation::oldest(connection)? < first {
        if let AnyConnection::Postgres(connection) = connection {
            // Such a program may have read that it may write. No unit of work spans the lock, as with a migration.
            connection.batch_execute("LOCK TABLE products IN EXCLUSIVE MODE").map_err(store_error)?;
        }
        RaiseOldest { generation: &first, before: &first }.execute(connection).map_err(store_error)?;
    }
    generation::check_in(connection)
}
