use crate::StoreError;
use allocation_domain::{OrderId, PickCriteria, Sku};
use std::collections::BTreeSet;

/// Order lines from which a new pick list can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PickableLines {
    /// The lines, each once, sorted by SKU.
    pub lines: BTreeSet<(Sku, OrderId)>,
    /// The orders of these lines that ship complete: a decision on one of them needs all its lines.
    pub ship_complete: BTreeSet<OrderId>,
    /// Whether the search ended before its bound. If so, these are the first pickable lines; if not, there
    /// may be others.
    pub complete: bool,
}

/// Finds order lines for new pick lists, without locks.
pub trait PickCandidates: Send + Sync {
    /// Returns order lines from which a new pick list can be made, as far as an unlocked read can
    /// determine. These lines match `criteria` and have firm units in stock that are on no list. Orders that ship
    /// complete are left out unless all their units are firmly allocated in stock, picked or shipped.
    ///
    /// They MUST include the first `limit` lines by batch, then in the order in which lines are served. A
    /// list of `limit` lines would consist of these if nothing else changed. The cost MUST NOT grow with
    /// allocations that were picked, nor with the allocations of batches behind the lines found. It MUST
    /// have a bound in rows: a search that reaches it returns the lines found so far and is not complete.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn pickable(&self, criteria: &PickCriteria, limit: usize) -> Result<PickableLines, StoreError>;
}
