#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod database;
mod event_log;
mod faults;
mod keys;
mod leases;
mod locks;
mod product_rows;
mod queries;
mod relay;
mod scheduler;
mod store;
mod unit;

#[cfg(feature = "faults")]
pub use faults::Faults;
pub use scheduler::{Scheduler, Threads};
pub use store::{MemoryStore, WallClock};
