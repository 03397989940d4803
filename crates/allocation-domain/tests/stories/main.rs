//! The life cycle of orders and stock, one rule per story.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod adjustments;
mod back_in_stock;
mod backorders;
mod batch_changes;
mod bounds;
mod clocks;
mod closing;
mod counts;
mod fair_promises;
mod holds;
mod moving;
mod names;
mod order_changes;
mod orders;
mod partly_loaded;
mod pick_corrections;
mod pick_lists;
mod picking;
mod receipts;
mod reinstating;
mod returns;
mod ship_complete;
mod shipments;
mod shop;
mod stock;
mod warehouse;
