//! Events of the log that match a filter.

use crate::any_connection::{AnyConnection, MultiBackend};
use crate::columns::{Columns, Sql};
use crate::event_row::EventRow;
use crate::planner::SEPARATE;
use crate::statement::statement;
use allocation_ports::{EventFilter, PageSize, Subject};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// Defines the statements of a database.
///
/// The databases differ in two expressions. One finds a type in a comma-separated list; the other keeps a
/// subquery from being merged into the outer query.
///
/// An index finds events by their subject. The events of an order are few, and are sorted. By type alone,
/// events between two positions are scanned.
macro_rules! statements {
    ($of_types:ident, $of_order:ident, $of_batch:ident, $of_product:ident, $is_listed:literal, $separate:expr) => {
        statement! {
            $of_types<'a>(after: BigInt => i64, until: BigInt => i64, types: Text => str, limit: BigInt => i64)
                on MultiBackend -> Sql<EventRow>,
            "SELECT ", EventRow::COLUMNS, " FROM events
WHERE position > ? AND position <= ? AND ", $is_listed, " ORDER BY position LIMIT ?"
        }

        statement! {
            $of_order<'a>(
                order_id: Text => str, after: BigInt => i64, all: Text => str, types: Text => str,
                limit: BigInt => i64,
            ) on MultiBackend -> Sql<EventRow>,
            "SELECT * FROM (
                 SELECT ", EventRow::COLUMNS, " FROM events
                 WHERE order_id = ? AND position > ? AND (? = '' OR ", $is_listed, ")", $separate, "
             ) AS e ORDER BY position LIMIT ?"
        }

        statement! {
            $of_batch<'a>(
                reference: Text => str, after: BigInt => i64, all: Text => str, types: Text => str,
                limit: BigInt => i64,
            ) on MultiBackend -> Sql<EventRow>,
            "SELECT ", EventRow::COLUMNS, " FROM events
WHERE reference = ? AND position > ? AND (? = '' OR ", $is_listed, ") ORDER BY position LIMIT ?"
        }

        statement! {
            $of_product<'a>(
                sku: Text => str, after: BigInt => i64, all: Text => str, types: Text => str,
                limit: BigInt => i64,
            ) on MultiBackend -> Sql<EventRow>,
            "SELECT ", EventRow::COLUMNS, " FROM events
             WHERE sku = ? AND order_id IS NULL AND reference IS NULL AND position > ?
               AND (? = '' OR ", $is_listed, ") ORDER BY position LIMIT ?"
        }
    };
}

statements! {
    OfTypesOnPostgres, OfOrderOnPostgres, OfBatchOnPostgres, OfProductOnPostgres,
    "type = ANY (string_to_array(?, ','))", SEPARATE
}

statements! {
    OfTypesOnSqlite, OfOrderOnSqlite, OfBatchOnSqlite, OfProductOnSqlite,
    "instr(',' || ? || ',', ',' || type || ',') > 0", ""
}

/// Loads the events after a position that match a filter; by type alone, up to another position.
pub(super) fn filtered(
    connection: &mut AnyConnection,
    (after, until): (i64, i64),
    filter: &EventFilter,
    page: PageSize,
) -> QueryResult<Vec<EventRow>> {
    let types = filter.types.join(",");
    let (after, until, all, types, limit) = (&after, &until, &*types, &*types, &i64::from(page.get()));
    macro_rules! load {
        ($of_types:ident, $of_order:ident, $of_batch:ident, $of_product:ident) => {
            match &filter.subject {
                None => $of_types { after, until, types, limit }.load(connection),
                Some(Subject::Order(order_id)) => {
                    $of_order { order_id: order_id.as_str(), after, all, types, limit }.load(connection)
                }
                Some(Subject::Batch(reference)) => {
                    $of_batch { reference: reference.as_str(), after, all, types, limit }.load(connection)
                }
                Some(Subject::Product(sku)) => {
                    $of_product { sku: sku.as_str(), after, all, types, limit }.load(connection)
                }
            }
        };
    }
    match connection {
        AnyConnection::Sqlite(_) => load!(OfTypesOnSqlite, OfOrderOnSqlite, OfBatchOnSqlite, OfProductOnSqlite),
        AnyConnection::Postgres(_) => {
            load!(OfTypesOnPostgres, OfOrderOnPostgres, OfBatchOnPostgres, OfProductOnPostgres)
        }
    }
}
