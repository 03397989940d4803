//! Programs that follow the events of the Allocation Service, or run its use cases.
#![warn(missing_docs)]

mod feed;
mod picture;
mod queue;

pub use feed::follow_feed;
pub use picture::{CloudEvent, Picture};
pub use queue::consume_queue;
