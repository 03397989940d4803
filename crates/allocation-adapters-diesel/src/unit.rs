//! Units of work.

use crate::any_connection::AnyConnection;
use crate::clock::StoreClock;
use crate::error::commit_error;
use crate::order_row::OrderRow;
use crate::saving::{Decided, RowChanges};
use crate::shut_out::shut_out_before;
use crate::{
    archive, expiry, generation, loading, pick_lists, postgres, reads, sqlite, stock_counts, stock_documents,
    stored_batches,
};
use allocation_domain::{
    BatchReference, CountId, CountScope, DataRequest, NewOrder, NewPickList, Order, OrderId, PickLine, PickLineId,
    PickListId, Product, Sku, StockCount,
};
use allocation_ports::{
    Clock, EventContexts, FoundBatch, LockRequest, OrderRepository, PickListRepository, ProductRepository, StockCounts,
    StockDocument, StockDocumentId, StockDocuments, StoreError, StoredPickList, UnitOfWork,
};
use chrono::{DateTime, Utc};
use diesel::connection::TransactionManager;
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::DerefMut;
use std::sync::Arc;

pub(crate) type Transactions = <AnyConnection as Connection>::TransactionManager;

/// A unit of work that has exclusive use of its connection until it ends.
pub(crate) struct Unit<C: DerefMut<Target = AnyConnection>> {
    connection: C,
    clock: Arc<StoreClock>,
    state: State,
    /// Orders that already have lines of other products, and whose anchors are locked: a new line of such
    /// an order is not its first.
    joined: BTreeSet<OrderId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// A statement failed. The databases treat the transaction differently afterwards (PostgreSQL would
    /// roll back and report the commit as a success), so only a rollback may follow.
    Failed,
    Ended,
}

/// An attempt to save a product that no unit of work has locked.
#[derive(Debug, thiserror::Error)]
#[error("product {0} was saved without a lock")]
struct NotLocked(Sku);

/// Returns the changes of products to write, each with the instant of its decision.
fn changes(products: &[Product]) -> Result<Vec<Decided<'_>>, StoreError> {
    let mut all = Vec::with_capacity(products.len());
    for (product, changes) in products.iter().map(|product| (product, product.changes())) {
        if !changes.is_empty() {
            let Some(lock) = product.lock_time() else {
                return Err(StoreError::Failed(NotLocked(product.sku().clone()).into()));
            };
            all.push(Decided { at: lock.decided_at, changes });
        }
    }
    Ok(all)
}

/// A use of a unit of work after one of its statements failed.
#[derive(Debug, thiserror::Error)]
#[error("the unit of work failed before")]
struct FailedBefore;

impl<C: DerefMut<Target = AnyConnection>> Unit<C> {
    /// Creates a unit of work on a connection whose transaction has begun.
    pub(crate) const fn new(connection: C, clock: Arc<StoreClock>) -> Self {
        Self { connection, clock, state: State::Open, joined: BTreeSet::new() }
    }

    fn run<T>(&mut self, work: impl FnOnce(&mut AnyConnection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.state != State::Open {
            return Err(StoreError::Failed(FailedBefore.into()));
        }
        let result = work(&mut self.connection);
        if result.is_err() {
            self.state = State::Failed;
        }
        result
    }
}

impl<C: DerefMut<Target = AnyConnection>> UnitOfWork for Unit<C> {
    fn products(&mut self) -> &mut dyn ProductRepository {
        self
    }

    fn orders(&mut self) -> &mut dyn OrderRepository {
        self
    }

    fn pick_lists(&mut self) -> &mut dyn PickListRepository {
        self
    }

    fn documents(&mut self) -> &mut dyn StockDocuments {
        self
    }

    fn counts(&mut self) -> &mut dyn StockCounts {
        self
    }

    fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        if self.state != State::Open {
            return Err(StoreError::Failed(FailedBefore.into()));
        }
        // diesel rolls back when the commit fails.
        self.state = State::Ended;
        Transactions::commit_transaction(&mut *self.connection).map_err(commit_error)
    }
}

impl<C: DerefMut<Target = AnyConnection>> Drop for Unit<C> {
    fn drop(&mut self) {
        if self.state != State::Ended
            && let Err(error) = Transactions::rollback_transaction(&mut *self.connection)
        {
            // The connection is broken then, and its lender replaces it.
            tracing::debug!(%error, "a rollback failed");
        }
    }
}

impl<C: DerefMut<Target = AnyConnection>> ProductRepository for Unit<C> {
    fn sku_of(&mut self, reference: &BatchReference) -> Result<Option<Sku>, StoreError> {
        self.run(|connection| stored_batches::sku_of(connection, reference))
    }

    fn skus_of_batches(&mut self, references: &[BatchReference]) -> Result<BTreeMap<BatchReference, Sku>, StoreError> {
        self.run(|connection| stored_batches::skus_of(connection, references))
    }

    fn find_batch(&mut self, reference: &BatchReference) -> Result<Option<FoundBatch>, StoreError> {
        self.run(|connection| stored_batches::find_batch(connection, reference))
    }

    fn lock(&mut self, wanted: &[LockRequest]) -> Result<Vec<Product>, StoreError> {
        let clock = Arc::clone(&self.clock);
        let (products, joined) = self.run(|connection| match connection {
            // The transaction already has the lock of the whole file.
            AnyConnection::Sqlite(connection) => {
                Ok((sqlite::lock(connection, wanted, clock.now().timestamp_micros())?, BTreeSet::new()))
            }
            AnyConnection::Postgres(connection) => postgres::lock(connection, wanted, clock.stopped_at()),
        })?;
        self.joined.extend(joined);
        Ok(products)
    }

    fn locked_by_others(&mut self, skus: &[Sku]) -> Result<Vec<Sku>, StoreError> {
        self.run(|connection| match connection {
            // A unit of work has the whole file to itself.
            AnyConnection::Sqlite(_) => Ok(Vec::new()),
            AnyConnection::Postgres(connection) => postgres::locked_by_others(connection, skus),
        })
    }

    fn load(&mut self, product: &mut Product, needed: &DataRequest) -> Result<(), StoreError> {
        self.run(|connection| loading::load(connection, product, needed))
    }

    fn with_expired_holds(&mut self, now: DateTime<Utc>, most: u16) -> Result<Vec<Sku>, StoreError> {
        self.run(|connection| expiry::products(connection, now, most))
    }

    fn save(&mut self, products: &[Product], contexts: &EventContexts) -> Result<(), StoreError> {
        let joined = std::mem::take(&mut self.joined);
        let saved = self.run(|connection| {
            let changes = changes(products)?;
            let rows = RowChanges::new(&changes, contexts, &joined)?;
            match connection {
                AnyConnection::Sqlite(connection) => sqlite::save(connection, &rows),
                AnyConnection::Postgres(connection) => postgres::save(connection, &rows),
            }
        });
        self.joined = joined;
        saved
    }
}

impl<C: DerefMut<Target = AnyConnection>> OrderRepository for Unit<C> {
    fn find(&mut self, order_ids: &[OrderId]) -> Result<Vec<NewOrder>, StoreError> {
        self.run(|connection| match connection {
            AnyConnection::Sqlite(connection) => sqlite::find_orders(connection, order_ids),
            AnyConnection::Postgres(connection) => postgres::find_orders(connection, order_ids),
        })
    }

    fn with_lines(&mut self, order_ids: &[OrderId]) -> Result<Vec<OrderId>, StoreError> {
        self.run(|connection| match connection {
            AnyConnection::Sqlite(connection) => sqlite::orders_with_lines(connection, order_ids),
            AnyConnection::Postgres(connection) => postgres::orders_with_lines(connection, order_ids),
        })
    }

    fn skus_of(&mut self, order_id: &OrderId) -> Result<Vec<Sku>, StoreError> {
        self.run(|connection| reads::skus_of(connection, order_id))
    }

    fn load(&mut self, order_id: &OrderId) -> Result<Option<Order>, StoreError> {
        self.run(|connection| reads::order(connection, order_id))
    }

    fn lock_lines(&mut self, order_id: &OrderId, skus: &[Sku]) -> Result<(), StoreError> {
        self.run(|connection| match connection {
            // The unit of work is the only writer, so the SKUs are still the ones that it read.
            AnyConnection::Sqlite(_) => Ok(()),
            AnyConnection::Postgres(connection) => postgres::lock_lines(connection, order_id, skus),
        })?;
        self.joined.insert(order_id.clone());
        Ok(())
    }

    fn add(&mut self, orders: &[NewOrder], at: DateTime<Utc>) -> Result<(), StoreError> {
        self.run(|connection| {
            let orders = orders.iter().map(OrderRow::of).collect::<Result<Vec<_>, _>>()?;
            match connection {
                AnyConnection::Sqlite(connection) => sqlite::add_orders(connection, &orders, at.timestamp_micros()),
                AnyConnection::Postgres(connection) => postgres::add_orders(connection, &orders, at.timestamp_micros()),
            }
        })
    }

    fn prepare_archive(&mut self, now: DateTime<Utc>, limit: u16) -> Result<usize, StoreError> {
        self.run(|connection| archive::prepare(connection, now, limit))
    }

    fn archive(&mut self, orders: &[(OrderId, Vec<Sku>)]) -> Result<u64, StoreError> {
        self.run(|connection| archive::archive(connection, orders))
    }
}

impl<C: DerefMut<Target = AnyConnection>> PickListRepository for Unit<C> {
    fn find(&mut self, list_id: &PickListId) -> Result<Option<StoredPickList>, StoreError> {
        self.run(|connection| reads::pick_list(connection, list_id))
    }

    fn find_lines(&mut self, ids: &[PickLineId]) -> Result<BTreeMap<PickLineId, PickLine>, StoreError> {
        self.run(|connection| reads::find_pick_lines(connection, ids))
    }

    fn request(&mut self, list_id: &PickListId) -> Result<Option<NewPickList>, StoreError> {
        self.run(|connection| pick_lists::request(connection, list_id))
    }

    fn add(&mut self, list: &NewPickList, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.run(|connection| pick_lists::add(connection, list, at))
    }
}

impl<C: DerefMut<Target = AnyConnection>> StockDocuments for Unit<C> {
    fn find(&mut self, id: &StockDocumentId) -> Result<Option<StockDocument>, StoreError> {
        self.run(|connection| stock_documents::find(connection, id))
    }

    fn add(&mut self, document: &StockDocument) -> Result<(), StoreError> {
        self.run(|connection| stock_documents::add(connection, document))
    }

    fn prepare_returns(&mut self) -> Result<(), StoreError> {
        self.run(|connection| shut_out_before(connection, generation::KEEPS_RETURNS))
    }
}

impl<C: DerefMut<Target = AnyConnection>> StockCounts for Unit<C> {
    fn countable(&mut self, scope: &CountScope, limit: usize) -> Result<Vec<(Sku, BatchReference)>, StoreError> {
        self.run(|connection| stock_counts::countable(connection, scope, limit))
    }

    fn counted(&mut self, references: &[BatchReference]) -> Result<Option<(BatchReference, CountId)>, StoreError> {
        self.run(|connection| stock_counts::counted(connection, references))
    }

    fn find(&mut self, count_id: &CountId) -> Result<Option<StockCount>, StoreError> {
        self.run(|connection| stock_counts::find(connection, count_id))
    }

    fn lock(&mut self, count_id: &CountId) -> Result<Option<StockCount>, StoreError> {
        self.run(|connection| stock_counts::lock(connection, count_id))
    }

    fn add(&mut self, count: &StockCount) -> Result<(), StoreError> {
        self.run(|connection| stock_counts::add(connection, count))
    }

    fn save(&mut self, count: &StockCount) -> Result<(), StoreError> {
        self.run(|connection| stock_counts::save(connection, count))
    }

    fn remove(&mut self, count_id: &CountId) -> Result<(), StoreError> {
        self.run(|connection| stock_counts::remove(connection, count_id))
    }
}
