//! Queries that run unchanged on both databases.
//!
//! Names are never empty, so the empty string sorts before all of them. A list from the start is a list
//! after the empty string.

pub(crate) mod allocations;
pub(crate) mod availability;
pub(crate) mod backorders;
pub(crate) mod batches;
pub(crate) mod blocks;
pub(crate) mod candidates;
pub(crate) mod completed;
mod effects;
pub(crate) mod events;

pub(crate) mod history;
pub(crate) mod load_until_decided;
pub(crate) mod movements;
pub(crate) mod orders;
pub(crate) mod pick_lists;
pub(crate) mod pickable;
pub(crate) mod shipments;
pub(crate) mod totals;

pub(crate) use allocations::allocations;
pub(crate) use availability::availability;
pub(crate) use backorders::backorders;
pub(crate) use batches::{batch_at, batches, overdue_batches};
pub(crate) use completed::completed_orders;
pub(crate) use effects::caused_by;
pub(crate) use events::{events, log_bounds, to_retry};
pub(crate) use history::history;
pub(crate) use movements::movements;
pub(crate) use orders::{order, orders, skus_of};
pub(crate) use pick_lists::{find_pick_lines, pick_list, pick_lists};
pub(crate) use pickable::pickable;
pub(crate) use shipments::shipments;
pub(crate) use totals::{product, products};

/// The name after which a list from the start begins.
const FIRST: &str = "";
