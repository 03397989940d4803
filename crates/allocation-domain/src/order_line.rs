//! Requested order lines.

use crate::{OrderId, Quantity, Sku};

/// An error for a line whose order id and SKU are together too long for an index key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("order and SKU together must have at most {max} bytes of UTF-8, not {0}", max = OrderLine::MAX_KEY_BYTES)]
pub struct LineTooLong(usize);

/// Units of one SKU for one order. Order id and SKU identify the line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderLine {
    order_id: OrderId,
    sku: Sku,
    quantity: Quantity,
}

impl OrderLine {
    /// The maximum length of order id and SKU together, in bytes of UTF-8.
    ///
    /// PostgreSQL limits an index entry to 2,704 bytes. The key of an allocation is order id, SKU
    /// and a batch reference of at most 1,020 bytes. Two identifiers of 255 characters fit in every
    /// script of up to three bytes a character.
    pub const MAX_KEY_BYTES: usize = 1_620;

    /// Creates a line.
    ///
    /// # Errors
    ///
    /// [`LineTooLong`] if order id and SKU together exceed [`OrderLine::MAX_KEY_BYTES`].
    pub fn new(order_id: OrderId, sku: Sku, quantity: Quantity) -> Result<Self, LineTooLong> {
        let bytes = order_id.as_str().len() + sku.as_str().len();
        if bytes > Self::MAX_KEY_BYTES {
            return Err(LineTooLong(bytes));
        }
        Ok(Self { order_id, sku, quantity })
    }

    /// Returns the order that the line belongs to.
    #[must_use]
    pub const fn order_id(&self) -> &OrderId {
        &self.order_id
    }

    /// Returns the SKU.
    #[must_use]
    pub const fn sku(&self) -> &Sku {
        &self.sku
    }

    /// Returns the ordered units.
    #[must_use]
    pub const fn quantity(&self) -> Quantity {
        self.quantity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_too_long_for_an_index_is_rejected() {
        let line = |c: &str| {
            let long = c.repeat(255);
            OrderLine::new(OrderId::parse(long.clone()).unwrap(), Sku::parse(long).unwrap(), Quantity::new(1).unwrap())
        };
        assert!(line("字").is_ok());
        assert_eq!(line("🪑"), Err(LineTooLong(2_040)));
    }
}
