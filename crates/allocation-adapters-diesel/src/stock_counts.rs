//! Counts of stock.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::error::{corrupt, failed, store_error};
use crate::generation;
use crate::planner::is;
use crate::row;
use crate::saving::expect_rows;
use crate::statement::statement;
use allocation_domain::{BatchReference, CountId, CountScope, Sku, StockCount};
use allocation_ports::{CountPage, CountSummary, PageSize, StoreError};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

/// The invariant that a count which a unit of work has locked exists.
const LOCKED: &str = "locked_count_exists";

statement! {
    InStock<'a>(sku: Text => str, limit: BigInt => i64) on MultiBackend -> (Text, Text),
    "SELECT sku, reference FROM batches
     WHERE sku = ? AND eta IS NULL AND purchased_quantity - shipped_quantity - missing_quantity > 0
     ORDER BY reference LIMIT ?"
}

statement! {
    /// A batch in stock by its reference, in the order that only the primary key has.
    NamedInStock<'a>(reference: Text => str, from: Text => str, to: Text => str) on MultiBackend -> (Text, Text),
    "SELECT sku, reference FROM batches
     WHERE sku = (SELECT r.sku FROM batch_references AS r WHERE r.reference = ?)
       AND ", is!("reference", "?"), " AND eta IS NULL ORDER BY reference LIMIT 1"
}

statement! {
    AddCount<'a>(
        count_id: Text => str,
        opened_at: BigInt => i64,
        is_blind: Bool => bool,
        lines: Integer => i32,
        content: Text => str,
    ) on MultiBackend,
    "INSERT INTO stock_counts (count_id, opened_at, is_blind, lines, entered, content) VALUES (?, ?, ?, ?, 0, ?)"
}

statement! {
    AddCounted<'a>(reference: Text => str, count_id: Text => str) on MultiBackend,
    "INSERT INTO counted_batches (reference, count_id) VALUES (?, ?)"
}

statement! {
    FindCounted<'a>(reference: Text => str) on MultiBackend -> Text,
    "SELECT count_id FROM counted_batches WHERE reference = ?"
}

statement! {
    FindCount<'a>(count_id: Text => str) on MultiBackend -> Text,
    "SELECT content FROM stock_counts WHERE count_id = ?"
}

statement! {
    /// Locks the row, which stays as it is.
    LockCount<'a>(count_id: Text => str) on MultiBackend,
    "UPDATE stock_counts SET lines = lines WHERE count_id = ?"
}

statement! {
    SaveCount<'a>(
        closed_at: Nullable<BigInt> => Option<i64>,
        entered: Integer => i32,
        content: Text => str,
        count_id: Text => str,
    ) on MultiBackend,
    "UPDATE stock_counts SET closed_at = ?, entered = ?, content = ? WHERE count_id = ?"
}

statement! {
    RemoveCount<'a>(count_id: Text => str) on MultiBackend,
    "DELETE FROM stock_counts WHERE count_id = ?"
}

/// The id, the instants of opening and closing, whether it is blind, and the numbers of lines and entries.
type SummaryRow = (String, i64, Option<i64>, bool, i32, i32);

statement! {
    ListCounts<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend
        -> (Text, BigInt, Nullable<BigInt>, Bool, Integer, Integer),
    "SELECT count_id, opened_at, closed_at, is_blind, lines, entered FROM stock_counts
     WHERE count_id > ? ORDER BY count_id LIMIT ?"
}

/// Returns the batches that a count has lines of, at most `limit`.
pub(crate) fn countable(
    connection: &mut AnyConnection,
    scope: &CountScope,
    limit: usize,
) -> Result<Vec<(Sku, BatchReference)>, StoreError> {
    let mut found: Vec<(String, String)> = Vec::new();
    match scope {
        CountScope::Skus(skus) => {
            // One statement for each SKU of a request, until there are enough batches.
            for sku in skus {
                if found.len() >= limit {
                    break;
                }
                let left = i64::try_from(limit - found.len()).map_err(corrupt)?;
                let statement = InStock { sku: sku.as_str(), limit: &left };
                found.extend(statement.load::<(String, String)>(connection).map_err(store_error)?);
            }
        }
        CountScope::References(references) => {
            for reference in references.iter().take(limit) {
                let statement =
                    NamedInStock { reference: reference.as_str(), from: reference.as_str(), to: reference.as_str() };
                found.extend(statement.load::<(String, String)>(connection).map_err(store_error)?);
            }
        }
    }
    found.into_iter().map(|(sku, reference)| Ok((row::sku(sku)?, row::reference(reference)?))).collect()
}

/// Adds an open count, which must not exist yet, and claims its batches until it is closed or removed.
pub(crate) fn add(connection: &mut AnyConnection, count: &StockCount) -> Result<(), StoreError> {
    generation::check_in(connection)?;
    let statement = AddCount {
        count_id: count.count_id().as_str(),
        opened_at: &count.opened_at.timestamp_micros(),
        is_blind: &count.request.blind,
        lines: &i32::try_from(count.lines.len()).map_err(failed)?,
        content: &written(count)?,
    };
    statement.execute(connection).map_err(store_error)?;
    for line in &count.lines {
        let counted = AddCounted { reference: line.reference.as_str(), count_id: count.count_id().as_str() };
        counted.execute(connection).map_err(store_error)?;
    }
    Ok(())
}

/// Returns a batch of these that is in an open count, with the id of the count; `None` if there is none.
pub(crate) fn counted(
    connection: &mut AnyConnection,
    references: &[BatchReference],
) -> Result<Option<(BatchReference, CountId)>, StoreError> {
    for reference in references {
        let statement = FindCounted { reference: reference.as_str() };
        let found: Option<String> = statement.get_result(connection).optional().map_err(store_error)?;
        if let Some(count_id) = found {
            return Ok(Some((reference.clone(), CountId::restore(count_id).map_err(corrupt)?)));
        }
    }
    Ok(None)
}

/// Returns a count.
pub(crate) fn find(connection: &mut AnyConnection, count_id: &CountId) -> Result<Option<StockCount>, StoreError> {
    let found = FindCount { count_id: count_id.as_str() }.get_result::<String>(connection).optional();
    found.map_err(store_error)?.as_deref().map(read).transpose()
}

/// Locks a count, and returns it.
pub(crate) fn lock(connection: &mut AnyConnection, count_id: &CountId) -> Result<Option<StockCount>, StoreError> {
    generation::check_in(connection)?;
    LockCount { count_id: count_id.as_str() }.execute(connection).map_err(store_error)?;
    find(connection, count_id)
}

/// Saves a locked count. When it is closed, a trigger releases its batches.
pub(crate) fn save(connection: &mut AnyConnection, count: &StockCount) -> Result<(), StoreError> {
    let summary = CountSummary::from(count);
    let statement = SaveCount {
        closed_at: &summary.closed_at.map(|at| at.timestamp_micros()),
        entered: &i32::try_from(summary.entered).map_err(failed)?,
        content: &written(count)?,
        count_id: count.count_id().as_str(),
    };
    expect_rows(LOCKED, 1, statement.execute(connection).map_err(store_error)?)
}

/// Removes a locked count.
pub(crate) fn remove(connection: &mut AnyConnection, count_id: &CountId) -> Result<(), StoreError> {
    let statement = RemoveCount { count_id: count_id.as_str() };
    expect_rows(LOCKED, 1, statement.execute(connection).map_err(store_error)?)
}

/// Returns a page of counts by their ids.
pub(crate) fn list(
    connection: &mut AnyConnection,
    after: Option<&CountId>,
    page: PageSize,
) -> Result<CountPage, StoreError> {
    let size = usize::from(page.get());
    // One more row shows whether there are further ones.
    let statement = ListCounts { after: after.map_or("", CountId::as_str), limit: &(i64::from(page.get()) + 1) };
    let rows: Vec<SummaryRow> = statement.load(connection).map_err(store_error)?;
    let has_more = rows.len() > size;
    let counts = rows.into_iter().take(size).map(summary).collect::<Result<Vec<_>, _>>()?;
    let next = counts.last().map(|last| last.count_id.clone()).filter(|_| has_more);
    Ok(CountPage { counts, next })
}

fn summary((count_id, opened_at, closed_at, blind, lines, entered): SummaryRow) -> Result<CountSummary, StoreError> {
    Ok(CountSummary {
        count_id: CountId::restore(count_id).map_err(corrupt)?,
        blind,
        opened_at: row::instant(opened_at)?,
        closed_at: closed_at.map(row::instant).transpose()?,
        lines: usize::try_from(lines).map_err(corrupt)?,
        entered: usize::try_from(entered).map_err(corrupt)?,
    })
}

fn written(count: &StockCount) -> Result<String, StoreError> {
    serde_json::to_string(count).map_err(failed)
}

fn read(content: &str) -> Result<StockCount, StoreError> {
    serde_json::from_str(content).map_err(corrupt)
}
