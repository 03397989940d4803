//! Reads of committed rows. They scan and sort; every page has a bound.

mod allocations;
mod backorders;
mod batches;
mod completed_orders;
mod counts;
mod history;
mod moving_batches;
mod orders;
mod pick_candidates;
mod pick_lists;
mod products;
mod shipments;

use allocation_ports::PageSize;

/// Returns the rows after a cursor in the order of their keys.
fn page_after<T, K: Ord>(
    rows: impl Iterator<Item = T>,
    key: impl Fn(&T) -> K,
    after: Option<&K>,
    page: PageSize,
) -> Vec<T> {
    let mut rows: Vec<_> = rows.filter(|row| after.is_none_or(|after| key(row) > *after)).collect();
    rows.sort_by_cached_key(key);
    rows.truncate(usize::from(page.get()));
    rows
}
