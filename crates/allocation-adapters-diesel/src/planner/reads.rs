//! Each page of a list costs the same: an index serves its filter, order and cursor.

use super::explain::{connect, migrate, plan};
use crate::any_connection::AnyConnection;
use crate::reads::allocations::{self, PageOfOrder};
use crate::reads::candidates::{All, Ended, Held, Idle, Incomplete, OfSku, PartlyShipped, Picked, Shipped, Waiting};
use crate::reads::shipments as pages;
use crate::reads::{
    availability, backorders, batches, blocks, completed, load_until_decided, orders, pick_lists, pickable, totals,
};
use crate::{expiry, fitting, moving, queue, shipments, stock_counts, stored_batches};
use allocation_domain::{BatchReference, OrderId, Sku};
use allocation_ports::{AllocationCursor, PageSize};
use allocation_test_support::TestDatabase;
use chrono::{DateTime, NaiveDate};

/// The only list whose order no index has.
const WAITING_EVENTS: &str = "events of a subject without a position";

/// The only query that groups rows, which arrive in another order.
const EXPIRED_UNITS: &str = "units of expired lines";

/// The only list with rows of two tables. PostgreSQL sorts the allocations of each line; the lines are in
/// order, except for the anchor.
const ALLOCATIONS_OF_ORDER: &str = "allocations of an order";

/// Returns the plans of all queries with their names.
fn plans(connection: &mut AnyConnection) -> Vec<(String, String)> {
    let (text, number, limit, small) = ("M", &7, &100, &7);
    let day = &NaiveDate::from_ymd_opt(2027, 1, 15).unwrap();
    let mut plans = Vec::new();
    macro_rules! explain {
        ($($name:expr => $query:expr;)+) => { $(plans.push(($name.to_owned(), plan(connection, $query)));)+ };
    }
    explain! {
        "batch" => batches::BatchAt { now: number, reference: text, from: text, to: text };
        "batches" => batches::BatchesAt { now: number, added_at: number, reference: text, limit };
        "batches of a SKU" => batches::BatchesOfSkuAt { now: number, sku: text, added_at: number, reference: text, limit };
        "overdue batches" => batches::OverdueAt { now: number, today: day, eta: day, added_at: number, reference: text,
            limit };
        "overdue batches of a SKU" => batches::OverdueOfSkuAt { now: number, sku: text, today: day, eta: day,
            added_at: number, reference: text, limit };
        "moving batches of a SKU" => batches::MovingOfSkuAt { now: number, sku: text };
        "batches in transit" => stored_batches::InTransit { sku: text };
        "open batches" => stored_batches::OpenBatches { sku: text };
        "orders" => All { after: text, limit };
        "held orders" => Held { after: text, limit };
        "waiting orders" => Waiting { after: text, limit };
        "picked orders" => Picked { after: text, limit };
        "ended orders" => Ended { after: text, limit };
        "shipped orders" => Shipped { after: text, limit };
        "orders with a partly shipped line" => PartlyShipped { after: text, limit };
        "orders with a line without units" => Idle { after: text, limit };
        "orders with a line that lacks units" => Incomplete { after: text, limit };
        "orders of a SKU" => OfSku { last_sku: text, sku: text, after: text, limit };
        "queue" => backorders::QueueAfter { sku: text, precedence: small, placed_at: number, order_id: text, now: number,
            limit };
        "queues" => backorders::QueuesAfter { sku: text, now: number, limit };
        "blocks that wait" => blocks::WaitingBehind { many: limit };
        "events" => blocks::Blocks { from: number, until: number, limit };
        "product" => totals::CountedOf { now: number, sku: text };
        "products" => totals::CountedAfter { now: number, sku: text, limit };
        "standing" => availability::StandingAt { now: number, sku: text };
        "expired lines" => expiry::ExpiredLines { now: number, expires_at: number, sku: text, limit };
        "pick list" => pick_lists::CreatedAt { list_id: text };
        "lines of a pick list" => pick_lists::LinesOf { list_id: text, archived: text };
        "line of a pick list" => pick_lists::Line { list_id: text, line: small, archived_list_id: text,
            archived_line: small };
        "pick lists" => pick_lists::All { after: text, limit };
        "shipment" => shipments::FindShipment { shipment_id: text };
        "count" => stock_counts::FindCount { count_id: text };
        "counts" => stock_counts::ListCounts { after: text, limit };
        "batches to count" => stock_counts::InStock { sku: text, limit };
        "open count of a batch" => stock_counts::FindCounted { reference: text };
        "batch to count" => stock_counts::NamedInStock { reference: text, from: text, to: text };
        "lines of a shipment" => shipments::LinesOf { shipment_id: text };
        "shipments" => pages::All { after: text, limit };
        "shipments of an order" => pages::OfOrder { order_id: text, after: text, limit };
        "open pick lists" => pick_lists::Open { after: text, limit };
        "pick lists to ship" => pick_lists::ToShip { after: text, limit };
        "batches to pick from" => pickable::Allocated { after: text, limit };
        "batches of a SKU to pick from" => pickable::BatchesOf { sku: text, after: text, limit };
        "moving batches" => moving::Moving { sku: text, reference: text, limit };
        "next lines on a batch" => moving::LinesAfter { reference: text, precedence: small, placed_at: number, order_id: text, limit };
        "last lines on a batch" => moving::LastLines { reference: text, limit };
        "lines on a batch before" => moving::LinesBefore { reference: text, precedence: small, placed_at: number, order_id: text, limit };
        FITTING => fitting::FittingAfter { reference: text, precedence: small, placed_at: number,
            order_id: text, scan_limit: limit, units: small, limit };
        "allocations" => allocations::All { now: number, sku: text, order_id: text, reference: text, limit };
        "allocations of a SKU" => allocations::OfSku { now: number, sku: text, order_id: text, reference: text, limit };
        "allocations of a line" => allocations::OfLine { sku: text, order_id: text, now: number, part_sku: text,
            from: text, to: text };
        "allocations of a batch" => allocations::OfBatch { now: number, reference: text, precedence: small,
            placed_at: number, order_id: text, after: text, limit };
        "SKUs of an order" => orders::SkusOf { order_id: text, archived: text };
        "complete orders" => completed::CompletedAfter { all_until: number, until: number, completed_at: number,
            order_id: text, limit };
        "sums of expired lines" => totals::Expired { sku: text, now: number };
        "unserved products" => expiry::Unserved { after: text, limit };
        "size of waiting lines" => queue::NextSize { sku: text, larger_than: small, at_most: small };
        "waiting lines that take parts" => queue::PartsAfter { sku: text, precedence: small, placed_at: number,
            order_id: text, alive_at: number, page_plus_one: limit };
        "waiting lines of a size" => queue::WholeAfter { sku: text, size: small, precedence: small, placed_at: number,
            order_id: text, alive_at: number, page_plus_one: limit };
        "waiting lines that fit" => queue::FittingAfter { sku: text, size: small, precedence: small, placed_at: number,
            order_id: text, alive_at: number, page_plus_one: limit };
    }
    let cursor = AllocationCursor {
        sku: Sku::parse("S").unwrap(),
        order_id: OrderId::parse("O").unwrap(),
        reference: BatchReference::parse("B").unwrap(),
        priority: 0,
        placed_at: DateTime::UNIX_EPOCH,
    };
    let page = PageOfOrder::new(&cursor.order_id, Some(&cursor), PageSize::default(), DateTime::UNIX_EPOCH);
    plans.push((
        EXPIRED_UNITS.to_owned(),
        match connection {
            AnyConnection::Sqlite(_) => {
                plan(connection, load_until_decided::ExpiredUnits { expired_sku: text, now: number, sku: text })
            }
            AnyConnection::Postgres(_) => {
                plan(connection, load_until_decided::ExpiredUnitsInTurn { expired_sku: text, now: number, sku: text })
            }
        },
    ));
    let (of_order, waiting) = match connection {
        AnyConnection::Sqlite(_) => (
            plan(connection, page.statement()),
            plan(connection, blocks::WaitingOfKeyOnSqlite { after: number, key: small, limit }),
        ),
        AnyConnection::Postgres(_) => (
            plan(connection, page.statement_in_turn()),
            plan(connection, blocks::WaitingOfKeyOnPostgres { after: number, key: small, limit }),
        ),
    };
    plans.push((WAITING_EVENTS.to_owned(), waiting));
    plans.extend(plans_of_filtered(connection));
    plans.extend(plans_of_pickable(connection));
    plans.push((ALLOCATIONS_OF_ORDER.to_owned(), of_order));
    plans
}

/// Returns the plans of filtered events: by type, or by an order, a batch or a product.
fn plans_of_filtered(connection: &mut AnyConnection) -> Vec<(String, String)> {
    let (from, until, types, limit, key) = (&7, &7, "M", &100, &7);
    let plans = match connection {
        AnyConnection::Sqlite(_) => [
            plan(connection, blocks::OfTypesOnSqlite { from, until, types: "[]", limit }),
            plan(connection, blocks::OfKeyOnSqlite { key, from, limit }),
        ],
        AnyConnection::Postgres(_) => [
            plan(connection, blocks::OfTypesOnPostgres { from, until, types, limit }),
            plan(
                connection,
                blocks::OfKeyOnPostgres {
                    bucket: key,
                    segment: from,
                    bucket_key: key,
                    key,
                    from,
                    new_from: from,
                    new_key: key,
                    limit,
                },
            ),
        ],
    };
    FILTERED.into_iter().map(String::from).zip(plans).collect()
}

/// The filters of events.
const FILTERED: [&str; 2] = ["events of types", "events of a subject"];

/// Returns the plans of the queries for a new pick list.
fn plans_of_pickable(connection: &mut AnyConnection) -> Vec<(String, String)> {
    let (text, limit, precedence, placed_at) = ("M", &100, &7, &7);
    let (reference, order_id) = (text, text);
    let plans = match connection {
        AnyConnection::Sqlite(_) => [
            plan(connection, pickable::OfBatchOnSqlite { reference, precedence, placed_at, order_id, limit }),
            plan(connection, pickable::OfOrderOnSqlite { order_id, limit }),
        ],
        AnyConnection::Postgres(_) => [
            plan(connection, pickable::OfBatchOnPostgres { reference, precedence, placed_at, order_id, limit }),
            plan(connection, pickable::OfOrderOnPostgres { order_id, limit }),
        ],
    };
    PICKABLE.into_iter().map(String::from).zip(plans).collect()
}

/// The queries for the pickable lines of a batch and of an order.
const PICKABLE: [&str; 2] = ["pickable of a batch", "pickable of an order"];

/// The query for lines that fit into the free units of an earlier batch.
const FITTING: &str = "lines on a batch that fit";

/// Returns the plans of all queries, without statistics and with statistics of empty tables: PostgreSQL keeps a
/// plan while the tables grow.
fn plans_of(database: &TestDatabase) -> Vec<(String, String)> {
    migrate(database);
    let mut all = Vec::new();
    for setup in ["SELECT 1", "ANALYZE"] {
        database.execute(setup);
        all.extend(plans(&mut connect(database)));
    }
    all
}

/// The indexes of the lines of pick lists.
const LINES: &str = "pick_list_lines_pkey";
const LINES_OPEN: &str = "pick_list_lines_open";
const LINES_TO_SHIP: &str = "pick_list_lines_to_ship";
const ARCHIVED: &str = "archived_pick_lines_pkey";

/// The indexes that serve a list on PostgreSQL. Others would work as well, but scan rows outside the list.
const INDEXES: &[(&str, &[&str])] = &[
    ("batch", &["batch_references_pkey", "batches_pkey", "order_lines_expiring", "line_parts_pkey"]),
    ("batches", &["batches_by_added_at", "order_lines_expiring", "line_parts_pkey"]),
    ("batches of a SKU", &["batches_by_sku_and_added_at", "order_lines_expiring", "line_parts_pkey"]),
    ("overdue batches", &["batches_due", "order_lines_expiring", "line_parts_pkey"]),
    ("moving batches of a SKU", &["batches_moving", "order_lines_expiring", "line_parts_pkey"]),
    ("overdue batches of a SKU", &["batches_due_by_sku", "order_lines_expiring", "line_parts_pkey"]),
    ("open batches", &["batches_open"]),
    ("batches in transit", &["batches_due_by_sku"]),
    ("orders", &["order_lines_by_order"]),
    ("held orders", &["order_lines_by_order_held"]),
    ("waiting orders", &["order_lines_by_order_waiting"]),
    ("picked orders", &["order_lines_by_order_taken"]),
    ("ended orders", &["order_lines_by_order_ended"]),
    ("shipped orders", &["order_lines_by_order_shipped"]),
    ("orders with a partly shipped line", &["order_lines_by_order_taken"]),
    ("orders with a line without units", &["order_lines_by_order_idle"]),
    ("orders with a line that lacks units", &["order_lines_by_order_incomplete"]),
    ("orders of a SKU", &["order_lines_pkey"]),
    (ALLOCATIONS_OF_ORDER, &["order_lines_by_order", "order_lines_by_order", "line_parts_pkey"]),
    ("queue", &["order_lines_queue"]),
    ("queues", &["order_lines_queue"]),
    (WAITING_EVENTS, &["outbox_blocks_pkey"]),
    ("blocks that wait", &["outbox_blocks_pkey"]),
    ("events", &["event_blocks_pkey", "event_blocks_pkey"]),
    (FILTERED[0], &["event_blocks_pkey", "event_blocks_pkey"]),
    (FILTERED[1], &["event_keys_pkey", "event_blocks_pkey", "event_blocks_pkey"]),
    ("product", &["products_pkey", "batches_open", "order_lines_expiring"]),
    ("products", &["products_pkey", "batches_open", "order_lines_expiring"]),
    ("standing", &["products_pkey", "order_lines_expiring"]),
    ("expired lines", &["order_lines_by_expiry"]),
    (EXPIRED_UNITS, &["order_lines_expiring", "line_parts_pkey", "batches_pkey"]),
    ("sums of expired lines", &["order_lines_expiring", "line_parts_pkey"]),
    ("unserved products", &["products_unserved"]),
    ("size of waiting lines", &["order_lines_whole"]),
    ("waiting lines that take parts", &["order_lines_parts"]),
    ("waiting lines of a size", &["order_lines_whole"]),
    ("waiting lines that fit", &["order_lines_queue"]),
    ("SKUs of an order", &["order_lines_by_order", "archived_lines_pkey"]),
    ("complete orders", &["order_lines_complete", "order_lines_by_order"]),
    ("pick list", &["pick_lists_pkey"]),
    ("lines of a pick list", &[LINES, ARCHIVED]),
    ("line of a pick list", &[LINES, ARCHIVED]),
    ("shipment", &["shipments_pkey"]),
    ("count", &["stock_counts_pkey"]),
    ("counts", &["stock_counts_pkey"]),
    ("batches to count", &["batches_pkey"]),
    ("open count of a batch", &["counted_batches_pkey"]),
    ("batch to count", &["batch_references_pkey", "batches_pkey"]),
    ("lines of a shipment", &["shipment_lines_pkey"]),
    ("shipments", &["shipment_lines_pkey", "shipments_pkey", "shipments_pkey", "shipments_pkey"]),
    ("shipments of an order", &["shipment_lines_by_order", "shipments_pkey", "shipments_pkey", "shipments_pkey"]),
    (
        "pick lists",
        &["pick_lists_pkey", "pick_lists_pkey", LINES, ARCHIVED, LINES_OPEN, LINES_TO_SHIP, LINES, ARCHIVED],
    ),
    ("open pick lists", &[LINES_OPEN, "pick_lists_pkey", LINES, ARCHIVED, LINES_OPEN, LINES_TO_SHIP, LINES, ARCHIVED]),
    (
        "pick lists to ship",
        &[LINES_TO_SHIP, "pick_lists_pkey", LINES, ARCHIVED, LINES_OPEN, LINES_TO_SHIP, LINES, ARCHIVED],
    ),
    ("batches to pick from", &["order_lines_by_batch", "line_parts_by_batch", "batch_references_pkey", "batches_pkey"]),
    ("batches of a SKU to pick from", &["batches_pkey"]),
    ("moving batches", &["batches_moving"]),
    ("next lines on a batch", &["order_lines_by_batch", "line_parts_by_batch"]),
    (FITTING, &["order_lines_by_batch", "line_parts_by_batch", "order_lines_by_order", "line_parts_pkey"]),
    ("last lines on a batch", &["order_lines_by_batch", "line_parts_by_batch"]),
    ("lines on a batch before", &["order_lines_by_batch", "line_parts_by_batch"]),
    (PICKABLE[0], &["order_lines_by_batch", "line_parts_by_batch", "order_lines_by_order", "pick_list_lines_by_line"]),
    (PICKABLE[1], &["order_lines_by_order", "line_parts_pkey", "batches_pkey", "pick_list_lines_by_line"]),
];

#[test]
fn lists_are_served_by_an_index_on_sqlite() {
    for (list, plan) in plans_of(&TestDatabase::sqlite()) {
        let sorted = list == EXPIRED_UNITS;
        // A line that lies whole in one batch is the only one with its key, and its index lacks the batch.
        let plan = plan.replace("USE TEMP B-TREE FOR LAST TERM OF ORDER BY", "");
        assert!(!plan.contains("TEMP B-TREE") || sorted, "{list}\n{plan}");
        // Subqueries have short names and are read once; tables are searched.
        let walked = |step: &str| {
            step.starts_with("SCAN")
                && step.len() > "SCAN found".len()
                && step != "SCAN CONSTANT ROW"
                && !step.contains("VIRTUAL TABLE")
        };
        assert!(!plan.lines().any(walked), "{list}\n{plan}");
    }
}

#[test]
fn lists_are_served_by_an_index_on_postgres() {
    for (list, plan) in plans_of(&TestDatabase::postgres()) {
        let makes_distinct = [EXPIRED_UNITS, FILTERED[1]].contains(&&*list);
        let plan = if makes_distinct { plan.replace("HashAggregate", "") } else { plan };
        // The log has one row of bounds.
        let plan = plan.replace("Seq Scan on event_log", "");
        for dear in ["Seq Scan", "Bitmap", "Hash", "Join Filter", "Materialize"] {
            assert!(!plan.contains(dear), "{list}\n{plan}");
        }
        let sorts = match list.as_str() {
            list if list == FILTERED[1] => 1,
            EXPIRED_UNITS => plan.matches("->  Sort").count(),
            // The anchor of the order is a single line that is sorted among the others.
            ALLOCATIONS_OF_ORDER => 1 + plan.matches("->  Incremental Sort").count(),
            // Only the parts of a line are sorted: the index of the lines lacks the batch.
            "allocations" | "allocations of a SKU" => plan.matches("->  Incremental Sort").count(),
            _ => 0,
        };
        assert_eq!(
            plan.matches("->  Sort").count() + plan.matches("->  Incremental Sort").count(),
            sorts,
            "{list}\n{plan}"
        );
        let (scans, conditions) = (plan.matches(" using ").count(), plan.matches("Index Cond").count());
        assert!(scans == conditions, "{list}\n{plan}");
        // With statistics of empty tables, the index by order id is as good for a line as the primary key.
        let finds_lines = PICKABLE.contains(&&*list) || list == FITTING;
        let plan = if finds_lines { plan.replace("order_lines_pkey", "order_lines_by_order") } else { plan };
        let indexes: Vec<_> = plan.split(" using ").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
        let expected = INDEXES.iter().find(|(name, _)| *name == list).map(|(_, indexes)| *indexes);
        let fits = expected.map_or_else(|| list.starts_with("allocations"), |expected| expected == indexes);
        assert!(fits, "{list} {indexes:?}\n{plan}");
    }
}

#[test]
fn no_workers_are_started_for_a_page_of_a_large_table() {
    let database = TestDatabase::postgres();
    plans_of(&database);
    database.execute(
        "INSERT INTO event_blocks (first_position, event_count, occurred_at, types, keys, events)
         SELECT i, 1, 1, 'line_cancelled', '{1}', repeat('x', 150) FROM generate_series(1, 300000) AS i",
    );
    database.execute("VACUUM ANALYZE event_blocks");
    let mut connection = connect(&database);
    // A kept plan does not depend on the limit; PostgreSQL assumes a fraction of the table.
    let plan = plan(&mut connection, blocks::Blocks { from: &7, until: &100_007, limit: &100_000 });
    assert!(plan.contains("Index Scan using event_blocks_pkey") && !plan.contains("Gather"), "{plan}");
}
