//! Archived orders and lines as rows.

/// The columns of `archived_lines`. A line has the defaults of `order_lines` in all others.
pub(crate) const LINE: &str =
    "sku, order_id, quantity, placed_at, of_order, precedence, backorders, allow_split, stable, ship_complete, ended, closed,
     shipped, completed_at, returned";

/// An archived line with the columns of a current one, in the order of its key, its values and its allocation.
pub(crate) const AS_CURRENT_LINE: &str =
    "sku, order_id, quantity, placed_at, of_order, precedence, backorders, allow_split, stable, ship_complete, 0 AS waiting,
     CAST(NULL AS bigint) AS expires_at, ended, closed, 0 AS listed, 0 AS picked, shipped, completed_at, returned,
     CAST(NULL AS text) AS reference, 0 AS allocated";

/// The condition that any order is archived, which PostgreSQL evaluates once per statement: without one, it looks no
/// name up.
pub(crate) const ANY_ARCHIVED: &str = "(SELECT order_id FROM archived_orders ORDER BY order_id LIMIT 1) IS NOT NULL";
