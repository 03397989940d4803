//! Mocks of every port, made by [mockall](https://docs.rs/mockall).

pub use crate::clock::MockClock;
pub use crate::command_effects::MockCommandEffects;
pub use crate::engine_metrics::MockEngineMetrics;
pub use crate::event_log::MockEventLog;
pub use crate::event_publisher::{MockEventPublisher, MockPendingConfirms};
pub use crate::leases::MockLeases;
pub use crate::log_keeper::MockLogSequencer;
pub use crate::order_repository::MockOrderRepository;
pub use crate::pick_list_repository::MockPickListRepository;
pub use crate::product_repository::MockProductRepository;
pub use crate::queries::MockQueries;
pub use crate::readiness::{MockDatabaseProbe, MockReadiness};
pub use crate::relay_store::MockRelayStore;
pub use crate::unit_of_work::MockUnitOfWorkFactory;

use crate::{OrderRepository, PickListRepository, ProductRepository, StoreError, UnitOfWork};

/// A unit of work over mocked repositories with a fixed commit outcome.
///
/// [`MockUnitOfWork::never_committed`] makes a unit that is to be rolled back.
pub struct MockUnitOfWork {
    products: MockProductRepository,
    orders: MockOrderRepository,
    pick_lists: MockPickListRepository,
    commit: Option<Result<(), StoreError>>,
}

impl MockUnitOfWork {
    fn of(products: MockProductRepository, commit: Option<Result<(), StoreError>>) -> Self {
        Self { products, orders: MockOrderRepository::new(), pick_lists: MockPickListRepository::new(), commit }
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
