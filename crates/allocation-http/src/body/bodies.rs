//! The bodies that are in memory, all together.

use crate::problem::{Kind, Problem};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many bytes the bodies of all requests under way may take together. A body counts from when it comes
/// until its request is answered: what was made of it waits that long. Small ones do not count.
const MAX_IN_FLIGHT: usize = 64 * 1024 * 1024;

/// The bodies of the requests under way, as far as they count.
#[derive(Clone)]
pub(crate) struct Bodies {
    free: Arc<AtomicUsize>,
}

/// The bytes of one body that count. They are free again when it is dropped.
pub(crate) struct Share {
    bodies: Bodies,
    bytes: usize,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { free: Arc::new(AtomicUsize::new(MAX_IN_FLIGHT)) }
    }
}

impl Bodies {
    /// The share of a body that has not come yet.
    pub(crate) fn share(&self) -> Share {
        Share { bodies: self.clone(), bytes: 0 }
    }
}

impl Share {
    /// Takes as many bytes as make it so large; a smaller share stays as it is.
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
    fn bodies_share_what_there_is_and_give_it_back() {
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
