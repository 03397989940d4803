//! Policies for orders that are short of stock.

use crate::named::named;

/// The policy for an order that cannot be allocated whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnShortage {
    /// The whole order is rejected.
    #[default]
    Reject,
    /// Free units are allocated, and the rest waits.
    Backorder,
}

named!(OnShortage: Reject = "reject", Backorder = "backorder");
