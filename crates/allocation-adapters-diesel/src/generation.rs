//! The generation of the schema, which decides which programs may write.
//!
//! Statements that lock products or renew a lease check it, so the check costs no round trip. Other writes
//! follow one of these statements in their transaction, or check the generation themselves: repairs, and
//! retries of parked events.
//!
//! Two writes need no check on any generation: a process releases a lease that it holds, and the probe counts
//! its heartbeats.

use crate::error::store_error;
use crate::statement::joined;
use allocation_ports::{OtherGeneration, StoreError};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::query_dsl::methods::LoadQuery;
use diesel::sql_types::BigInt;

/// The generation that this program writes, as an SQL literal.
const LITERAL: &str = "1";

/// The generation of the database, read once per statement.
pub(crate) const GENERATION_OF_DATABASE: &str = "(SELECT generation FROM schema_generation)";

/// The condition that the database has the generation that this program writes.
pub(crate) const SAME_GENERATION: &str = joined!(GENERATION_OF_DATABASE, " = ", LITERAL);

/// The generation that this program writes.
pub(crate) const GENERATION: i64 = 1;

/// Rejects a database that belongs to another generation of programs.
pub(crate) fn check(found: i64) -> Result<(), StoreError> {
    if found == GENERATION {
        return Ok(());
    }
    Err(StoreError::Unavailable(OtherGeneration { found, expected: GENERATION }.into()))
}

/// Rejects a database that belongs to another generation of programs, by a query of its own.
pub(crate) fn check_in<C>(connection: &mut C) -> Result<(), StoreError>
where
    SqlLiteral<BigInt>: for<'query> LoadQuery<'query, C, i64>,
{
    let generation = sql::<BigInt>("SELECT generation FROM schema_generation");
    check(generation.get_result(connection).map_err(store_error)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_spell_the_generation_that_is_checked() {
        assert_eq!(LITERAL.parse(), Ok(GENERATION));
        assert!(check(GENERATION).is_ok());
        for other in [GENERATION - 1, GENERATION + 1] {
            assert!(matches!(check(other), Err(StoreError::Unavailable(cause)) if cause.is::<OtherGeneration>()));
        }
    }
}
