//! The memory limit that all request bodies share.

use crate::blocking::permit;
use crate::problem::{Kind, Problem};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes that all bodies in flight may occupy together. Small bodies do not count.
///
/// A body counts from its arrival until its request finishes, because its parsed form lives as long.
const MAX_IN_FLIGHT: usize = 64 * 1024 * 1024;

/// The number of large bodies that are parsed at a time. Meanwhile each takes up to three times its size.
const MAX_PARSING: usize = 2;

/// The remaining memory for bodies in flight, and the turns of parsing large ones.
#[derive(Clone)]
pub(crate) struct Bodies {
    free: Arc<AtomicUsize>,
    parsing: Arc<Semaphore>,
}

/// The counted bytes of one body, released on drop.
pub(crate) struct Share {
    bodies: Bodies,
    bytes: usize,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { free: Arc::new(AtomicUsize::new(MAX_IN_FLIGHT)), parsing: Arc::new(Semaphore::new(MAX_PARSING)) }
    }
}

impl Bodies {
    /// Returns an empty share for a body that has not arrived yet.
    pub(crate) fn share(&self) -> Share {
        Share { bodies: self.clone(), bytes: 0 }
    }

    /// Waits for the turn to parse a large body, until the value is dropped. [`MAX_IN_FLIGHT`] bounds the bodies
    /// that wait.
    pub(crate) async fn parsing_turn(&self) -> OwnedSemaphorePermit {
        permit(&self.parsing).await
    }
}

impl Share {
    /// Grows the share to `bytes`; a share that is already larger keeps its size.
    ///
    /// # Errors
    ///
    /// [`Kind::Overloaded`] if the memory is exhausted.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), Problem> {
        let more = bytes.saturating_sub(self.bytes);
        let take = |free: usize| free.checked_sub(more);
        match self.bodies.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => {
                self.bytes += more;
                Ok(())
            }
            Err(_) => Err(Problem::new(
                Kind::Overloaded,
                "The bodies of the requests under way take all the memory \
                they may have. Nothing was changed; send the request again after the time in `Retry-After`.",
            )),
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.bodies.free.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Bodies, MAX_IN_FLIGHT};

    #[test]
    fn bodies_share_a_budget_and_return_it() {
        let bodies = Bodies::default();
        let (mut one, mut other) = (bodies.share(), bodies.share());
        one.grow_to(MAX_IN_FLIGHT - 10).unwrap();
        other.grow_to(10).unwrap();
        other.grow_to(5).unwrap();
        other.grow_to(11).unwrap_err();
        drop(one);
        other.grow_to(MAX_IN_FLIGHT).unwrap();
        bodies.share().grow_to(1).unwrap_err();
        drop(other);
        bodies.share().grow_to(MAX_IN_FLIGHT).unwrap();
    }
}
