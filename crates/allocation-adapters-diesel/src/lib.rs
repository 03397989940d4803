//! SQLite and PostgreSQL adapters for the ports of the Allocation Service.
//!
//! [`Store`] implements every port that needs a database. Lists, and everything around units of work, share
//! one implementation. Locking, loading and saving products is the hot path, so each database has its own.
//! On PostgreSQL, where a round trip is expensive, statements work on sets of rows. On SQLite, where a call
//! costs almost nothing, they work row by row.
#![warn(missing_docs)]

mod any_connection;
mod archive;
mod archived_row;
mod backup;
mod backup_error;
mod batch_row;
mod block_row;
mod claim;
mod clock;
mod clock_watch;
mod columns;
mod connect_error;
mod database_url;
mod diagnosis;
mod error;
mod event_block;
mod expiry;
mod fitting;
mod flags;
mod generation;
mod inspection;
mod key_row;
mod keys;
mod line_row;
mod loading;
mod migrating;
mod migrations;
mod moving;
mod order_row;
mod parked_row;
mod part_row;
mod pick_line_row;
mod pick_lists;
mod planner;
mod postgres;
mod product_row;
mod queue;
mod reads;
mod relaying;
mod renumbering;
mod row;
mod saving;
mod sequencing;
mod shipments;
mod shut_out;
mod sqlite;
mod statement;
mod stock_counts;
mod stock_documents;
mod store;
mod stored_batches;
mod transaction;
mod unit;

pub use backup::restore;
pub use backup_error::BackupError;
pub use clock::StoreClock;
pub use clock_watch::ClockWatch;
pub use connect_error::ConnectError;
pub use database_url::{DatabaseUrl, DatabaseUrlError, PostgresUrl};
pub use diagnosis::Diagnosis;
pub use inspection::{Finding, Inspection, Mended};
pub use migrating::MigrateError;
pub use migrations::{MigrationStatus, Migrations};
pub use store::{Dialect, Store};
