//! The fulfilment of order lines.

/// The units of a line that are on pick lists, picked, shipped and returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Fulfilment {
    /// On pick lists and not picked yet: a part of the allocated units.
    pub listed: u32,
    /// Picked and not shipped yet: no longer allocated.
    pub picked: u32,
    /// Shipped.
    pub shipped: u32,
    /// Came back after they were shipped: a part of the shipped units.
    #[cfg_attr(feature = "serde", serde(default))]
    pub returned: u32,
}

impl Fulfilment {
    /// Returns the picked units, shipped or not.
    #[must_use]
    pub const fn taken(&self) -> u32 {
        self.picked + self.shipped
    }

    /// Returns the units that were shipped and have not come back.
    #[must_use]
    pub const fn returnable(&self) -> u32 {
        self.shipped - self.returned
    }
}
