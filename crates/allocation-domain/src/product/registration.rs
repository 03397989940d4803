//! Products that are known before they have a batch.

use super::Product;
use crate::Event;

impl Product {
    /// Registers a product of which there is nothing yet, so that lines can wait for it; returns whether
    /// it was new. A product is registered for good, whether it was registered so or got a batch.
    pub fn register(&mut self) -> bool {
        // The unit of work that makes a product is the first to lock it.
        let is_new = self.version <= 1 && self.events.is_empty() && self.batches.is_empty() && self.lines.is_empty();
        if is_new {
            self.events.push(Event::ProductRegistered { sku: self.sku.clone() });
        }
        is_new
    }
}
