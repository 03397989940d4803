//! Quantities in queries and responses.

use crate::query::parse_digits;
use allocation_domain::{Quantity, QuantityError};

/// Returns whether the units are zero and omitted.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(crate) const fn is_zero(units: &u32) -> bool {
    *units == 0
}

/// Parses a quantity in a query.
pub(crate) fn parse(text: &str) -> Result<Quantity, QuantityError> {
    parse_digits::<u64>(text).map_or(Err(QuantityError), Quantity::new)
}
