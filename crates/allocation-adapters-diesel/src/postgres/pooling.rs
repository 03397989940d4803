//! Poolers in front of a server.
//!
//! A pooler in transaction mode lends a client another session of the server for each transaction. The settings of
//! the store's sessions would then apply to some transactions of any client and not to others, without an error.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The number of attempts to catch a pooler, whose other clients may take the session that a check expects.
const ROUNDS: u32 = 3;
/// The message of a failed check, by which it is told from other errors.
const FAILED: &str = "the session of another transaction";

#[derive(Debug, thiserror::Error)]
#[error(
    "a pooler between the service and the server lends its sessions for single transactions or statements, so settings are lost; \
     configure pool_mode = session for PgBouncer, or connect to the server itself"
)]
struct TransactionPooling;

/// Checks that connections keep their sessions of the server, and with them their settings, between transactions.
///
/// The first connection marks its session. If the session is free between transactions, the second connection gets it
/// with the mark, or the first one gets another without.
pub(crate) fn check_pooling(
    first: &mut PgConnection,
    second: &mut PgConnection,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mark = RandomState::new().build_hasher().finish();
    let (marked, unmarked) = (format!("= '{mark}'"), format!("IS DISTINCT FROM '{mark}'"));
    for _ in 0..ROUNDS {
        first.batch_execute(&format!("SET allocation.session = '{mark}'"))?;
        // Before BEGIN, which a pooler in statement mode rejects.
        check(second, &unmarked)?;
        second.batch_execute("BEGIN")?;
        check(second, &unmarked)?;
        check(first, &marked)?;
        second.batch_execute("ROLLBACK")?;
    }
    Ok(())
}

/// Checks the mark of the session in one message: a prepared statement could not follow a change of sessions.
fn check(connection: &mut PgConnection, condition: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let checked = connection.batch_execute(&format!(
        "DO $$ BEGIN
             IF (current_setting('allocation.session', true) {condition}) IS NOT TRUE THEN
                 RAISE EXCEPTION '{FAILED}';
             END IF;
         END $$"
    ));
    match checked {
        Err(error) if error.to_string().contains(FAILED) => Err(TransactionPooling.into()),
        checked => Ok(checked?),
    }
}
