//! Vital signs of background threads.

use std::sync::{Arc, Weak};

/// The vital sign of a background thread.
#[derive(Debug, Clone)]
pub struct Vital {
    name: String,
    thread: Weak<()>,
}

/// The sign of life that a thread holds while it runs.
#[derive(Debug, Default)]
pub(crate) struct Alive(Arc<()>);

impl Alive {
    /// Returns the vital sign of the thread, under this name.
    pub(crate) fn vital(&self, name: &str) -> Vital {
        Vital { name: name.to_owned(), thread: Arc::downgrade(&self.0) }
    }
}

impl Vital {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.thread.strong_count() == 0
    }
}
