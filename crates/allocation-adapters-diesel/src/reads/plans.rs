//! Lists cost the same for every page: an index serves filter, order and cursor.

use super::allocations::{PageOfOrder, allocations_query};
use super::candidates::{All, Ended, Held, Holding, MaybeIdle, OfSku, Waiting};
use super::{availability, backorders, batches, history, totals};
use crate::any_connection::{AnyConnection, Connector, MultiBackend};
use crate::{DatabaseUrl, expiry};
use allocation_domain::{BatchReference, OrderId, Sku};
use allocation_ports::{AllocationCursor, AllocationFilter, PageSize};
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

#[test]
fn dump_plans() {
    for database in [TestDatabase::sqlite(), TestDatabase::postgres()] {
        let url = DatabaseUrl::parse(database.url()).unwrap();
        crate::Store::connect(&url, 1).unwrap().migrations().up().unwrap();
        for setup in ["SELECT 1", "ANALYZE"] {
            database.execute(setup);
            let mut connection = Connector(url.clone()).connect().unwrap();
            for (name, plan) in plans(&mut connection) {
                println!("=== {setup} {name}\n{plan}\n");
            }
        }
    }
}

/// The plans of all queries, by their names.
fn plans(connection: &mut AnyConnection) -> Vec<(&'static str, String)> {
    let (text, number, limit, small) = ("M", &7, &100, &7);
    let mut plans = Vec::new();
    macro_rules! explain {
        ($($name:literal: $query:expr;)+) => { $(plans.push(($name, plan(connection, $query)));)+ };
    }
    explain! {
        "batch": batches::BatchAt { now: number, reference: text, from: text, to: text };
        "batches": batches::BatchesAt { now: number, added_at: number, reference: text, limit };
        "batches of a SKU": batches::BatchesOfSkuAt { now: number, sku: text, added_at: number, reference: text, limit };
        "open batches": batches::OpenBatches { sku: text };
        "orders": All { after: text, limit };
        "held orders": Held { after: text, limit };
        "waiting orders": Waiting { after: text, limit };
        "ended orders": Ended { after: text, limit };
        "orders with units of a SKU": Holding { sku: text, after: text, limit };
        "queue": backorders::QueueAfter { sku: text, priority: number, placed_at: number, order_id: text, now: number,
            limit, lower_sku: text, lower_than: number, lower_now: number, lower_limit: limit };
        "queues": backorders::QueuesAfter { sku: text, now: number, limit };
        "history": history::History { order_id: text, occurred_at: number, sku: text, version: number, ordinal: small, limit };
        "product": totals::CountedOf { now: number, sku: text };
        "products": totals::CountedAfter { now: number, sku: text, limit };
        "standing": availability::StandingAt { now: number, sku: text };
        "expired lines": expiry::ExpiredLines { now: number, expires_at: number, sku: text, limit };
        "expired lines of a SKU": expiry::ExpiredLinesOf { sku: text, now: number };
    }
    let (sku, order_id, reference) =
        (Sku::parse("S").unwrap(), OrderId::parse("O").unwrap(), BatchReference::parse("B").unwrap());
    let cursor = AllocationCursor { sku: sku.clone(), order_id: order_id.clone(), reference: reference.clone() };
    let page = PageOfOrder::new(&order_id, Some(&cursor), PageSize::default(), DateTime::UNIX_EPOCH);
    let (of_sku, of_order) = match connection {
        AnyConnection::Sqlite(_) => {
            (plan(connection, MaybeIdle { sku: text, after: text, limit }), plan(connection, page.statement()))
        }
        AnyConnection::Postgres(_) => (
            plan(connection, OfSku { last_sku: text, sku: text, after: text, limit }),
            plan(connection, page.statement_in_turn()),
        ),
    };
    plans.extend([("orders of a SKU", of_sku), ("allocations of an order", of_order)]);
    for bits in [0b000, 0b001, 0b011, 0b101, 0b111] {
        let filter = AllocationFilter {
            sku: (bits & 0b001 != 0).then(|| sku.clone()),
            order_id: (bits & 0b010 != 0).then(|| order_id.clone()),
            reference: (bits & 0b100 != 0).then(|| reference.clone()),
        };
        for after in [None, Some(&cursor)] {
            if let Some(query) = allocations_query(&filter, after, PageSize::default(), DateTime::UNIX_EPOCH) {
                plans.push(("allocations", plan(connection, query)));
            }
        }
    }
    plans
}
