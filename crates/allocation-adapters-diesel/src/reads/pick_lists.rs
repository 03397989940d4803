//! Pick lists, and pages of pick lists.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::columns::{Columns, Sql};
use crate::error::{corrupt, store_error};
use crate::pick_line_row::{PickLineRow, pick_lines};
use crate::planner::SEPARATE;
use crate::row;
use crate::statement::statement;
use allocation_domain::{PickLine, PickLineId, PickList, PickListId, PickListStatus};
use allocation_ports::{
    PageSize, PickListCounts, PickListFilter, PickListPage, PickListSummary, StoreError, StoredPickList,
};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text};
use std::collections::BTreeMap;

/// The maximum number of lists that a page scans.
const MAX_LISTS: usize = 1_000;

statement! {
    CreatedAt<'a>(list_id: Text => str) on MultiBackend -> BigInt,
    "SELECT created_at FROM pick_lists WHERE list_id = ?"
}

statement! {
    /// The lines of a list in no order, those of archived orders included.
    LinesOf<'a>(list_id: Text => str, archived: Text => str) on MultiBackend -> Sql<PickLineRow<'static>>,
    "SELECT ", PickLineRow::COLUMNS, " FROM pick_list_lines WHERE list_id = ?
     UNION ALL
     SELECT ", PickLineRow::COLUMNS, " FROM archived_pick_lines WHERE list_id = ?"
}

statement! {
    Line<'a>(
        list_id: Text => str,
        line: Integer => i32,
        archived_list_id: Text => str,
        archived_line: Integer => i32,
    ) on MultiBackend -> Sql<PickLineRow<'static>>,
    "SELECT ", PickLineRow::COLUMNS, " FROM pick_list_lines WHERE list_id = ? AND line = ?
     UNION ALL
     SELECT ", PickLineRow::COLUMNS, " FROM archived_pick_lines WHERE list_id = ? AND line = ?"
}

statement! {
    /// Each line is looked up separately, by its key.
    Lines<'a>(list_id: Array<Text> => Vec<&'a str>, line: Array<Integer> => Vec<i32>)
        on Pg -> Sql<PickLineRow<'static>>,
    "SELECT p.* FROM unnest(?, ?) AS w (list_id, line)
     CROSS JOIN LATERAL (
         SELECT ", PickLineRow::COLUMNS, " FROM pick_list_lines AS t WHERE t.list_id = w.list_id AND t.line = w.line
         UNION ALL
         SELECT ", PickLineRow::COLUMNS, " FROM archived_pick_lines AS t WHERE t.list_id = w.list_id AND t.line = w.line",
    SEPARATE, "
     ) AS p"
}

/// Selects lists `p` with their numbers of lines. Archived lines are neither open nor picked.
const SUMMARIES: &str = "SELECT p.list_id,
        (SELECT created_at FROM pick_lists WHERE pick_lists.list_id = p.list_id),
        (SELECT count(*) FROM pick_list_lines AS l WHERE l.list_id = p.list_id)
            + (SELECT count(*) FROM archived_pick_lines AS l WHERE l.list_id = p.list_id),
        (SELECT count(*) FROM pick_list_lines AS l WHERE l.list_id = p.list_id AND l.status = 'open'),
        (SELECT count(*) FROM pick_list_lines AS l WHERE l.list_id = p.list_id AND l.status = 'picked'),
        (SELECT count(*) FROM pick_list_lines AS l WHERE l.list_id = p.list_id AND l.status = 'shipped')
            + (SELECT count(*) FROM archived_pick_lines AS l WHERE l.list_id = p.list_id AND l.status = 'shipped')
 FROM ";

type SummaryColumns = (Text, BigInt, BigInt, BigInt, BigInt, BigInt);

statement! {
    All<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> SummaryColumns,
    SUMMARIES, "(SELECT list_id FROM pick_lists WHERE list_id > ? ORDER BY list_id LIMIT ?) AS p"
}

statement! {
    Open<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> SummaryColumns,
    SUMMARIES, "(
         SELECT DISTINCT list_id FROM pick_list_lines
         WHERE status = 'open' AND list_id > ? ORDER BY list_id LIMIT ?
     ) AS p"
}

statement! {
    /// Lists with picked units that are not shipped; they may also have lines to pick.
    ToShip<'a>(after: Text => str, limit: BigInt => i64) on MultiBackend -> SummaryColumns,
    SUMMARIES, "(
         SELECT DISTINCT list_id FROM pick_list_lines
         WHERE status = 'picked' AND list_id > ? ORDER BY list_id LIMIT ?
     ) AS p"
}

/// Loads a list with its lines, in one snapshot.
pub(crate) fn pick_list(
    connection: &mut AnyConnection,
    list_id: &PickListId,
) -> Result<Option<StoredPickList>, StoreError> {
    let found = CreatedAt { list_id: list_id.as_str() }.get_result::<i64>(connection).optional();
    let Some(created_at) = found.map_err(store_error)? else { return Ok(None) };
    let statement = LinesOf { list_id: list_id.as_str(), archived: list_id.as_str() };
    let rows: Vec<PickLineRow<'_>> = statement.load(connection).map_err(store_error)?;
    let lines = pick_lines(rows)?.into_iter().map(|(id, line)| (id.line, line)).collect();
    let list = PickList { list_id: list_id.clone(), lines };
    Ok(Some(StoredPickList { list, created_at: row::instant(created_at)? }))
}

/// Loads the lines of lists that exist.
pub(crate) fn find_pick_lines(
    connection: &mut AnyConnection,
    ids: &[PickLineId],
) -> Result<BTreeMap<PickLineId, PickLine>, StoreError> {
    // No list has a line number beyond the column type.
    let keys = ids.iter().filter_map(|id| Some((id.list.as_str(), i32::try_from(id.line).ok()?)));
    if let AnyConnection::Postgres(connection) = connection {
        let (list_id, line) = &keys.unzip();
        let rows: Vec<PickLineRow<'_>> = Lines { list_id, line }.load(connection).map_err(store_error)?;
        return Ok(pick_lines(rows)?.into_iter().collect());
    }
    let mut found = BTreeMap::new();
    for (list_id, line) in keys {
        let statement = Line { list_id, line: &line, archived_list_id: list_id, archived_line: &line };
        let row = statement.get_result::<PickLineRow<'_>>(connection).optional().map_err(store_error)?;
        found.extend(row.map(PickLineRow::pick_line).transpose()?);
    }
    Ok(found)
}

/// Returns a page of lists, in one snapshot. The lines decide the status of a list, so a page scans a
/// limited number of lists and keeps the matching ones.
pub(crate) fn pick_lists(
    connection: &mut AnyConnection,
    filter: &PickListFilter,
    after: Option<&PickListId>,
    page: PageSize,
) -> Result<PickListPage, StoreError> {
    let page = usize::from(page.get());
    let mut kept = PickListPage { lists: Vec::new(), next: after.cloned() };
    let mut seen = 0;
    while kept.lists.len() < page && seen < MAX_LISTS {
        let count = (page - kept.lists.len()).min(MAX_LISTS - seen);
        // One more list shows whether there are further ones.
        let mut found = load(connection, filter.status, kept.next.as_ref(), count + 1)?;
        let has_more = found.len() > count;
        found.truncate(count);
        seen += found.len();
        kept.next = found.last().map(|list| list.list_id.clone()).filter(|_| has_more);
        kept.lists.extend(found.into_iter().filter(|list| filter.status.is_none_or(|status| list.status() == status)));
        if !has_more {
            break;
        }
    }
    Ok(kept)
}

/// Loads the next lists that may have a status, in order.
fn load(
    connection: &mut AnyConnection,
    status: Option<PickListStatus>,
    after: Option<&PickListId>,
    count: usize,
) -> Result<Vec<PickListSummary>, StoreError> {
    let after = after.map_or(super::FIRST, PickListId::as_str);
    let limit = &i64::try_from(count).map_err(corrupt)?;
    // Lists to pick or to ship are current work, so there are few.
    let rows: QueryResult<Vec<SummaryRow>> = match status {
        Some(PickListStatus::Open) => Open { after, limit }.load(connection),
        Some(PickListStatus::Picked) => ToShip { after, limit }.load(connection),
        None | Some(PickListStatus::Shipped | PickListStatus::Withdrawn) => All { after, limit }.load(connection),
    };
    let mut lists = rows.map_err(store_error)?.into_iter().map(summary).collect::<Result<Vec<_>, _>>()?;
    // The rows arrive in this order, but SQL does not guarantee it.
    lists.sort_unstable_by(|one, other| one.list_id.cmp(&other.list_id));
    Ok(lists)
}

/// The list id, the creation time, and the numbers of all, open, picked and shipped lines.
type SummaryRow = (String, i64, i64, i64, i64, i64);

fn summary((list_id, created_at, lines, open, picked, shipped): SummaryRow) -> Result<PickListSummary, StoreError> {
    let count = |lines: i64| u32::try_from(lines).map_err(corrupt);
    let counts =
        PickListCounts { lines: count(lines)?, open: count(open)?, picked: count(picked)?, shipped: count(shipped)? };
    Ok(PickListSummary { list_id: row::list_id(list_id)?, created_at: row::instant(created_at)?, counts })
}
