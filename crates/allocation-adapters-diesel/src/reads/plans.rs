//! Lists cost the same for every page: an index serves filter, order and cursor.

use super::{allocations_query, batches_query};
use crate::DatabaseUrl;
use crate::any_connection::{AnyConnection, Connector, MultiBackend};
use allocation_domain::{BatchReference, OrderId, Sku};
use allocation_ports::{AllocationCursor, AllocationFilter, BatchCursor, BatchFilter, PageSize};
use allocation_test_support::TestDatabase;
use chrono::DateTime;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Integer, Text};
use r2d2::ManageConnection;

/// Asks for the plan of a query instead of its rows.
#[derive(Debug)]
struct Explain<Q>(Q, &'static str);

impl<Q: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for Explain<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql(self.1);
        self.0.walk_ast(out)
    }
}

impl<Q> QueryId for Explain<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// A plan of SQLite: its nodes with their numbers.
#[derive(Debug)]
struct Nodes<Q>(Explain<Q>);

impl<Q: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for Nodes<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

impl<Q> QueryId for Nodes<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for Nodes<Q> {
    type SqlType = (Integer, Integer, Integer, Text);
}

/// A plan of PostgreSQL: lines of text.
impl<Q> Query for Explain<Q> {
    type SqlType = Text;
}

impl<Q> RunQueryDsl<AnyConnection> for Explain<Q> {}
impl<Q> RunQueryDsl<AnyConnection> for Nodes<Q> {}

fn plan<Q: QueryFragment<MultiBackend>>(connection: &mut AnyConnection, query: Q) -> String {
    match connection {
        AnyConnection::Sqlite(_) => {
            let nodes = Nodes(Explain(query, "EXPLAIN QUERY PLAN "));
            let nodes: Vec<(i32, i32, i32, String)> = nodes.load(connection).unwrap();
            nodes.into_iter().map(|(.., text)| text).collect::<Vec<_>>().join("\n")
        }
        AnyConnection::Postgres(_) => {
            Explain(query, "EXPLAIN (COSTS OFF) ").load::<String>(connection).unwrap().join("\n")
        }
    }
}

/// The plans of every list with every filter, with and without a cursor.
fn plans(database: &TestDatabase) -> Vec<(String, String)> {
    let url = DatabaseUrl::parse(database.url()).unwrap();
    crate::Store::connect(&url, 1).unwrap().migrations().up().unwrap();
    let mut connection = Connector(url).connect().unwrap();
    let (sku, order_id, reference) =
        (Sku::parse("S").unwrap(), OrderId::parse("O").unwrap(), BatchReference::parse("B").unwrap());
    let mut plans = Vec::new();
    let cursor = BatchCursor { added_at: DateTime::UNIX_EPOCH, reference: reference.clone() };
    for filter in [None, Some(sku.clone())].map(|sku| BatchFilter { sku }) {
        for after in [None, Some(&cursor)] {
            let query = batches_query(&filter, after, PageSize::default());
            plans.push((format!("{filter:?} {after:?}"), plan(&mut connection, query)));
        }
    }
    let cursor = AllocationCursor { sku: sku.clone(), order_id: order_id.clone(), reference: reference.clone() };
    // Whoever asks for a batch has its SKU found first.
    for bits in [0b000, 0b001, 0b010, 0b011, 0b101, 0b111] {
        let filter = AllocationFilter {
            sku: (bits & 0b001 != 0).then(|| sku.clone()),
            order_id: (bits & 0b010 != 0).then(|| order_id.clone()),
            reference: (bits & 0b100 != 0).then(|| reference.clone()),
        };
        for after in [None, Some(&cursor)] {
            if let Some(query) = allocations_query(&filter, after, PageSize::default()) {
                plans.push((format!("{filter:?} {after:?}"), plan(&mut connection, query)));
            }
        }
    }
    plans
}

/// Whether a list begins at the very start of an index.
fn is_first_page_of_all(list: &str) -> bool {
    list.ends_with(" None") && !list.contains("Some")
}

#[test]
fn lists_are_served_by_an_index_on_sqlite() {
    for (list, plan) in plans(&TestDatabase::sqlite()) {
        // A single step: anything more would be a sort.
        assert_eq!(plan.lines().count(), 1, "{list}\n{plan}");
        assert!(plan.contains("SEARCH") || is_first_page_of_all(&list), "{list}\n{plan}");
    }
}

#[test]
fn lists_are_served_by_an_index_on_postgres() {
    for (list, plan) in plans(&TestDatabase::postgres()) {
        for dear in ["Sort", "Seq Scan", "Bitmap", "Filter", "Join"] {
            assert!(!plan.contains(dear), "{list}\n{plan}");
        }
        assert!(plan.contains("Index Cond") || is_first_page_of_all(&list), "{list}\n{plan}");
    }
}
