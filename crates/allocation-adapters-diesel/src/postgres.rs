//! Code specific to PostgreSQL.

mod archive;
mod deadline;
mod lines;
mod locking;
mod orders;
mod pick_lines;
mod pooling;
mod relaying;
mod saving;
pub(crate) mod sequencing;
mod session;
pub(crate) mod statements;

pub(crate) use archive::archive;
pub(crate) use deadline::{Silence, Use};
pub(crate) use lines::{lines, order_lines};
#[cfg(test)]
pub(crate) use locking::LoadColumns;
pub(crate) use locking::{lock, locked_by_others};
pub(crate) use orders::{add_orders, find_orders, lock_lines, orders_with_lines};
pub(crate) use pick_lines::load_pick_lines;
pub(crate) use pooling::check_pooling;
pub(crate) use relaying::{record, retry};
pub(crate) use saving::save;
pub(crate) use sequencing::{NOW, SEGMENT, bucket_of, prune, retention_time, sequence, take, vacuum};
pub(crate) use session::{migrate, open, open_for_migrations};
