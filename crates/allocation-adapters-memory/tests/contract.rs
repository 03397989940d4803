//! The contract suite in memory: the tests of the suite for SQL databases that run no SQL of their own.
//!
//! Both crates compile the same tests, each with its own `database`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(unreachable_pub, reason = "a test's modules have no public")]
#![expect(dead_code, reason = "tests and words of the suite that need SQL are left out")]

#[macro_use]
#[path = "../../allocation-adapters-diesel/tests/contract/suite.rs"]
mod suite;

/// Makes a test of each function that needs no SQL.
macro_rules! in_memory {
    ($($module:ident { $($every:ident,)* } sql { $($sql:ident,)* })+) => {
        mod memory {
            $(mod $module {
                $(#[test] fn $every() { crate::$module::$every(crate::database::TestDatabase::memory()); })*
            })+
        }
    };
}

#[path = "../../allocation-adapters-diesel/tests/contract/archive.rs"]
mod archive;
#[path = "../../allocation-adapters-diesel/tests/contract/concurrency.rs"]
mod concurrency;
#[path = "contract/database.rs"]
mod database;
#[path = "../../allocation-adapters-diesel/tests/contract/event_log.rs"]
mod event_log;
#[path = "../../allocation-adapters-diesel/tests/contract/expiry.rs"]
mod expiry;
#[path = "../../allocation-adapters-diesel/tests/contract/keys.rs"]
mod keys;
#[path = "../../allocation-adapters-diesel/tests/contract/lists.rs"]
mod lists;
#[path = "../../allocation-adapters-diesel/tests/contract/locking.rs"]
mod locking;
#[path = "../../allocation-adapters-diesel/tests/contract/order_lines.rs"]
mod order_lines;
#[path = "../../allocation-adapters-diesel/tests/contract/orders.rs"]
mod orders;
#[path = "../../allocation-adapters-diesel/tests/contract/pick_lists.rs"]
mod pick_lists;
#[path = "../../allocation-adapters-diesel/tests/contract/picking.rs"]
mod picking;
#[path = "../../allocation-adapters-diesel/tests/contract/promises.rs"]
mod promises;
#[path = "../../allocation-adapters-diesel/tests/contract/queries.rs"]
mod queries;
#[path = "../../allocation-adapters-diesel/tests/contract/relay.rs"]
mod relay;
#[path = "../../allocation-adapters-diesel/tests/contract/round_trips.rs"]
mod round_trips;
#[path = "../../allocation-adapters-diesel/tests/contract/saving.rs"]
mod saving;
#[path = "../../allocation-adapters-diesel/tests/contract/shipments.rs"]
mod shipments;
#[path = "../../allocation-adapters-diesel/tests/contract/shop.rs"]
mod shop;
#[path = "../../allocation-adapters-diesel/tests/contract/stock_counts.rs"]
mod stock_counts;
#[path = "../../allocation-adapters-diesel/tests/contract/stock_documents.rs"]
mod stock_documents;
#[path = "../../allocation-adapters-diesel/tests/contract/units_of_work.rs"]
mod units_of_work;
#[path = "../../allocation-adapters-diesel/tests/contract/world.rs"]
mod world;

suite!(in_memory);
