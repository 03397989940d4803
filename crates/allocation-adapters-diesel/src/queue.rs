//! Waiting lines that could take some of the free units.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, store_error};
use crate::planner::LIMIT;
use crate::row;
use crate::statement::statement;
use allocation_domain::{QueuePosition, Sku};
use allocation_ports::StoreError;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

/// The number of distinct sizes that are looked up individually among unsplittable lines, which accept only
/// all the units that they wait for. With more sizes, nearly any number of free units fits some line, so
/// the queue is scanned in its order.
const MAX_SIZES: usize = 64;

/// An instant before all others, so that expired lines are found as well.
pub(crate) const WHENEVER_THEY_EXPIRE: i64 = i64::MIN;

/// Defines a statement for the lines of a queue after a position that match a condition. The position is a row
/// comparison, the only form that both databases look up in the index.
macro_rules! queue_after {
    ($(#[$docs:meta])* $name:ident, ($($size:ident),*), $condition:literal) => {
        statement! {
            $(#[$docs])*
            $name<'a>(
                sku: Text => str,
                $($size: Integer => i32,)*
                precedence: Integer => i32,
                placed_at: BigInt => i64,
                order_id: Text => str,
                alive_at: BigInt => i64,
                page_plus_one: BigInt => i64,
            ) on MultiBackend -> (Integer, BigInt, Text),
            "SELECT precedence, placed_at, order_id FROM order_lines
             WHERE sku = ? AND waiting > 0 AND ", $condition, "
               AND (precedence, placed_at, order_id) > (?, ?, ?) AND (expires_at IS NULL OR expires_at > ?)
             ORDER BY precedence, placed_at, order_id", LIMIT
        }
    };
}

queue_after! {
    /// Lines that accept a part.
    PartsAfter, (), "allow_split"
}

queue_after! {
    /// Unsplittable lines that wait for exactly this number of units.
    WholeAfter, (size), "NOT allow_split AND waiting = ?"
}

queue_after! {
    /// Lines that accept a part, or wait for at most this number of units. They are found by a scan.
    FittingAfter, (size), "(allow_split OR waiting <= ?)"
}

statement! {
    /// The next larger size of an unsplittable line.
    NextSize<'a>(sku: Text => str, larger_than: Integer => i32, at_most: Integer => i32) on MultiBackend -> Integer,
    "SELECT waiting FROM order_lines
     WHERE sku = ? AND waiting > 0 AND NOT allow_split AND waiting > ? AND waiting <= ? ORDER BY waiting LIMIT 1"
}

/// A search in the queue of a product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueSearch<'a> {
    pub(crate) sku: &'a Sku,
    /// The position to start after.
    pub(crate) after: Option<&'a QueuePosition>,
    /// The number of free units.
    pub(crate) free: u64,
    /// The maximum number of lines.
    pub(crate) limit: usize,
    /// The instant at which the hold of a line must not have expired.
    pub(crate) alive_at: i64,
}

/// Returns the next lines in the order in which they are served, and whether there are more.
pub(crate) fn next(
    connection: &mut AnyConnection,
    search: QueueSearch<'_>,
) -> Result<(Vec<QueuePosition>, bool), StoreError> {
    let free = i32::try_from(search.free).unwrap_or(i32::MAX);
    let mut found = Found::default();
    let Some(sizes) = sizes(connection, search.sku, free)? else {
        found.add(search.page(connection, Among::Fitting(free), search.limit)?, search.limit);
        return Ok(found.first(search.limit));
    };
    found.add(search.page(connection, Among::Parts, search.limit)?, search.limit);
    // Split the limit among the sizes, so that together they reach it.
    let of_each = search.limit.div_ceil(sizes.len().max(1));
    for size in sizes {
        found.add(search.page(connection, Among::Whole(size), of_each)?, of_each);
    }
    Ok(found.first(search.limit))
}

/// Returns the sizes of unsplittable lines up to a size; `None` if there are too many sizes.
fn sizes(connection: &mut AnyConnection, sku: &Sku, at_most: i32) -> Result<Option<Vec<i32>>, StoreError> {
    let (mut sizes, mut last) = (Vec::new(), 0);
    loop {
        let statement = NextSize { sku: sku.as_str(), larger_than: &last, at_most: &at_most };
        let Some(size) = statement.get_result::<i32>(connection).optional().map_err(store_error)? else {
            return Ok(Some(sizes));
        };
        if sizes.len() == MAX_SIZES {
            return Ok(None);
        }
        sizes.push(size);
        last = size;
    }
}

/// A kind of lines.
#[derive(Debug, Clone, Copy)]
enum Among {
    Parts,
    Whole(i32),
    Fitting(i32),
}

impl QueueSearch<'_> {
    /// Loads lines of a kind up to a limit, and one more if there are more.
    fn page(
        self,
        connection: &mut AnyConnection,
        among: Among,
        limit: usize,
    ) -> Result<Vec<QueuePosition>, StoreError> {
        let page_plus_one = &i64::try_from(limit.saturating_add(1)).map_err(corrupt)?;
        let (sku, alive_at) = (self.sku.as_str(), &self.alive_at);
        let precedence = &self.after.map_or(i32::MIN, |after| !after.priority());
        let placed_at = &self.after.map_or(i64::MIN, |after| after.placed_at().timestamp_micros());
        let order_id = self.after.map_or("", |after| after.order_id().as_str());
        macro_rules! load {
            ($name:ident $(, $size:ident)?) => {
                $name { sku, $($size,)? precedence, placed_at, order_id, alive_at, page_plus_one }.load(connection)
            };
        }
        let rows: QueryResult<Vec<(i32, i64, String)>> = match &among {
            Among::Parts => load!(PartsAfter),
            Among::Whole(size) => load!(WholeAfter, size),
            Among::Fitting(size) => load!(FittingAfter, size),
        };
        let position = |(precedence, placed_at, order_id): (i32, i64, String)| {
            Ok(QueuePosition::new(row::order_id(order_id)?, !precedence, row::instant(placed_at)?))
        };
        rows.map_err(store_error)?.into_iter().map(position).collect()
    }
}

/// The lines found, of several kinds.
#[derive(Debug, Default)]
struct Found {
    positions: Vec<QueuePosition>,
    /// The last position up to which every kind is complete; `None` if every kind is complete to its end.
    known_up_to: Option<QueuePosition>,
}

impl Found {
    /// Adds the first lines of a kind. A line beyond the limit shows that the kind continues.
    fn add(&mut self, mut page: Vec<QueuePosition>, limit: usize) {
        if page.len() > limit {
            page.truncate(limit);
            let last = page.last().cloned();
            self.known_up_to = self.known_up_to.take().into_iter().chain(last).min();
        }
        self.positions.append(&mut page);
    }

    /// Returns the first lines of all kinds, and whether there are more.
    fn first(mut self, limit: usize) -> (Vec<QueuePosition>, bool) {
        let mut more = self.known_up_to.is_some();
        self.positions.sort_unstable();
        self.positions.retain(|position| self.known_up_to.as_ref().is_none_or(|last| position <= last));
        if self.positions.len() > limit {
            self.positions.truncate(limit);
            more = true;
        }
        (self.positions, more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocation_domain::OrderId;
    use chrono::DateTime;

    fn positions(numbers: &[i64]) -> Vec<QueuePosition> {
        let position = |number: &i64| {
            let placed_at = DateTime::from_timestamp_micros(*number).unwrap();
            QueuePosition::new(OrderId::parse("O").unwrap(), 0, placed_at)
        };
        numbers.iter().map(position).collect()
    }

    #[test]
    fn kinds_are_merged_up_to_where_all_of_them_are_known() {
        let mut found = Found::default();
        found.add(positions(&[1, 4, 9]), 2);
        found.add(positions(&[2, 3, 5, 6]), 4);
        assert_eq!(found.first(9), (positions(&[1, 2, 3, 4]), true));
        let mut found = Found::default();
        found.add(positions(&[1, 4]), 2);
        found.add(positions(&[2]), 2);
        assert_eq!(found.first(9), (positions(&[1, 2, 4]), false));
        let mut found = Found::default();
        found.add(positions(&[1, 4]), 2);
        found.add(positions(&[2]), 2);
        assert_eq!(found.first(2), (positions(&[1, 2]), true));
    }
}
