//! The rows of a store.

mod keys;
mod leases;
mod log;
mod relay;

use keys::KeyTable;
use leases::LeaseTable;
use log::Log;
pub(crate) use log::OutboxEvent;
use relay::RelayTable;

use crate::locks::{Locks, UnitId};
use crate::product_rows::{BatchRow, ProductRows};
use allocation_domain::{
    BatchReference, CountId, LineState, NewOrder, NewPickList, OrderId, PickLine, PickLineId, PickList, PickListId,
    Sku, StockCount,
};
use allocation_ports::{RecordedEvent, StockDocument, StockDocumentId, StoredPickList, Subject};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Everything that a store holds.
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) rows: Rows,
    pub(crate) locks: Locks,
    pub(crate) log: Log,
    pub(crate) leases: LeaseTable,
    pub(crate) relay: RelayTable,
    pub(crate) keys: KeyTable,
    /// Commits that have returned and are not visible yet: a fault.
    pub(crate) late: Vec<(UnitId, Rows)>,
}

/// The rows that units of work write: all committed ones, or the rows of one unit.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) products: BTreeMap<Sku, ProductRows>,
    pub(crate) orders: BTreeMap<OrderId, NewOrder>,
    pub(crate) pick_lists: BTreeMap<PickListId, PickListRow>,
    /// Whether orders are archived. Their rows stay where they are; the lists of orders leave them out.
    pub(crate) archived: BTreeMap<OrderId, bool>,
    pub(crate) documents: BTreeMap<StockDocumentId, StockDocument>,
    /// Counts of stock, `None` for one that was abandoned.
    pub(crate) counts: BTreeMap<CountId, Option<StockCount>>,
    /// Events without a position, in the order of the commits.
    pub(crate) outbox: Vec<OutboxEvent>,
}

impl Rows {
    /// Returns whether the outbox has an event of a version of a product.
    pub(crate) fn has_version(&self, sku: &Sku, version: u64) -> bool {
        self.outbox.iter().any(|event| event.recorded.sku == *sku && event.recorded.version == version)
    }
}

/// Returns a number of rows as the ports count them.
pub(crate) fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

/// A pick list as it was requested.
#[derive(Debug, Clone)]
pub(crate) struct PickListRow {
    pub(crate) request: NewPickList,
    pub(crate) created_at: DateTime<Utc>,
}

impl Database {
    /// Commits the rows of a unit, and releases its locks.
    pub(crate) fn commit(&mut self, unit: UnitId, rows: Rows) {
        let Rows { mut products, mut orders, mut pick_lists, mut archived, mut documents, mut counts, outbox } = rows;
        self.rows.products.append(&mut products);
        self.rows.orders.append(&mut orders);
        self.rows.pick_lists.append(&mut pick_lists);
        self.rows.archived.append(&mut archived);
        self.rows.documents.append(&mut documents);
        self.rows.counts.append(&mut counts);
        self.rows.outbox.extend(outbox);
        self.locks.release(unit);
    }

    /// Makes late commits visible; returns whether there were any.
    pub(crate) fn commit_late(&mut self) -> bool {
        let late = std::mem::take(&mut self.late);
        let any = !late.is_empty();
        late.into_iter().for_each(|(unit, rows)| self.commit(unit, rows));
        any
    }

    /// Returns the retained events, with and without a position.
    pub(crate) fn all_events(&self) -> impl Iterator<Item = &OutboxEvent> {
        self.log.events().chain(&self.rows.outbox)
    }

    /// Returns the retained events of a subject.
    pub(crate) fn events_of(&self, subject: &Subject) -> impl Iterator<Item = &RecordedEvent> {
        let recorded = self.all_events().map(|event| &event.recorded);
        recorded.filter(|recorded| Subject::of(&recorded.event) == *subject)
    }

    /// Returns the retained movements of a product with their positions in the log.
    pub(crate) fn movements_of(&self, sku: &Sku) -> impl Iterator<Item = (u64, &RecordedEvent)> {
        let events = (self.log.bounds().oldest..).zip(self.log.events()).map(|(at, event)| (at, &event.recorded));
        events.filter(move |(_, recorded)| recorded.sku == *sku && recorded.event.moved_units().is_some())
    }

    /// Returns the committed rows.
    pub(crate) const fn committed(&self) -> View<'_> {
        View { committed: &self.rows, own: None }
    }

    /// Returns the rows as a unit sees them: its own instead of the committed ones.
    pub(crate) const fn seen_by<'a>(&'a self, own: &'a Rows) -> View<'a> {
        View { committed: &self.rows, own: Some(own) }
    }
}

/// Rows as a reader sees them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    committed: &'a Rows,
    own: Option<&'a Rows>,
}

impl<'a> View<'a> {
    /// Returns a product.
    pub(crate) fn product(self, sku: &Sku) -> Option<&'a ProductRows> {
        self.own.and_then(|own| own.products.get(sku)).or_else(|| self.committed.products.get(sku))
    }

    /// Returns all products, sorted by SKU.
    pub(crate) fn products(self) -> impl Iterator<Item = (&'a Sku, &'a ProductRows)> {
        let mut products: BTreeMap<_, _> = self.own.iter().flat_map(|own| &own.products).collect();
        if products.is_empty() {
            return Products::Committed(self.committed.products.iter());
        }
        for (sku, rows) in &self.committed.products {
            products.entry(sku).or_insert(rows);
        }
        Products::Merged(products.into_iter())
    }

    /// Returns an order as it was placed.
    pub(crate) fn placed(self, order_id: &OrderId) -> Option<&'a NewOrder> {
        self.own.and_then(|own| own.orders.get(order_id)).or_else(|| self.committed.orders.get(order_id))
    }

    /// Returns whether an order is archived.
    pub(crate) fn is_archived(self, order_id: &OrderId) -> bool {
        let own = self.own.and_then(|own| own.archived.get(order_id));
        own.or_else(|| self.committed.archived.get(order_id)).is_some_and(|archived| *archived)
    }

    /// Returns a batch.
    pub(crate) fn batch(self, reference: &BatchReference) -> Option<&'a BatchRow> {
        self.products().find_map(|(_, rows)| rows.batches.get(reference))
    }

    /// Returns the lines of an order, sorted by SKU.
    pub(crate) fn lines(self, order_id: &'a OrderId) -> impl Iterator<Item = (&'a Sku, LineState)> {
        self.products().filter_map(move |(sku, rows)| Some((sku, rows.line(order_id)?)))
    }

    /// Returns the SKUs of the lines of an order, sorted.
    pub(crate) fn skus_of(self, order_id: &'a OrderId) -> impl Iterator<Item = &'a Sku> {
        self.products().filter(|(_, rows)| rows.lines.contains_key(order_id)).map(|(sku, _)| sku)
    }

    /// Returns a count of stock.
    pub(crate) fn count(self, count_id: &CountId) -> Option<&'a StockCount> {
        let own = self.own.and_then(|own| own.counts.get(count_id));
        own.or_else(|| self.committed.counts.get(count_id)).and_then(Option::as_ref)
    }

    /// Returns the open count that a batch is in.
    pub(crate) fn count_of(self, reference: &BatchReference) -> Option<&'a StockCount> {
        let own = self.own.into_iter().flat_map(|own| own.counts.keys());
        let counts = self.committed.counts.keys().chain(own).filter_map(|count_id| self.count(count_id));
        let mut open = counts.filter(|count| count.closed.is_none());
        open.find(|count| count.lines.iter().any(|line| line.reference == *reference))
    }

    /// Returns a stock document.
    pub(crate) fn document(self, id: &StockDocumentId) -> Option<&'a StockDocument> {
        self.own.and_then(|own| own.documents.get(id)).or_else(|| self.committed.documents.get(id))
    }

    /// Returns a pick list as it was requested.
    pub(crate) fn pick_list_row(self, list_id: &PickListId) -> Option<&'a PickListRow> {
        self.own.and_then(|own| own.pick_lists.get(list_id)).or_else(|| self.committed.pick_lists.get(list_id))
    }

    /// Returns a pick list with its lines.
    pub(crate) fn pick_list(self, list_id: &PickListId) -> Option<StoredPickList> {
        let created_at = self.pick_list_row(list_id)?.created_at;
        let lines = self.pick_lines(list_id).map(|(id, line)| (id.line, line.clone())).collect();
        Some(StoredPickList { list: PickList { list_id: list_id.clone(), lines }, created_at })
    }

    /// Returns the lines of a pick list.
    pub(crate) fn pick_lines(self, list_id: &PickListId) -> impl Iterator<Item = (&'a PickLineId, &'a PickLine)> {
        let id = |line| PickLineId { list: list_id.clone(), line };
        let range = id(0)..=id(u32::MAX);
        self.products().flat_map(move |(_, rows)| rows.pick_lines.range(range.clone()))
    }
}

/// Products of a view, which need no copy of the keys when all are committed.
enum Products<'a> {
    Committed(std::collections::btree_map::Iter<'a, Sku, ProductRows>),
    Merged(std::collections::btree_map::IntoIter<&'a Sku, &'a ProductRows>),
}

impl<'a> Iterator for Products<'a> {
    type Item = (&'a Sku, &'a ProductRows);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Committed(products) => products.next(),
            Self::Merged(products) => products.next(),
        }
    }
}
