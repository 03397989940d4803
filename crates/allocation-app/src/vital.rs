//! Vital signs of background threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// The vital sign of a background thread.
#[derive(Debug, Clone)]
pub struct Vital {
    name: String,
    thread: Weak<()>,
    steps: Arc<Steps>,
}

/// The sign of life that a thread holds while it runs.
#[derive(Debug, Default)]
pub(crate) struct Alive {
    thread: Arc<()>,
    steps: Arc<Steps>,
}

/// The steps of a thread that repeats one.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    begun: AtomicU64,
    panicked: AtomicU64,
}

impl Steps {
    pub(crate) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn panic(&self) {
        self.panicked.fetch_add(1, Ordering::Relaxed);
    }
}

impl Alive {
    /// Returns the vital sign of the thread, under this name.
    pub(crate) fn vital(&self, name: &str) -> Vital {
        Vital { name: name.to_owned(), thread: Arc::downgrade(&self.thread), steps: Arc::clone(&self.steps) }
    }

    pub(crate) fn steps(&self) -> &Steps {
        &self.steps
    }
}

impl Vital {
    /// Returns the name of the thread.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether the thread has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.strong_count() == 0
    }

    /// Returns how many steps the thread has begun; 0 if it repeats none.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps.begun.load(Ordering::Relaxed)
    }

    /// Returns how many steps have panicked.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.steps.panicked.load(Ordering::Relaxed)
    }
}
