//! The lock-free reads of a store.

use super::Store;
use crate::{moving, reads, shipments, stock_counts};
use allocation_domain::{
    Availability, Batch, BatchReference, CountId, FirstToLeave, Order, OrderId, PickCriteria, PickListId, ShipmentId,
    Sku, StockCount,
};
use allocation_ports::{
    AllocationCursor, AllocationFilter, AllocationQueries, AllocationRow, Backorder, BackorderCursor, BackorderFilter,
    BackorderQueries, BatchCursor, BatchFilter, BatchQueries, CompletedOrders, CompletedPage, CompletionCursor,
    CountPage, CountQueries, EventCursor, HistoryQueries, MovementPage, MovingBatches, OrderFilter, OrderPage,
    OrderQueries, OverdueCursor, PageSize, PickCandidates, PickListFilter, PickListPage, PickListQueries,
    PickableLines, ProductQueries, ProductTotals, RecordedEvent, ShipmentPage, ShipmentQueries, ShipmentRecord,
    StoreError, StoredPickList, Subject,
};
use chrono::{DateTime, NaiveDate, Utc};

impl BatchQueries for Store {
    fn batch(&self, reference: &BatchReference, now: DateTime<Utc>) -> Result<Option<Batch>, StoreError> {
        self.read(|connection| reads::batch_at(connection, reference, now))
    }

    fn batches(
        &self,
        filter: &BatchFilter,
        after: Option<BatchCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<Batch>, StoreError> {
        self.read(|connection| reads::batches(connection, filter, after.as_ref(), page, now))
    }

    fn overdue_batches(
        &self,
        filter: &BatchFilter,
        today: NaiveDate,
        after: Option<OverdueCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<Batch>, StoreError> {
        self.read(|connection| reads::overdue_batches(connection, filter, today, after.as_ref(), page, now))
    }
}

impl AllocationQueries for Store {
    fn allocations(
        &self,
        filter: &AllocationFilter,
        after: Option<AllocationCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<AllocationRow>, StoreError> {
        self.read(|connection| reads::allocations(connection, filter, after.as_ref(), page, now))
    }
}

impl OrderQueries for Store {
    fn order(&self, order_id: &OrderId) -> Result<Option<Order>, StoreError> {
        self.read(|connection| reads::order(connection, order_id))
    }

    fn orders(
        &self,
        filter: &OrderFilter,
        after: Option<OrderId>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<OrderPage, StoreError> {
        self.read_snapshot(|connection| reads::orders(connection, filter, after.as_ref(), page, now))
    }
}

impl BackorderQueries for Store {
    fn backorders(
        &self,
        filter: &BackorderFilter,
        after: Option<BackorderCursor>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<Backorder>, StoreError> {
        self.read_snapshot(|connection| reads::backorders(connection, filter, after.as_ref(), page, now))
    }
}

impl ProductQueries for Store {
    fn product(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<ProductTotals>, StoreError> {
        self.read_snapshot(|connection| reads::product(connection, sku, now))
    }

    fn products(
        &self,
        after: Option<Sku>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<ProductTotals>, StoreError> {
        self.read_snapshot(|connection| reads::products(connection, after.as_ref(), page, now))
    }

    fn availability(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<Availability>, StoreError> {
        self.read_snapshot(|connection| reads::availability(connection, sku, now))
    }
}

impl HistoryQueries for Store {
    fn history(
        &self,
        subject: &Subject,
        after: Option<EventCursor>,
        page: PageSize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.read_snapshot(|connection| reads::history(connection, subject, after.as_ref(), page))
    }

    fn movements(&self, sku: &Sku, after: u64, page: PageSize) -> Result<MovementPage, StoreError> {
        self.read_snapshot(|connection| reads::movements(connection, sku, after, page))
    }
}

impl PickListQueries for Store {
    fn pick_list(&self, list_id: &PickListId) -> Result<Option<StoredPickList>, StoreError> {
        self.read_snapshot(|connection| reads::pick_list(connection, list_id))
    }

    fn pick_lists(
        &self,
        filter: &PickListFilter,
        after: Option<PickListId>,
        page: PageSize,
    ) -> Result<PickListPage, StoreError> {
        self.read_snapshot(|connection| reads::pick_lists(connection, filter, after.as_ref(), page))
    }
}

impl ShipmentQueries for Store {
    fn shipment(&self, shipment_id: &ShipmentId) -> Result<Option<ShipmentRecord>, StoreError> {
        self.read_snapshot(|connection| Ok(shipments::find(connection, shipment_id)?.map(ShipmentRecord::from)))
    }

    fn shipments(
        &self,
        of_order: Option<&OrderId>,
        after: Option<ShipmentId>,
        page: PageSize,
    ) -> Result<ShipmentPage, StoreError> {
        self.read(|connection| reads::shipments(connection, of_order, after.as_ref(), page))
    }
}

impl CountQueries for Store {
    fn count(&self, count_id: &CountId) -> Result<Option<StockCount>, StoreError> {
        self.read(|connection| stock_counts::find(connection, count_id))
    }

    fn counts(&self, after: Option<CountId>, page: PageSize) -> Result<CountPage, StoreError> {
        self.read(|connection| stock_counts::list(connection, after.as_ref(), page))
    }
}

impl PickCandidates for Store {
    fn pickable(&self, criteria: &PickCriteria, most: usize) -> Result<PickableLines, StoreError> {
        self.read(|connection| reads::pickable(connection, criteria, most))
    }
}

impl CompletedOrders for Store {
    fn completed_orders(
        &self,
        until: DateTime<Utc>,
        after: Option<&CompletionCursor>,
        limit: u16,
    ) -> Result<CompletedPage, StoreError> {
        self.read(|connection| reads::completed_orders(connection, until, after, limit))
    }
}

impl MovingBatches for Store {
    fn moving_batches(
        &self,
        after: Option<(Sku, BatchReference)>,
        most: u16,
    ) -> Result<Vec<(Sku, BatchReference)>, StoreError> {
        self.read(|connection| moving::batches(connection, after.as_ref(), most))
    }

    fn first_to_leave(&self, reference: &BatchReference, units: u32) -> Result<Option<FirstToLeave>, StoreError> {
        self.read(|connection| moving::first_to_leave(connection, reference, units))
    }
}
