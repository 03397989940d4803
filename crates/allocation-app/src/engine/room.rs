use tokio::sync::OwnedSemaphorePermit;

/// Room in a queue, released on drop.
#[derive(Debug)]
pub(super) struct Room {
    _lines: OwnedSemaphorePermit,
    /// The share of bulk requests.
    _bulk: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(super) const fn new(lines: OwnedSemaphorePermit, bulk: Option<OwnedSemaphorePermit>) -> Self {
        Self { _lines: lines, _bulk: bulk }
    }
}
