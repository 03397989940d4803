//! Decisions on products that are loaded in part.

use crate::{StoreError, UnitOfWork};
use allocation_domain::{DataRequest, LoadRequest, Pending, Product, Products, Sku};

/// The maximum number of loads for one decision: more than any decision needs, and few enough to end a bug.
pub const MAX_LOADS: usize = 10_000;

/// The subject of a decision: one loaded product, or several.
pub trait Loaded {
    /// Returns the product of a SKU, to load more rows into.
    fn product_mut(&mut self, sku: &Sku) -> Option<&mut Product>;
}

impl Loaded for Product {
    fn product_mut(&mut self, sku: &Sku) -> Option<&mut Product> {
        (self.sku() == sku).then_some(self)
    }
}

impl Loaded for Products {
    fn product_mut(&mut self, sku: &Sku) -> Option<&mut Product> {
        self.get_mut(sku)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("SKU {0} is behind, and a decision was made on it all the same")]
struct Behind(Sku);

/// Decides on the loaded rows. While they do not suffice, loads the requested ones and decides again.
///
/// Returns the result of the decision: its value, or its refusal.
///
/// # Errors
///
/// The error of `load`. [`StoreError::Invariant`] when
///
/// - a decision requests the same rows twice although no row was loaded in between
///   (`counted_rows_exist`): a counter then counts rows that do not exist;
/// - a decision needs more than [`MAX_LOADS`] loads (`loads_are_bounded`);
/// - a product is behind (`decided_products_are_caught_up`): the caller releases its expired holds first, with
///   [`Product::release_expired`];
/// - a decision requests rows of a product that is not loaded (`requested_products_are_loaded`).
pub fn load_until_decided<P: Loaded, T, R>(
    loaded: &mut P,
    mut load: impl FnMut(&mut Product, &DataRequest) -> Result<(), StoreError>,
    mut decide: impl FnMut(&mut P) -> Result<T, Pending<R>>,
) -> Result<Result<T, R>, StoreError> {
    let mut requests = Requests::default();
    loop {
        let request = match decide(loaded) {
            Ok(value) => return Ok(Ok(value)),
            Err(Pending::Refused(refusal)) => return Ok(Err(refusal)),
            Err(Pending::CatchUp(sku)) => {
                return Err(StoreError::invariant("decided_products_are_caught_up", Behind(sku)));
            }
            Err(Pending::Load(request)) => request,
        };
        let Some(product) = loaded.product_mut(&request.sku) else {
            return Err(StoreError::invariant("requested_products_are_loaded", request));
        };
        requests.record(&request, product)?;
        load(product, &request.what)?;
    }
}

impl dyn UnitOfWork + '_ {
    /// Decides on locked products, and loads further rows of them while the decision requests any: see
    /// [`load_until_decided`].
    ///
    /// # Errors
    ///
    /// As for [`load_until_decided`], and the errors of [`ProductRepository::load`](crate::ProductRepository::load).
    pub fn decide<P: Loaded, T, R>(
        &mut self,
        locked: &mut P,
        decide: impl FnMut(&mut P) -> Result<T, Pending<R>>,
    ) -> Result<Result<T, R>, StoreError> {
        load_until_decided(locked, |product, what| self.products().load(product, what), decide)
    }
}

/// The requests of one decision.
#[derive(Default)]
struct Requests {
    count: usize,
    /// The requests since a row was last loaded.
    unmet: Vec<LoadRequest>,
    /// The batches, lines and pick lines of the product at that time.
    rows: Option<[usize; 3]>,
}

impl Requests {
    /// Records a request, unless it is repeated or exceeds the bound.
    fn record(&mut self, request: &LoadRequest, product: &Product) -> Result<(), StoreError> {
        let rows = Some([product.batches().len(), product.lines().count(), product.pick_lines().count()]);
        if self.rows != rows {
            self.unmet.clear();
            self.rows = rows;
        }
        if self.unmet.contains(request) {
            return Err(StoreError::invariant("counted_rows_exist", request.clone()));
        }
        if self.count == MAX_LOADS {
            return Err(StoreError::invariant("loads_are_bounded", request.clone()));
        }
        self.count += 1;
        self.unmet.push(request.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests;
