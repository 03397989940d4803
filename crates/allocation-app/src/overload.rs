//! Errors that mean overload.

use crate::make_pick_list::{AllListed, AlwaysTaken};
use crate::unit_of_work::{FarBehind, WaitedTooLong};
use allocation_ports::StoreError;

/// Returns whether an error means overload: the service has too much work of its own, and the command was
/// rejected. Locks held by other transactions do not count.
#[must_use]
pub fn is_overload(error: &StoreError) -> bool {
    let StoreError::Busy(cause) = error else { return false };
    cause.is::<WaitedTooLong>() || cause.is::<FarBehind>() || cause.is::<AlwaysTaken>() || cause.is::<AllListed>()
}
