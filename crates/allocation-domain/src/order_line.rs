//! What a customer wants.

use crate::{OrderId, Quantity, Sku};

/// A line whose order and SKU are together too long to be the key of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("order and SKU together must have at most {max} bytes of UTF-8, not {0}", max = OrderLine::MAX_KEY_BYTES)]
pub struct LineTooLong(usize);

/// So many units of one SKU for one order. A line is known by its order and SKU.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderLine {
    order_id: OrderId,
    sku: Sku,
    quantity: Quantity,
}

impl OrderLine {
    /// How many bytes of UTF-8 order and SKU may have together.
    ///
    /// PostgreSQL limits an entry of an index to 2,704 bytes, and the key of an allocation is
    /// order, SKU and the longest batch reference (1,020 bytes). Two identifiers of 255 characters
    /// stay below it in every script of up to three bytes a character.
    pub const MAX_KEY_BYTES: usize = 1_620;

    /// Makes a line.
    ///
    /// # Errors
    ///
    /// [`LineTooLong`] when order and SKU have more than [`OrderLine::MAX_KEY_BYTES`] together.
    pub fn new(order_id: OrderId, sku: Sku, quantity: Quantity) -> Result<Self, LineTooLong> {
        let bytes = order_id.as_str().len() + sku.as_str().len();
        if bytes > Self::MAX_KEY_BYTES {
            return Err(LineTooLong(bytes));
        }
        Ok(Self { order_id, sku, quantity })
    }

    /// The order that the line belongs to.
    #[must_use]
    pub const fn order_id(&self) -> &OrderId {
        &self.order_id
    }

    /// What is ordered.
    #[must_use]
    pub const fn sku(&self) -> &Sku {
        &self.sku
    }

    /// How many units are ordered.
    #[must_use]
    pub const fn quantity(&self) -> Quantity {
        self.quantity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_no_index_can_hold_is_refused() {
        let line = |c: &str| {
            let long = c.repeat(255);
            OrderLine::new(OrderId::parse(long.clone()).unwrap(), Sku::parse(long).unwrap(), Quantity::new(1).unwrap())
        };
        assert!(line("字").is_ok());
        assert_eq!(line("🪑"), Err(LineTooLong(2_040)));
    }
}
