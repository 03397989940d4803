//! The generation of the schema, which decides which programs may write.
//!
//! Statements that lock products or renew a lease check it, so the check costs no round trip. Every write
//! follows one of these statements.

use crate::statement::joined;
use allocation_ports::{OtherGeneration, StoreError};

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
