//! Mocks of every port, made by [mockall](https://docs.rs/mockall).

pub use crate::clock::MockClock;
pub use crate::engine_metrics::MockEngineMetrics;
pub use crate::product_repository::MockProductRepository;
pub use crate::queries::MockQueries;
pub use crate::readiness::MockReadiness;
pub use crate::unit_of_work::MockUnitOfWorkFactory;

use crate::{ProductRepository, StoreError, UnitOfWork};

/// A unit of work over a mocked repository that ends as it was told to.
///
/// A unit that is to be rolled back is made with [`MockUnitOfWork::never_committed`].
pub struct MockUnitOfWork {
    products: MockProductRepository,
    commit: Option<Result<(), StoreError>>,
}

impl MockUnitOfWork {
    /// A unit whose commit answers `outcome`; dropping it without a commit fails the test.
    #[must_use]
    pub const fn committed(products: MockProductRepository, outcome: Result<(), StoreError>) -> Self {
        Self { products, commit: Some(outcome) }
    }

    /// A unit whose commit fails the test.
    #[must_use]
    pub const fn never_committed(products: MockProductRepository) -> Self {
        Self { products, commit: None }
    }
}

impl UnitOfWork for MockUnitOfWork {
    fn products(&mut self) -> &mut dyn ProductRepository {
        &mut self.products
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
