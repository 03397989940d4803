//! How far a line is fulfilled.

/// How many units of a line are on pick lists, picked and shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fulfilment {
    /// On pick lists and not picked yet: a part of what is allocated.
    pub listed: u32,
    /// Picked and not shipped yet: no longer among what is allocated.
    pub picked: u32,
    /// Shipped: they left for good.
    pub shipped: u32,
}

impl Fulfilment {
    /// How many units were picked, shipped or not.
    #[must_use]
    pub const fn taken(&self) -> u32 {
        self.picked + self.shipped
    }
}
