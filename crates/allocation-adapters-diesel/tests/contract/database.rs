//! The SQL databases of the suite, and the checks that need SQL.

use crate::world::{World, instant};
use allocation_adapters_diesel::{DatabaseUrl, Dialect};
use chrono::{DateTime, Utc};
use std::sync::atomic::AtomicI64;

pub use allocation_adapters_diesel::Store;
pub use allocation_test_support::TestDatabase;

pub fn connect(database: &TestDatabase, pool_size: u32) -> Store {
    Store::connect(&DatabaseUrl::parse(database.url()).unwrap(), pool_size).unwrap()
}

impl World {
    pub fn with_pool(database: TestDatabase, pool_size: u32) -> Self {
        let store = connect(&database, pool_size);
        store.migrations().up().unwrap();
        store.clock().stop_at(instant(0));
        Self { store, database, clock: AtomicI64::new(0) }
    }

    pub fn is_postgres(&self) -> bool {
        self.store.dialect() == Dialect::Postgres
    }

    /// Adds lines by SQL, with slots in their orders on PostgreSQL.
    pub fn insert_lines(&self, sql: &str) {
        if !self.is_postgres() {
            return self.database.execute(sql);
        }
        self.database.execute("DROP INDEX order_lines_by_order");
        self.database.execute(sql);
        self.database.execute(
            "UPDATE order_lines SET order_slot = sku;
             CREATE UNIQUE INDEX order_lines_by_order ON order_lines (order_id, order_slot)",
        );
    }

    /// Makes units of work decide at this instant from now on.
    pub fn set_time(&self, now: DateTime<Utc>) {
        self.store.clock().stop_at(now);
    }

    /// The stored totals of a product: in stock, in transit, held, backordered, and the number of waiting
    /// lines.
    pub fn totals(&self, name: &str) -> [i64; 5] {
        ["in_stock", "on_its_way", "held", "backordered", "waiting_lines"]
            .map(|column| self.database.count(&format!("SELECT {column} FROM products WHERE sku = '{name}'")))
    }

    pub fn assert_events_are_in_order(&self) {
        let earlier = self.database.count(
            "SELECT count(*) FROM outbox a JOIN outbox b ON a.sku = b.sku
             WHERE a.version < b.version AND a.occurred_at > b.occurred_at",
        );
        assert_eq!(earlier, 0, "events recorded before those of an earlier version");
    }

    pub fn assert_totals_equal_sums(&self) {
        let sums = [
            (
                "in_stock",
                "coalesce(sum(purchased_quantity - shipped_quantity - missing_quantity), 0) FROM batches r WHERE eta IS NULL",
            ),
            (
                "on_its_way",
                "coalesce(sum(purchased_quantity - shipped_quantity - missing_quantity), 0) FROM batches r WHERE eta IS NOT NULL",
            ),
            (
                "held",
                "coalesce(sum(a.quantity), 0) FROM allocations a
                 JOIN order_lines r ON r.sku = a.sku AND r.order_id = a.order_id WHERE expires_at IS NOT NULL",
            ),
            ("picked", "coalesce(sum(picked_quantity), 0) FROM batches r WHERE true"),
            ("backordered", "coalesce(sum(waiting), 0) FROM order_lines r WHERE true"),
            ("held_lines", "count(*) FROM order_lines r WHERE expires_at IS NOT NULL"),
            ("waiting_lines", "count(*) FROM order_lines r WHERE waiting > 0"),
        ];
        for (column, sum) in sums {
            let wrong = format!("SELECT count(*) FROM products p WHERE {column} <> (SELECT {sum} AND r.sku = p.sku)");
            assert_eq!(self.database.count(&wrong), 0, "{column} differs from the sum of its rows");
        }
    }

    pub fn assert_counters_equal_sums(&self) {
        let wrong = self.database.count(
            "SELECT count(*) FROM batches b WHERE allocated_quantity <> (
                SELECT coalesce(sum(a.quantity), 0) FROM allocations a
                WHERE a.sku = b.sku AND a.reference = b.reference
            )",
        );
        assert_eq!(wrong, 0, "counters that differ from the sum of their allocations");
        let sum = |units: &str, of: &str| {
            format!(
                "(SELECT coalesce(sum({units}), 0) FROM (
                     SELECT sku, order_id, reference, picked, shipped, status FROM pick_list_lines
                     UNION ALL SELECT sku, order_id, reference, picked, shipped, status FROM archived_pick_lines
                 ) p WHERE {of})"
            )
        };
        let picked = |of: &str| sum("CASE WHEN p.status = 'picked' THEN p.picked - p.shipped END", of);
        let shipped = |of: &str| sum("CASE WHEN p.status = 'shipped' THEN p.picked ELSE p.shipped END", of);
        let of_batch = "p.reference = t.reference";
        let (picked_of, shipped_of) = (picked(of_batch), shipped(of_batch));
        let batches = format!(
            "SELECT count(*) FROM batches t WHERE picked_quantity <> {picked_of} OR shipped_quantity <> {shipped_of}"
        );
        let of_line = "p.sku = t.sku AND p.order_id = t.order_id";
        let (picked_of, shipped_of) = (picked(of_line), shipped(of_line));
        let lines = format!(
            "SELECT count(*) FROM order_lines t WHERE picked <> {picked_of} OR shipped <> {shipped_of}
             OR listed <> (SELECT coalesce(sum(p.quantity), 0) FROM pick_list_lines p
                           WHERE p.status = 'open' AND {of_line})"
        );
        let reserved = "
            SELECT count(*) FROM (
                SELECT sku, order_id, reference, sum(quantity) AS listed FROM pick_list_lines
                WHERE status = 'open' GROUP BY sku, order_id, reference
            ) AS p
            LEFT JOIN allocations a ON a.sku = p.sku AND a.order_id = p.order_id AND a.reference = p.reference
            WHERE a.quantity IS NULL OR a.quantity < p.listed";
        for (wrong, what) in [(&*batches, "batches"), (&*lines, "lines"), (reserved, "reservations")] {
            assert_eq!(self.database.count(wrong), 0, "{what} that differ from their pick lines");
        }
    }
}
