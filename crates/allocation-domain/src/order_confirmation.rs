//! Confirmations of orders.

use crate::{OrderId, OrderVersion};
use std::collections::BTreeSet;

/// A request to confirm an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderConfirmation {
    order_id: OrderId,
    reallocate: bool,
    expected: Option<BTreeSet<OrderVersion>>,
}

impl OrderConfirmation {
    /// Creates a request to make a held order firm.
    #[must_use]
    pub const fn new(order_id: OrderId) -> Self {
        Self { order_id, reallocate: false, expected: None }
    }

    /// Returns the same request, which with `reallocate` also gives an expired order its units again.
    #[must_use]
    pub fn reallocating(self, reallocate: bool) -> Self {
        Self { reallocate, ..self }
    }

    /// Returns the same request for an order that has one of these versions, or any if they are `None`.
    #[must_use]
    pub fn if_version(self, expected: Option<BTreeSet<OrderVersion>>) -> Self {
        Self { expected, ..self }
    }

    /// Returns the order id.
    #[must_use]
    pub const fn order_id(&self) -> &OrderId {
        &self.order_id
    }

    /// Returns whether an expired order gets its units again.
    #[must_use]
    pub const fn reallocates(&self) -> bool {
        self.reallocate
    }

    /// Returns whether the request accepts a version.
    #[must_use]
    pub fn expects(&self, version: OrderVersion) -> bool {
        self.expected.as_ref().is_none_or(|expected| expected.contains(&version))
    }
}
