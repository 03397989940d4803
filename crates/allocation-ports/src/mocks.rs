//! Mocks of every port, made by [mockall](https://docs.rs/mockall).

pub use crate::clock::MockClock;
pub use crate::command_effects::MockCommandEffects;
pub use crate::event_log::MockEventLog;
pub use crate::event_publisher::{MockEventPublisher, MockPendingConfirms};
pub use crate::key_store::MockKeyStore;
pub use crate::leases::MockLeases;
pub use crate::log_sequencer::MockLogSequencer;
pub use crate::order_repository::MockOrderRepository;
pub use crate::pick_list_repository::MockPickListRepository;
pub use crate::product_repository::MockProductRepository;
pub use crate::readiness::{MockDatabaseProbe, MockReadiness};
pub use crate::relay_store::MockRelayStore;
pub use crate::stock_counts::MockStockCounts;
pub use crate::stock_documents::MockStockDocuments;
pub use crate::store_monitor::MockStoreMonitor;
pub use crate::token_key_source::MockTokenKeySource;
pub use crate::unit_of_work::MockUnitOfWorkFactory;

use crate::{
    AllocationCursor, AllocationFilter, AllocationQueries, AllocationRow, Backorder, BackorderCursor, BackorderFilter,
    BackorderQueries, BatchCursor, BatchFilter, BatchQueries, CompletedOrders, CompletedPage, CompletionCursor,
    CountPage, CountQueries, EventCursor, HistoryQueries, MovementPage, MovingBatches, OrderFilter, OrderPage,
    OrderQueries, OrderRepository, OverdueCursor, PageSize, PickCandidates, PickListFilter, PickListPage,
    PickListQueries, PickListRepository, PickableLines, ProductQueries, ProductRepository, ProductTotals,
    RecordedEvent, ShipmentPage, ShipmentQueries, ShipmentRecord, StockCounts, StockDocuments, StoreError,
    StoredPickList, Subject, UnitOfWork,
};
use allocation_domain::{
    Availability, Batch, BatchReference, CountId, FirstToLeave, Order, OrderId, PickCriteria, PickListId, ShipmentId,
    Sku, StockCount,
};
use chrono::{DateTime, NaiveDate, Utc};

mockall::mock! {
    /// All lock-free reads: the ports that [`Queries`](crate::Queries) unites.
    pub Queries {}

    impl BatchQueries for Queries {
        fn batch(&self, reference: &BatchReference, now: DateTime<Utc>) -> Result<Option<Batch>, StoreError>;
        fn batches(
            &self,
            filter: &BatchFilter,
            after: Option<BatchCursor>,
            page: PageSize,
            now: DateTime<Utc>,
        ) -> Result<Vec<Batch>, StoreError>;
        fn overdue_batches(
            &self,
            filter: &BatchFilter,
            today: NaiveDate,
            after: Option<OverdueCursor>,
            page: PageSize,
            now: DateTime<Utc>,
        ) -> Result<Vec<Batch>, StoreError>;
    }

    impl AllocationQueries for Queries {
        fn allocations(
            &self,
            filter: &AllocationFilter,
            after: Option<AllocationCursor>,
            page: PageSize,
            now: DateTime<Utc>,
        ) -> Result<Vec<AllocationRow>, StoreError>;
    }

    impl OrderQueries for Queries {
        fn order(&self, order_id: &OrderId) -> Result<Option<Order>, StoreError>;
        fn orders(
            &self,
            filter: &OrderFilter,
            after: Option<OrderId>,
            page: PageSize,
            now: DateTime<Utc>,
        ) -> Result<OrderPage, StoreError>;
    }

    impl BackorderQueries for Queries {
        fn backorders(
            &self,
            filter: &BackorderFilter,
            after: Option<BackorderCursor>,
            page: PageSize,
            now: DateTime<Utc>,
        ) -> Result<Vec<Backorder>, StoreError>;
    }

    impl ProductQueries for Queries {
        fn product(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<ProductTotals>, StoreError>;
        fn products(
            &self,
            after: Option<Sku>,
            page: PageSize,
            now: DateTime<Utc>,
        ) -> Result<Vec<ProductTotals>, StoreError>;
        fn availability(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<Availability>, StoreError>;
    }

    impl HistoryQueries for Queries {
        fn history(
            &self,
            subject: &Subject,
            after: Option<EventCursor>,
            page: PageSize,
        ) -> Result<Vec<RecordedEvent>, StoreError>;
        fn movements(&self, sku: &Sku, after: u64, page: PageSize) -> Result<MovementPage, StoreError>;
    }

    impl PickListQueries for Queries {
        fn pick_list(&self, list_id: &PickListId) -> Result<Option<StoredPickList>, StoreError>;
        fn pick_lists(
            &self,
            filter: &PickListFilter,
            after: Option<PickListId>,
            page: PageSize,
        ) -> Result<PickListPage, StoreError>;
    }

    impl CountQueries for Queries {
        fn count(&self, count_id: &CountId) -> Result<Option<StockCount>, StoreError>;
        fn counts(&self, after: Option<CountId>, page: PageSize) -> Result<CountPage, StoreError>;
    }

    impl ShipmentQueries for Queries {
        fn shipment(&self, shipment_id: &ShipmentId) -> Result<Option<ShipmentRecord>, StoreError>;
        fn shipments<'a>(
            &self,
            of_order: Option<&'a OrderId>,
            after: Option<ShipmentId>,
            page: PageSize,
        ) -> Result<ShipmentPage, StoreError>;
    }

    impl PickCandidates for Queries {
        fn pickable(&self, criteria: &PickCriteria, limit: usize) -> Result<PickableLines, StoreError>;
    }

    impl CompletedOrders for Queries {
        fn completed_orders<'a>(
            &self,
            until: DateTime<Utc>,
            after: Option<&'a CompletionCursor>,
            limit: u16,
        ) -> Result<CompletedPage, StoreError>;
    }

    impl MovingBatches for Queries {
        fn moving_batches(
            &self,
            after: Option<(Sku, BatchReference)>,
            limit: u16,
        ) -> Result<Vec<(Sku, BatchReference)>, StoreError>;
        fn first_to_leave(&self, reference: &BatchReference, units: u32) -> Result<Option<FirstToLeave>, StoreError>;
    }
}

/// A unit of work over mocked repositories with a fixed commit outcome.
///
/// [`MockUnitOfWork::never_committed`] makes a unit that is to be rolled back.
pub struct MockUnitOfWork {
    products: MockProductRepository,
    orders: MockOrderRepository,
    pick_lists: MockPickListRepository,
    documents: MockStockDocuments,
    counts: MockStockCounts,
    commit: Option<Result<(), StoreError>>,
}

impl MockUnitOfWork {
    fn of(products: MockProductRepository, commit: Option<Result<(), StoreError>>) -> Self {
        let (orders, pick_lists) = (MockOrderRepository::new(), MockPickListRepository::new());
        let (documents, counts) = (MockStockDocuments::new(), MockStockCounts::new());
        Self { products, orders, pick_lists, documents, counts, commit }
    }

    /// Returns a unit whose commit returns `outcome`; dropping it without a commit fails the test.
    #[must_use]
    pub fn committed(products: MockProductRepository, outcome: Result<(), StoreError>) -> Self {
        Self::of(products, Some(outcome))
    }

    /// Returns a unit whose commit fails the test.
    #[must_use]
    pub fn never_committed(products: MockProductRepository) -> Self {
        Self::of(products, None)
    }

    /// Replaces the orders.
    #[must_use]
    pub fn with_orders(mut self, orders: MockOrderRepository) -> Self {
        self.orders = orders;
        self
    }

    /// Replaces the pick lists.
    #[must_use]
    pub fn with_pick_lists(mut self, pick_lists: MockPickListRepository) -> Self {
        self.pick_lists = pick_lists;
        self
    }

    /// Replaces the documents.
    #[must_use]
    pub fn with_documents(mut self, documents: MockStockDocuments) -> Self {
        self.documents = documents;
        self
    }

    /// Replaces the counts.
    #[must_use]
    pub fn with_counts(mut self, counts: MockStockCounts) -> Self {
        self.counts = counts;
        self
    }
}

impl UnitOfWork for MockUnitOfWork {
    fn products(&mut self) -> &mut dyn ProductRepository {
        &mut self.products
    }

    fn orders(&mut self) -> &mut dyn OrderRepository {
        &mut self.orders
    }

    fn pick_lists(&mut self) -> &mut dyn PickListRepository {
        &mut self.pick_lists
    }

    fn documents(&mut self) -> &mut dyn StockDocuments {
        &mut self.documents
    }

    fn counts(&mut self) -> &mut dyn StockCounts {
        &mut self.counts
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        match self.commit.take() {
            Some(outcome) => outcome,
            None => panic!("this unit of work was not to be committed"),
        }
    }
}

impl Drop for MockUnitOfWork {
    fn drop(&mut self) {
        assert!(self.commit.is_none() || std::thread::panicking(), "this unit of work was to be committed");
    }
}
