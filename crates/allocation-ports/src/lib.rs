//! What the use cases of the Allocation Service call, and adapters implement.
//!
//! The words MUST and MUST NOT bind adapters; the contract suite in `allocation-adapters-diesel`
//! checks them on every database.
#![warn(missing_docs)]

mod clock;
mod engine_metrics;
#[cfg(feature = "mocks")]
pub mod mocks;
mod order_repository;
mod pick_list_repository;
mod product_repository;
mod queries;
mod readiness;
mod store_error;
mod unit_of_work;

pub use clock::Clock;
pub use engine_metrics::{EngineMetrics, GroupMeasure};
pub use order_repository::{OrderEnd, OrderRepository};
pub use pick_list_repository::{PickListRepository, StoredPickList};
pub use product_repository::{FoundBatch, ProductRepository, Wanted};
pub use queries::{
    AllocationCursor, AllocationFilter, AllocationRow, Backorder, BackorderCursor, BackorderFilter, BatchCursor,
    BatchFilter, EventCursor, OrderFilter, OrderPage, PageSize, PickListCounts, PickListFilter, PickListPage,
    PickListSummary, ProductTotals, Queries, RecordedEvent,
};
pub use readiness::{Readiness, SchemaState};
pub use store_error::StoreError;
pub use unit_of_work::{LockWait, UnitOfWork, UnitOfWorkFactory};
