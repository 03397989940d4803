//! The generation of the schema: which programs may write.
//!
//! The statements that lock products and those that renew a lease look at it, so that it costs no round
//! trip; all that is written is written after one of them.

use allocation_ports::{OtherGeneration, StoreError};

/// The generation that this program writes, as statements spell it.
macro_rules! generation {
    () => {
        "1"
    };
}

/// The generation that the database has. It is looked up once for each statement.
macro_rules! generation_of_database {
    () => {
        "(SELECT generation FROM schema_generation)"
    };
}

/// The condition that the database has the generation that this program writes.
macro_rules! same_generation {
    () => {
        concat!("(SELECT generation FROM schema_generation) = ", $crate::generation::generation!())
    };
}

pub(crate) use {generation, generation_of_database, same_generation};

/// The generation that this program writes.
pub(crate) const GENERATION: i64 = 1;

/// Refuses to write where another generation of programs does.
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
