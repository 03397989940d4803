//! The ports of the Allocation Service: the traits that its use cases call and its adapters implement.
//!
//! The words MUST and MUST NOT bind adapters; the contract suite in `allocation-adapters-diesel` checks
//! them on every database.
#![warn(missing_docs)]

mod clock;
mod command_effects;
mod completed_orders;
mod event_context;
mod event_log;
mod event_publisher;
mod key_store;
mod leases;
mod loading;
mod log_sequencer;
#[cfg(feature = "mocks")]
pub mod mocks;
mod moving_batches;
mod order_repository;
mod page_size;
mod pick_candidates;
mod pick_list_repository;
mod product_repository;
mod queries;
mod readiness;
mod relay_store;
mod span;
mod stock_counts;
mod stock_documents;
mod store_error;
mod store_monitor;
mod token_key_source;
mod trace_parent;
mod unit_of_work;

pub use allocation_access::{Actor, BrokerUser};
pub use clock::Clock;
pub use command_effects::CommandEffects;
pub use completed_orders::{CompletedOrders, CompletedPage, CompletionCursor};
pub use event_context::{CausationId, EventContext, EventContexts};
pub use event_log::{EventFilter, EventLog, EventPage, LogBounds, LoggedEvent, ReadLogError, Subject, SubjectError};
pub use event_publisher::{BrokerUnavailable, Delivery, EventPublisher, PendingConfirms, PublishStatus};
pub use key_store::{KeyStore, MAX_KEYS, StoredKeys};
pub use leases::{Lease, Leases};
pub use loading::{Loaded, MAX_LOADS, load_until_decided};
pub use log_sequencer::{LogSequencer, RetentionTime, SequenceError, Sequenced};
pub use moving_batches::MovingBatches;
pub use order_repository::OrderRepository;
pub use page_size::PageSize;
pub use pick_candidates::{PickCandidates, PickableLines};
pub use pick_list_repository::{PickListRepository, StoredPickList};
pub use product_repository::{FoundBatch, LockRequest, ProductRepository};
pub use queries::{
    AllocationCursor, AllocationFilter, AllocationQueries, AllocationRow, Backorder, BackorderCursor, BackorderFilter,
    BackorderQueries, BatchCursor, BatchFilter, BatchQueries, CountPage, CountQueries, CountSummary, EventCursor,
    HistoryQueries, MovementPage, OrderFilter, OrderPage, OrderQueries, OverdueCursor, PickListCounts, PickListFilter,
    PickListPage, PickListQueries, PickListSummary, ProductQueries, ProductTotals, Queries, RecordedEvent,
    ShipmentPage, ShipmentQueries, ShipmentRecord,
};
pub use readiness::{
    Access, DatabaseProbe, FailedCheck, MAX_CLOCK_DIFFERENCE, Probed, Readiness, ReplicationLag, SchemaState,
};
pub use relay_store::{ParkedEvent, RecordError, RelayProgress, RelayStore};
pub use span::{AttributeValue, Span, SpanAttribute, SpanIds, SpanKind, SpanLink, SpanSink};
pub use stock_counts::StockCounts;
pub use stock_documents::{Recorded, RecordedShipment, StockDocument, StockDocumentId, StockDocuments};
pub use store_error::{ProgramTooOld, StoreError};
pub use store_monitor::{BrokenInvariant, ConnectionUsage, EventBacklog, InvariantCheck, StoreMonitor};
pub use token_key_source::{TokenKeySource, TokenKeysUnavailable};
pub use trace_parent::TraceParent;
pub use unit_of_work::{LockWait, UnitOfWork, UnitOfWorkFactory};
