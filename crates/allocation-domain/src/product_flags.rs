//! The flags of a product.

use crate::Promises;

/// The flags that a store keeps of a product, beside its rows and totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct ProductFlags {
    /// Whether lines may be waiting for free units, or could move to free units that arrive earlier.
    pub unserved: bool,
    /// Whether lines move to earlier batches when units of them come free.
    pub promises: Promises,
    /// Whether the product is sold out: its last free unit was allocated, and no decision has left one free since.
    pub sold_out: bool,
}

impl ProductFlags {
    /// The flags of a new product.
    pub const NEW: Self = Self { unserved: false, promises: Promises::Fair, sold_out: false };
}
