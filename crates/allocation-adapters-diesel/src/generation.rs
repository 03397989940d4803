//! Generations of programs, which decide who may write.
//!
//! The database stores the oldest generation of programs that may write. Statements that lock products or renew a
//! lease compare it, so the check costs no round trip. Other writes follow one of these statements in their
//! transaction, or compare it themselves: repairs, and retries of parked events.
//!
//! Two writes need no check on any generation: a process releases a lease that it holds, and the probe counts
//! its heartbeats.

use crate::error::store_error;
use crate::statement::joined;
use allocation_ports::{ProgramTooOld, StoreError};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::query_dsl::methods::LoadQuery;
use diesel::sql_types::BigInt;

/// The generation of this program, as an SQL literal.
const LITERAL: &str = "4";

/// The oldest generation of programs that may write, read once per statement.
pub(crate) const OLDEST_GENERATION: &str = "(SELECT generation FROM schema_generation)";

/// The condition that this program may write.
pub(crate) const MAY_WRITE: &str = joined!(OLDEST_GENERATION, " <= ", LITERAL);

/// The generation of this program. A program that no longer needs a part of the schema, or begins to read what
/// older ones cannot, has a new one, so that a later migration can shut out the programs before it:
///
/// 1. builds that need exactly the schema that they know
/// 2. reads events with more elements than it knows, and serves on schemas of later programs
/// 3. finds orders in the archive. No migration shuts out the programs before it: the archive does, once it is used
/// 4. keeps the returned units of a line when it archives or restores it. The first return shuts out the programs before
///    it
pub(crate) const GENERATION: i64 = 4;

/// The first generation of programs that look into the archive.
pub(crate) const READS_ARCHIVE: i64 = 3;

/// The first generation of programs that keep the returned units of archived lines.
pub(crate) const KEEPS_RETURNS: i64 = 4;

/// Compares this program with the oldest generation of programs that may write.
pub(crate) const fn compare(oldest: i64) -> Result<(), ProgramTooOld> {
    if oldest <= GENERATION { Ok(()) } else { Err(ProgramTooOld { oldest, own: GENERATION }) }
}

/// Checks that this program may write where `oldest` is the oldest generation of programs that may.
pub(crate) fn check(oldest: i64) -> Result<(), StoreError> {
    compare(oldest).map_err(|too_old| StoreError::Unavailable(too_old.into()))
}

/// Returns the oldest generation of programs that may write.
pub(crate) fn oldest<C>(connection: &mut C) -> Result<i64, StoreError>
where
    SqlLiteral<BigInt>: for<'query> LoadQuery<'query, C, i64>,
{
    sql::<BigInt>("SELECT generation FROM schema_generation").get_result(connection).map_err(store_error)
}

/// Checks that this program may write, by a query of its own.
pub(crate) fn check_in<C>(connection: &mut C) -> Result<(), StoreError>
where
    SqlLiteral<BigInt>: for<'query> LoadQuery<'query, C, i64>,
{
    check(oldest(connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_newer_generation_shuts_a_program_out() {
        assert_eq!(LITERAL.parse(), Ok(GENERATION));
        assert!(check(GENERATION).is_ok() && check(GENERATION - 1).is_ok());
        assert!(matches!(check(GENERATION + 1), Err(StoreError::Unavailable(cause)) if cause.is::<ProgramTooOld>()));
    }
}
