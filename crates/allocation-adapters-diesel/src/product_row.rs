//! Totals of products as rows.

use crate::columns::columns;
use allocation_domain::TotalsChange;
use diesel::sql_types::BigInt;

columns! {
    /// Changes of the totals in `products`, which has no counter of allocated units.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    struct TotalsValues, set TotalsValuesSet<'a> {
        in_stock: BigInt => i64,
        on_its_way: BigInt => i64,
        held: BigInt => i64,
        backordered: BigInt => i64,
        held_lines: BigInt => i64,
        waiting_lines: BigInt => i64,
        picked: BigInt => i64,
    }
}

impl TotalsValues {
    /// Returns the columns of a change.
    pub(crate) const fn of(change: TotalsChange) -> Self {
        let TotalsChange { in_stock, on_its_way, held, backordered, held_lines, waiting_lines, picked, .. } = change;
        Self { in_stock, on_its_way, held, backordered, held_lines, waiting_lines, picked }
    }
}
