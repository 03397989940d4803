//! The real program on a free port, over HTTP, on every database.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod abandoned;
mod age;
mod allocations;
mod backorders;
mod bad_input;
mod batch_changes;
mod batches;
mod bounds;
mod browsers;
mod bulk;
mod chaos;
mod clocks;
mod command_line;
mod concurrency;
mod connections;
mod crash;
mod docs;
mod events;
mod failures;
mod generation;
mod held_products;
mod history;
mod holds;
mod invariants;
mod lifecycle;
mod logging;
mod memory;
mod moving;
mod orders;
mod outages;
mod paging;
mod pick_lists;
mod products;
mod promises;
mod rabbitmq;
mod readme;
mod secrets;
mod service;
mod small_disk;
mod stopping;
mod stress;
mod support;
