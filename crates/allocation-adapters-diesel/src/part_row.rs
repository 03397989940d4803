//! Allocations of split lines as rows.

use crate::columns::columns;
use diesel::sql_types::{BigInt, Integer, Text};

columns! {
    /// The key of a row of `line_parts`.
    #[derive(Debug, Clone, Copy)]
    struct PartKey<'a>, set PartKeys<'a> {
        sku: Text => &'a str,
        order_id: Text => &'a str,
        reference: Text => &'a str,
    }
}

columns! {
    /// A row of `line_parts` without its key.
    #[derive(Debug, Clone, Copy)]
    struct PartValues, set PartValuesSet<'a> {
        quantity: Integer => i32,
        /// `~priority`: the lowest value is served first.
        precedence: Integer => i32,
        placed_at: BigInt => i64,
    }
}
