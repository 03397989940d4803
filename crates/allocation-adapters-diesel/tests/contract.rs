//! One suite for both databases: what the ports promise, and what the schema refuses.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(unreachable_pub, reason = "a test's modules have no public")]

#[macro_use]
#[path = "contract/suite.rs"]
mod suite;

#[path = "contract/archive.rs"]
mod archive;
#[path = "contract/archive_rows.rs"]
mod archive_rows;
#[path = "contract/availability.rs"]
mod availability;
#[path = "contract/bounds.rs"]
mod bounds;
#[path = "contract/clock.rs"]
mod clock;
#[path = "contract/concurrency.rs"]
mod concurrency;
#[path = "contract/database.rs"]
mod database;
#[path = "contract/event_log.rs"]
mod event_log;
#[path = "contract/expiry.rs"]
mod expiry;
#[path = "contract/integrity.rs"]
mod integrity;
#[path = "contract/invariants.rs"]
mod invariants;
#[path = "contract/keys.rs"]
mod keys;
#[path = "contract/lists.rs"]
mod lists;
#[path = "contract/locking.rs"]
mod locking;
#[path = "contract/movements.rs"]
mod movements;
#[path = "contract/moving.rs"]
mod moving;
#[path = "contract/order_lines.rs"]
mod order_lines;
#[path = "contract/order_races.rs"]
mod order_races;
#[path = "contract/orders.rs"]
mod orders;
#[path = "contract/outbox.rs"]
mod outbox;
#[path = "contract/pick_lists.rs"]
mod pick_lists;
#[path = "contract/picking.rs"]
mod picking;
#[path = "contract/plans.rs"]
mod plans;
#[path = "contract/postgres_leases.rs"]
mod postgres_leases;
#[path = "contract/postgres_locks.rs"]
mod postgres_locks;
#[path = "contract/postgres_sequencing.rs"]
mod postgres_sequencing;
#[path = "contract/promises.rs"]
mod promises;
#[path = "contract/queries.rs"]
mod queries;
#[path = "contract/relay.rs"]
mod relay;
#[path = "contract/renumbering.rs"]
mod renumbering;
#[path = "contract/round_trips.rs"]
mod round_trips;
#[path = "contract/saving.rs"]
mod saving;
#[path = "contract/schema.rs"]
mod schema;
#[path = "contract/shipment_rows.rs"]
mod shipment_rows;
#[path = "contract/shipments.rs"]
mod shipments;
#[path = "contract/shop.rs"]
mod shop;
#[path = "contract/stock_count_rows.rs"]
mod stock_count_rows;
#[path = "contract/stock_counts.rs"]
mod stock_counts;
#[path = "contract/stock_documents.rs"]
mod stock_documents;
#[path = "contract/units_of_work.rs"]
mod units_of_work;
#[path = "contract/world.rs"]
mod world;

/// Makes a test of each function for a database.
macro_rules! on_database {
    ($database:ident: $module:ident: $($test:ident,)+) => {
        $(#[test] fn $test() { crate::$module::$test(allocation_test_support::TestDatabase::$database()); })+
    };
}

/// Makes a test of each function for each database, in modules named for the databases.
macro_rules! on_both_databases {
    ($($module:ident { $($every:ident,)* } sql { $($sql:ident,)* })+) => {
        mod sqlite {
            $(mod $module {
                on_database!(sqlite: $module: $($every,)* $($sql,)*);
            })+
        }
        mod postgres {
            $(mod $module {
                on_database!(postgres: $module: $($every,)* $($sql,)*);
            })+
        }
    };
}

suite!(on_both_databases);
