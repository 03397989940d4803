//! Locking and loading products.

use super::sets::{InsertMissing, Load, LoadAllocations, LockProducts};
use crate::error::{corrupt, store_error};
use crate::row::{self, AllocationPart, BatchRow};
use crate::unit::{ONE_MORE, OPEN_BATCHES};
use allocation_domain::{Allocation, Batch, LineState, OrderId, Product, ProductState, Sku};
use allocation_ports::{StoreError, Wanted};
use chrono::NaiveDate;
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap};

pub(crate) fn lock(connection: &mut PgConnection, wanted: &[Wanted]) -> Result<Vec<Product>, StoreError> {
    let versions = lock_products(connection, wanted)?;
    // A statement of its own, after the lock: it sees what was committed until then.
    let loaded = load(connection, wanted)?;
    let mut products = Vec::with_capacity(wanted.len());
    for (wanted, loaded) in wanted.iter().zip(loaded) {
        if let Some(version) = versions.get(wanted.sku.as_str()) {
            let version = u64::try_from(*version).map_err(corrupt)?;
            products.push(loaded.product(&wanted.sku, version));
        }
    }
    Ok(products)
}

/// Locks products, and tells their versions.
fn lock_products(connection: &mut PgConnection, wanted: &[Wanted]) -> Result<HashMap<String, i64>, StoreError> {
    let missing: Vec<_> = wanted.iter().filter(|wanted| wanted.create).map(|wanted| wanted.sku.as_str()).collect();
    if !missing.is_empty() {
        InsertMissing { skus: &missing }.execute(connection).map_err(store_error)?;
    }
    let skus: Vec<_> = wanted.iter().map(|wanted| wanted.sku.as_str()).collect();
    let rows = LockProducts { skus: &skus }.load::<(String, i64)>(connection).map_err(store_error)?;
    Ok(rows.into_iter().collect())
}

/// What was loaded of a product.
#[derive(Debug, Default)]
struct Loaded {
    open_batches: Vec<Batch>,
    named_batches: Vec<Batch>,
    lines: BTreeMap<OrderId, LineState>,
}

impl Loaded {
    fn product(mut self, sku: &Sku, version: u64) -> Product {
        // The rows come in this order, but SQL does not promise it.
        self.open_batches.sort_by_cached_key(Batch::preference);
        let more_open_batches = self.open_batches.len() > OPEN_BATCHES;
        self.open_batches.truncate(OPEN_BATCHES);
        for line in self.lines.values_mut() {
            line.allocations.sort_by_cached_key(Allocation::preference);
        }
        Product::restore(ProductState {
            sku: sku.clone(),
            version,
            open_batches: self.open_batches,
            more_open_batches,
            named_batches: self.named_batches,
            lines: self.lines.into_iter().collect(),
        })
    }

    fn add(&mut self, sku: &Sku, row: LoadedRow) -> Result<(), StoreError> {
        match row.kind.as_str() {
            "open" => self.open_batches.push(row.batch(sku)?),
            "named" => self.named_batches.push(row.batch(sku)?),
            _ => {
                let line = LineState { quantity: row::quantity(row.quantity)?, allocations: Vec::new() };
                self.lines.insert(row::order_id(row.name)?, line);
            }
        }
        Ok(())
    }
}

/// A row of [`Load`]: a batch or a line.
#[derive(Debug, Queryable)]
struct LoadedRow {
    place: i32,
    kind: String,
    /// The reference of the batch, or the order of the line.
    name: String,
    /// Purchased of the batch, or ordered by the line.
    quantity: i32,
    allocated_quantity: Option<i32>,
    eta: Option<NaiveDate>,
    added_at: Option<i64>,
}

impl LoadedRow {
    fn batch(self, sku: &Sku) -> Result<Batch, StoreError> {
        let row = BatchRow {
            reference: self.name,
            purchased_quantity: self.quantity,
            allocated_quantity: present(self.allocated_quantity)?,
            eta: self.eta,
            added_at: present(self.added_at)?,
        };
        row.batch(sku.clone())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("something is missing")]
struct Missing;

fn present<T>(value: Option<T>) -> Result<T, StoreError> {
    value.ok_or_else(|| corrupt(Missing))
}

/// Loads what is wanted, for each of `wanted` in turn.
fn load(connection: &mut PgConnection, wanted: &[Wanted]) -> Result<Vec<Loaded>, StoreError> {
    let mut loaded: Vec<_> = wanted.iter().map(|_| Loaded::default()).collect();
    let columns = LoadColumns::new(wanted)?;
    if columns.is_empty() {
        return Ok(loaded);
    }
    for row in columns.statement().load::<LoadedRow>(connection).map_err(store_error)? {
        let place = usize::try_from(row.place).map_err(corrupt)?;
        present(loaded.get_mut(place))?.add(&present(wanted.get(place))?.sku, row)?;
    }
    load_allocations(connection, wanted, &mut loaded)?;
    Ok(loaded)
}

/// Adds their allocations to the lines that were loaded. Few lines are sent a second time, so most
/// units of work have nothing to ask here.
fn load_allocations(connection: &mut PgConnection, wanted: &[Wanted], loaded: &mut [Loaded]) -> Result<(), StoreError> {
    let (mut place, mut sku, mut order_id) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (wanted, loaded)) in wanted.iter().zip(loaded.iter()).enumerate() {
        for line in loaded.lines.keys() {
            place.push(place_of(number)?);
            sku.push(wanted.sku.as_str());
            order_id.push(line.as_str());
        }
    }
    if place.is_empty() {
        return Ok(());
    }
    let statement = LoadAllocations { place: &place, sku: &sku, order_id: &order_id };
    for (place, order_id, part) in statement.load::<(i32, String, AllocationPart)>(connection).map_err(store_error)? {
        let place = usize::try_from(place).map_err(corrupt)?;
        let line = present(loaded.get_mut(place))?.lines.get_mut(&row::order_id(order_id)?);
        present(line)?.allocations.push(part.allocation()?);
    }
    Ok(())
}

fn place_of(number: usize) -> Result<i32, StoreError> {
    i32::try_from(number).map_err(|error| StoreError::Failed(error.into()))
}

/// The parameters of [`Load`].
#[derive(Debug, Default)]
struct LoadColumns<'a> {
    open_place: Vec<i32>,
    open_sku: Vec<&'a str>,
    named_place: Vec<i32>,
    named_sku: Vec<&'a str>,
    named_reference: Vec<&'a str>,
    line_place: Vec<i32>,
    line_sku: Vec<&'a str>,
    line_order_id: Vec<&'a str>,
}

impl<'a> LoadColumns<'a> {
    fn new(wanted: &'a [Wanted]) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for (number, wanted) in wanted.iter().enumerate() {
            let (place, sku) = (place_of(number)?, wanted.sku.as_str());
            if wanted.open_batches {
                columns.open_place.push(place);
                columns.open_sku.push(sku);
            }
            for reference in &wanted.batches {
                columns.named_place.push(place);
                columns.named_sku.push(sku);
                columns.named_reference.push(reference.as_str());
            }
            for order_id in &wanted.order_ids {
                columns.line_place.push(place);
                columns.line_sku.push(sku);
                columns.line_order_id.push(order_id.as_str());
            }
        }
        Ok(columns)
    }

    const fn is_empty(&self) -> bool {
        self.open_place.is_empty() && self.named_place.is_empty() && self.line_place.is_empty()
    }

    const fn statement(&self) -> Load<'_> {
        Load {
            open_place: &self.open_place,
            open_sku: &self.open_sku,
            limit: &ONE_MORE,
            named_place: &self.named_place,
            named_sku: &self.named_sku,
            named_reference: &self.named_reference,
            line_place: &self.line_place,
            line_sku: &self.line_sku,
            line_order_id: &self.line_order_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::any_connection::{AnyConnection, Connector};
    use crate::{DatabaseUrl, Store};
    use allocation_test_support::TestDatabase;
    use diesel::pg::Pg;
    use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
    use r2d2::ManageConnection;

    /// Asks for the plan of the lock.
    struct Explain<'a>(LockProducts<'a>);

    impl QueryFragment<Pg> for Explain<'_> {
        fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
            out.push_sql("EXPLAIN ");
            self.0.walk_ast(out)
        }
    }

    impl QueryId for Explain<'_> {
        type QueryId = Explain<'static>;
        const HAS_STATIC_QUERY_ID: bool = true;
    }

    impl Query for Explain<'_> {
        type SqlType = diesel::sql_types::Text;
    }

    impl RunQueryDsl<PgConnection> for Explain<'_> {}

    /// Deadlocks are ruled out by this plan alone: an index gives the products in the order of
    /// their SKUs, any other way in the order of the table or of the request.
    #[test]
    fn products_are_locked_in_the_order_of_the_index_on_postgres() {
        let database = TestDatabase::postgres();
        let url = DatabaseUrl::parse(database.url()).unwrap();
        Store::connect(&url, 1).unwrap().migrations().up().unwrap();
        for setup in [
            "SELECT 1",
            "ANALYZE",
            "INSERT INTO products SELECT 'A', 0",
            "ANALYZE",
            "INSERT INTO products SELECT 'SKU-' || i, 0 FROM generate_series(1, 5000) AS i",
            "ANALYZE",
        ] {
            database.execute(setup);
            let Ok(AnyConnection::Postgres(mut connection)) = Connector(url.clone()).connect() else {
                panic!("not connected to PostgreSQL")
            };
            for number in [1, 2, 500, 5000] {
                let skus: Vec<_> = (0..number).map(|number| format!("SKU-{number}")).collect();
                let skus: Vec<_> = skus.iter().map(String::as_str).collect();
                let plan: Vec<String> = Explain(LockProducts { skus: &skus }).load(&mut connection).unwrap();
                let plan = plan.join("\n");
                assert!(plan.contains("->  Index Scan using products_pkey on products"), "{setup}\n{plan}");
                assert!(plan.contains("Index Cond: (sku = ANY"), "{setup}\n{plan}");
                assert_eq!(plan.lines().count(), 3, "{setup}\n{plan}");
            }
        }
    }
}
