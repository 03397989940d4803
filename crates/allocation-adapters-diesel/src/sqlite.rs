//! Code specific to SQLite.

mod archive;
mod execution;
mod file;
mod locking;
mod orders;
mod pick_lines;
mod relaying;
mod rights;
mod saving;
pub(crate) mod sequencing;
mod session;
mod statements;

pub(crate) use archive::archive;
pub(crate) use file::DatabaseFile;
pub(crate) use locking::{lines, lock};
pub(crate) use orders::{add_orders, find_orders, order_lines, orders_with_lines};
pub(crate) use pick_lines::load_pick_lines;
pub(crate) use relaying::{record, retry};
pub(crate) use rights::missing_rights;
pub(crate) use saving::save;
pub(crate) use sequencing::{is_taken, prune, retention_time, sequence, take};
pub(crate) use session::{
    create_and_open_writer, create_private, migrate, open_for_migrations, open_read_only, open_reader,
    open_without_traces, open_writer, plain,
};
