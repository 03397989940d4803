use crate::product_rows::ProductRows;
use crate::store::MemoryStore;
use allocation_domain::{Availability, Sku};
use allocation_ports::{PageSize, ProductQueries, ProductTotals, StoreError};
use chrono::{DateTime, Utc};

fn totals(sku: &Sku, rows: &ProductRows, now: DateTime<Utc>) -> Result<ProductTotals, StoreError> {
    let totals = rows.product_at(sku, now)?.totals(now).map_err(|needed| StoreError::Failed(needed.into()))?;
    Ok(ProductTotals { sku: sku.clone(), promises: rows.flags.promises, totals })
}

fn availability(sku: &Sku, rows: &ProductRows, now: DateTime<Utc>) -> Result<Availability, StoreError> {
    let product = rows.product_at(sku, now)?;
    let availability = product.available_from();
    if !product.is_behind() {
        return Ok(availability);
    }
    // More lines can be served than one unit of work serves, so the units that they wait for are not free.
    Ok(availability.without(product.lines().map(|(_, line)| u64::from(line.waiting)).sum()))
}

impl ProductQueries for MemoryStore {
    fn product(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<ProductTotals>, StoreError> {
        let database = self.database();
        database.committed().product(sku).map(|rows| totals(sku, rows, now)).transpose()
    }

    fn products(
        &self,
        after: Option<Sku>,
        page: PageSize,
        now: DateTime<Utc>,
    ) -> Result<Vec<ProductTotals>, StoreError> {
        let database = self.database();
        let products =
            database.committed().products().filter(|(sku, _)| after.as_ref().is_none_or(|after| *sku > after));
        products.take(usize::from(page.get())).map(|(sku, rows)| totals(sku, rows, now)).collect()
    }

    fn availability(&self, sku: &Sku, now: DateTime<Utc>) -> Result<Option<Availability>, StoreError> {
        let database = self.database();
        database.committed().product(sku).map(|rows| availability(sku, rows, now)).transpose()
    }
}
