use crate::{PageSize, StoreError};
use allocation_domain::{Availability, Promises, Sku, Totals};
use chrono::{DateTime, Utc};

/// The totals of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductTotals {
    /// The SKU.
    pub sku: Sku,
    /// Whether lines move to earlier batches when units of them come free.
    pub promises: Promises,
    /// The totals over its batches and lines.
    pub totals: Totals,
}

/// Reads the totals and the availability of products.
pub trait ProductQueries: Send + Sync {
    /// Returns the totals of a product, `None` when no product has that SKU. The cost does not grow with
    /// past orders.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn product(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<ProductTotals>, StoreError>;

    /// Returns the totals of the products after `after`, by the bytes of their SKUs.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn products(
        &self,
        after: Option<Sku>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<ProductTotals>, StoreError>;

    /// Returns the free units of a product by date, `None` when no product has that SKU. The cost does not
    /// grow with past orders.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn availability(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<Availability>, StoreError>;
}
