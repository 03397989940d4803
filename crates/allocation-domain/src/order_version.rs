//! Versions of orders.

use crate::{LineState, OnShortage, Promises, ReservationState, Sku};

/// The version of an order: a checksum of what was requested of it, which no change of stock alters.
///
/// It changes with the lines, their quantities and terms, and the state of the hold. Two versions are equal if
/// the order has the same content, whatever it was in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderVersion(u64);

impl OrderVersion {
    /// Returns the version with this number.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number of the version.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Returns the version of an order with all these lines, sorted by SKU.
    pub(crate) fn of_lines(lines: &[(Sku, LineState)]) -> Self {
        let mut sum = Checksum(0xcbf2_9ce4_8422_2325);
        for (sku, line) in lines {
            sum.add(sku.as_str().as_bytes());
            // No text in UTF-8 contains this byte.
            sum.add(&[0xff]);
            sum.add(&line.quantity.get().to_be_bytes());
            sum.add(&line.terms.priority.to_be_bytes());
            let accepts_backorders = line.terms.on_shortage == OnShortage::Backorder;
            sum.add(&[u8::from(accepts_backorders), u8::from(line.terms.allow_split)]);
            // The version of an order with fair promises is the one that programs from before promises return.
            if line.terms.promises == Promises::Stable {
                sum.add(&[u8::MAX]);
            }
            if line.terms.ship_complete {
                // No state has this number, so the versions of other orders stay as they were.
                sum.add(&[0xfe]);
            }
            let (state, expires_at) = match line.commitment {
                ReservationState::Firm => (0, 0),
                ReservationState::Held { expires_at } => (1, expires_at.timestamp_micros()),
                ReservationState::Expired => (2, 0),
                ReservationState::Cancelled => (3, 0),
                ReservationState::Closed => (4, 0),
            };
            sum.add(&[state]);
            sum.add(&expires_at.to_be_bytes());
        }
        Self(sum.0)
    }
}

/// An FNV-1a checksum, which is the same in every process.
struct Checksum(u64);

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        self.0 = bytes.iter().fold(self.0, step);
    }
}
