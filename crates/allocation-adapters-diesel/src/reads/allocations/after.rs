//! The start of a page of allocations.

use crate::any_connection::MultiBackend;
use crate::schema::allocations;
use allocation_domain::{BatchReference, Sku};
use allocation_ports::{AllocationCursor, AllocationFilter};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text};
use std::cmp::Ordering;

/// The matching allocations that follow a cursor.
pub(super) enum After<'a> {
    /// None of them.
    Nothing,
    /// All of them.
    Everything,
    /// The ones that match a condition.
    Rows(Box<dyn BoxableExpression<allocations::table, MultiBackend, SqlType = Bool> + 'a>),
}

/// The start of a page, by the columns that the filter does not fix.
///
/// An index serves both the filter and the start of the page only if the comparison omits the fixed
/// columns.
#[derive(Debug, PartialEq, Eq)]
struct Start<'a> {
    free: Vec<(&'static str, &'a str)>,
    /// Whether rows that equal the cursor in the free columns follow it as well.
    with_equal: bool,
}

impl<'a> Start<'a> {
    fn new(filter: &AllocationFilter, cursor: &'a AllocationCursor) -> Self {
        let columns = [
            ("allocations.sku", filter.sku.as_ref().map(|fixed| fixed.cmp(&cursor.sku)), cursor.sku.as_str()),
            (
                "allocations.order_id",
                filter.order_id.as_ref().map(|fixed| fixed.cmp(&cursor.order_id)),
                cursor.order_id.as_str(),
            ),
            (
                "allocations.reference",
                filter.reference.as_ref().map(|fixed| fixed.cmp(&cursor.reference)),
                cursor.reference.as_str(),
            ),
        ];
        let mut start = Self { free: Vec::new(), with_equal: false };
        for (column, fixed, value) in columns {
            match fixed {
                None => start.free.push((column, value)),
                Some(Ordering::Equal) => {}
                // A fixed column that differs from the cursor decides for all rows that are equal so far.
                Some(other) => {
                    start.with_equal = other == Ordering::Greater;
                    break;
                }
            }
        }
        start
    }
}

impl<'a> After<'a> {
    pub(super) fn new(filter: &AllocationFilter, cursor: &'a AllocationCursor) -> Self {
        if let (Some(sku), Some(reference), None) = (&filter.sku, &filter.reference, &filter.order_id) {
            return Self::in_batch(sku, reference, cursor);
        }
        let Start { free, with_equal } = Start::new(filter, cursor);
        let operator = if with_equal { ">=" } else { ">" };
        let columns: Vec<_> = free.iter().map(|(column, _)| *column).collect();
        let rows = sql::<Bool>(&format!("({}) {operator} (", columns.join(", ")));
        match free.as_slice() {
            [] if with_equal => Self::Everything,
            [(_, a)] => Self::Rows(Box::new(rows.bind::<Text, _>(*a).sql(")"))),
            [(_, a), (_, b)] => Self::Rows(Box::new(rows.bind::<Text, _>(*a).sql(", ").bind::<Text, _>(*b).sql(")"))),
            [(_, a), (_, b), (_, c)] => Self::Rows(Box::new(
                rows.bind::<Text, _>(*a).sql(", ").bind::<Text, _>(*b).sql(", ").bind::<Text, _>(*c).sql(")"),
            )),
            _ => Self::Nothing,
        }
    }

    /// Returns the start of a page of a batch, whose allocations are in the order in which lines are
    /// served.
    fn in_batch(sku: &Sku, reference: &BatchReference, cursor: &'a AllocationCursor) -> Self {
        let operator = match (sku.cmp(&cursor.sku), reference.cmp(&cursor.reference)) {
            (Ordering::Less, _) => return Self::Nothing,
            (Ordering::Greater, _) => return Self::Everything,
            (Ordering::Equal, Ordering::Greater) => ">=",
            (Ordering::Equal, _) => ">",
        };
        let columns = "(allocations.precedence, allocations.placed_at, allocations.order_id)";
        let rows = sql::<Bool>(&format!("{columns} {operator} ("))
            .bind::<Integer, _>(!cursor.priority)
            .sql(", ")
            .bind::<BigInt, _>(cursor.placed_at.timestamp_micros())
            .sql(", ")
            .bind::<Text, _>(cursor.order_id.as_str())
            .sql(")");
        Self::Rows(Box::new(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocation_domain::OrderId;
    use chrono::DateTime;

    fn cursor() -> AllocationCursor {
        AllocationCursor {
            sku: Sku::parse("M").unwrap(),
            order_id: OrderId::parse("M").unwrap(),
            reference: BatchReference::parse("M").unwrap(),
            priority: 0,
            placed_at: DateTime::UNIX_EPOCH,
        }
    }

    fn filter(sku: &str, order_id: &str, reference: &str) -> AllocationFilter {
        AllocationFilter {
            sku: Sku::parse(sku.to_owned()).ok(),
            order_id: OrderId::parse(order_id.to_owned()).ok(),
            reference: BatchReference::parse(reference.to_owned()).ok(),
        }
    }

    #[track_caller]
    fn assert_start(filter: &AllocationFilter, free: &[&str], with_equal: bool) {
        let cursor = cursor();
        let start = Start::new(filter, &cursor);
        let columns: Vec<_> = start.free.iter().map(|(column, _)| column.trim_start_matches("allocations.")).collect();
        assert_eq!((columns.as_slice(), start.with_equal), (free, with_equal), "{filter:?}");
    }

    #[test]
    fn only_columns_that_the_filter_leaves_free_are_compared() {
        assert_start(&filter("", "", ""), &["sku", "order_id", "reference"], false);
        assert_start(&filter("M", "", ""), &["order_id", "reference"], false);
        assert_start(&filter("", "M", ""), &["sku", "reference"], false);
        assert_start(&filter("M", "M", ""), &["reference"], false);
        assert_start(&filter("M", "", "M"), &["order_id"], false);
        assert_start(&filter("M", "M", "M"), &[], false);
    }

    #[test]
    fn a_cursor_of_another_list_still_cuts_at_its_position() {
        assert_start(&filter("Z", "", ""), &[], true);
        assert_start(&filter("A", "", ""), &[], false);
        assert_start(&filter("", "Z", ""), &["sku"], true);
        assert_start(&filter("", "A", ""), &["sku"], false);
        assert_start(&filter("M", "", "Z"), &["order_id"], true);
        assert_start(&filter("M", "", "A"), &["order_id"], false);
        assert_start(&filter("M", "M", "Z"), &[], true);
    }
}
