//! The generation of the schema, which decides which programs may write.
//!
//! Statements that lock products or renew a lease check it, so the check costs no round trip. Every write
//! follows one of these statements.

use allocation_ports::{OtherGeneration, StoreError};

/// Expands to the generation that this program writes, as an SQL literal.
macro_rules! generation {
    () => {
        "1"
    };
}

/// Expands to the generation of the database, read once per statement.
macro_rules! generation_of_database {
    () => {
        "(SELECT generation FROM schema_generation)"
    };
}

/// Expands to the condition that the database has the generation that this program writes.
macro_rules! same_generation {
    () => {
        concat!("(SELECT generation FROM schema_generation) = ", $crate::generation::generation!())
    };
}

pub(crate) use {generation, generation_of_database, same_generation};

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
        assert_eq!(generation!().parse(), Ok(GENERATION));
        assert!(check(GENERATION).is_ok());
        for other in [GENERATION - 1, GENERATION + 1] {
            assert!(matches!(check(other), Err(StoreError::Unavailable(cause)) if cause.is::<OtherGeneration>()));
        }
    }
}
