//! Products that are registered before they have a batch.

use super::Product;
use crate::Event;

impl Product {
    /// Registers an empty product, so that lines can wait for it. Returns whether it was new. Registration
    /// is permanent, and adding a batch also registers a product.
    pub fn register(&mut self) -> bool {
        // The unit of work that creates a product is the first to lock it.
        let is_new = self.version <= 1 && self.events.is_empty() && self.batches.is_empty() && self.lines.is_empty();
        if is_new {
            self.events.push(Event::ProductRegistered { sku: self.sku.clone() });
        }
        is_new
    }
}
