//! The state of products, rebuilt from their events.

use crate::{Batch, BatchReference, Event, LineState, Order, OrderId, PickLine, PickLineId, PickList, PickListId, Sku};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

mod applying;
mod product_projection;

pub use product_projection::ProductProjection;

/// An error for an event that does not follow from the events before it.
///
/// An event was left out, applied twice, or applied before an earlier event of its SKU.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {event} of SKU {sku} does not follow from the events before it: {conflict}")]
pub struct ProjectionError {
    /// The name of the event.
    pub event: &'static str,
    /// The SKU.
    pub sku: Sku,
    /// The contradiction.
    pub conflict: ProjectionConflict,
}

/// A contradiction between an event and the state that it changes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
pub enum ProjectionConflict {
    /// The batch does not exist.
    #[error("there is no batch {0}")]
    NoBatch(BatchReference),
    /// The batch was already added.
    #[error("batch {0} exists already")]
    BatchExists(BatchReference),
    /// The state of the batch contradicts the event.
    #[error("batch {0} has another quantity, ETA or revision, or units in use")]
    BatchDiffers(BatchReference),
    /// The line does not exist.
    #[error("order {0} has no such line")]
    NoLine(OrderId),
    /// The line was already placed.
    #[error("order {0} has the line already")]
    LineExists(OrderId),
    /// The state of the line contradicts the event.
    #[error("the line of order {0} has other units")]
    LineDiffers(OrderId),
    /// The pick line does not exist.
    #[error("there is no line {0}")]
    NoPickLine(PickLineId),
    /// The pick line was already put on the list.
    #[error("line {0} exists already")]
    PickLineExists(PickLineId),
    /// The state of the pick line contradicts the event.
    #[error("line {0} has other units or another status")]
    PickLineDiffers(PickLineId),
}

/// The batches, lines, allocations and pick lists of any number of products, rebuilt from events.
///
/// Apply the events of each SKU in their order, from the first one, and each of them once. Events
/// of different SKUs may be applied in any order. A pick list or an order that spans several products is
/// complete once the events of all of them have been applied.
///
/// Events do not carry everything that a store keeps. A projection lacks:
///
/// - the progress of moving lines ([`Batch::moving`], always `None`). A batch that is being lowered
///   appears with the units that it still has;
/// - [`ProductState::version`](crate::ProductState::version),
///   [`ProductState::lock_time`](crate::ProductState::lock_time) and
///   [`ProductFlags::unserved`](crate::ProductFlags::unserved);
/// - the settings of products ([`Event::ProductChanged`]), which a reader takes from the event itself;
/// - the order of an order's lines as it was sent. [`Projection::order`] sorts them by SKU.
///
/// ```
/// use allocation_domain::{BatchReference, Eta, NewBatch, OrderId, Product, Projection, Quantity, Sku};
/// use chrono::DateTime;
///
/// let now = DateTime::UNIX_EPOCH;
/// let mut product = Product::new(Sku::parse("LAMP")?);
/// product.add_batch(NewBatch::new(BatchReference::parse("B-1")?, Quantity::new(20)?, Eta::InStock), now)?;
/// product.allocate(&OrderId::parse("O-1")?, Quantity::new(2)?, now)?;
///
/// let mut projection = Projection::default();
/// for event in product.events() {
///     projection.apply(event, now)?;
/// }
/// let lamps = projection.product(product.sku()).ok_or("no lamps")?;
/// assert_eq!(lamps.line(&OrderId::parse("O-1")?), product.line(&OrderId::parse("O-1")?));
/// assert_eq!(lamps.batch(&BatchReference::parse("B-1")?).map(|batch| batch.available()), Some(18));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Projection {
    products: BTreeMap<Sku, ProductProjection>,
}

impl Projection {
    /// Applies an event.
    ///
    /// `decided_at` is the instant that the decision recorded
    /// ([`Product::decided_at`](crate::Product::decided_at)), which is published beside the event.
    /// It becomes the `added_at` of a batch and the `placed_at` of a line.
    ///
    /// # Errors
    ///
    /// [`ProjectionError`]; nothing has changed.
    pub fn apply(&mut self, event: &Event, decided_at: DateTime<Utc>) -> Result<(), ProjectionError> {
        let sku = event.sku();
        let applied = match self.products.get_mut(sku) {
            Some(product) => product.apply(event, decided_at),
            None => {
                let mut product = ProductProjection::default();
                product.apply(event, decided_at).map(|()| drop(self.products.insert(sku.clone(), product)))
            }
        };
        applied.map_err(|conflict| ProjectionError { event: event.name(), sku: sku.clone(), conflict })
    }

    /// Returns a product, or `None` if no event concerned it.
    #[must_use]
    pub fn product(&self, sku: &Sku) -> Option<&ProductProjection> {
        self.products.get(sku)
    }

    /// Returns all products, sorted by SKU.
    pub fn products(&self) -> impl Iterator<Item = (&Sku, &ProductProjection)> {
        self.products.iter()
    }

    /// Returns all batches, sorted by SKU and reference.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.products.values().flat_map(ProductProjection::batches)
    }

    /// Returns all lines, sorted by SKU and order.
    pub fn lines(&self) -> impl Iterator<Item = (&Sku, &OrderId, &LineState)> {
        self.products
            .iter()
            .flat_map(|(sku, product)| product.lines().map(move |(order_id, line)| (sku, order_id, line)))
    }

    /// Returns all pick lines, sorted by SKU, list and number.
    pub fn pick_lines(&self) -> impl Iterator<Item = (&PickLineId, &PickLine)> {
        self.products.values().flat_map(ProductProjection::pick_lines)
    }

    /// Returns an order with its lines, sorted by SKU, or `None` if it has none.
    #[must_use]
    pub fn order(&self, order_id: &OrderId) -> Option<Order> {
        let line = |(sku, product): (&Sku, &ProductProjection)| Some((sku.clone(), product.line(order_id)?.clone()));
        let lines: Vec<_> = self.products.iter().filter_map(line).collect();
        (!lines.is_empty()).then(|| Order { order_id: order_id.clone(), lines })
    }

    /// Returns a pick list with its lines, or `None` if it has none.
    #[must_use]
    pub fn pick_list(&self, list_id: &PickListId) -> Option<PickList> {
        let lines = self.products.values().flat_map(|product| product.pick_lines_of(list_id));
        let lines: BTreeMap<_, _> = lines.map(|(id, pick)| (id.line, pick.clone())).collect();
        (!lines.is_empty()).then(|| PickList { list_id: list_id.clone(), lines })
    }
}
