//! Allocations as rows.

use crate::columns::columns;
use diesel::sql_types::{BigInt, Integer, Text};

columns! {
    /// The key of a row of `allocations`.
    #[derive(Debug, Clone, Copy)]
    struct AllocationKey<'a>, set AllocationKeys<'a> {
        sku: Text => &'a str,
        order_id: Text => &'a str,
        reference: Text => &'a str,
    }
}

columns! {
    /// A row of `allocations` without its key.
    #[derive(Debug, Clone, Copy)]
    struct AllocationValues, set AllocationValuesSet<'a> {
        quantity: Integer => i32,
        /// `~priority`: the lowest value is served first.
        precedence: Integer => i32,
        placed_at: BigInt => i64,
    }
}
