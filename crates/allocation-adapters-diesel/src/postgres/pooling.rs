//! Poolers in front of a server.
//!
//! A pooler in transaction mode assigns another session of the server to a client for each transaction. The settings of
//! the store's sessions would then silently apply to some transactions of any client and not to others.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::error::Error;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The number of attempts to detect a pooler. Its other clients may take the session that a check expects.
const ROUNDS: u32 = 3;
/// The message of a failed check, which distinguishes it from other errors.
const FAILED: &str = "the session of another transaction";

#[derive(Debug, thiserror::Error)]
#[error(
    "a pooler in front of PostgreSQL assigns sessions per transaction or statement, so session settings are lost; \
     configure pool_mode = session for PgBouncer, or connect to the server itself"
)]
struct TransactionPooling;

/// Checks that connections keep their sessions of the server, and with them their settings, between transactions.
///
/// The first connection marks its session. If the session is free between transactions, the second connection gets it,
/// with the mark, or the first one gets another, without it.
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

/// Checks the mark of the session in one message: a prepared statement would be missing in another session.
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
