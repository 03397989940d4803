use crate::{CausationId, StoreError};
use allocation_domain::Event;

/// Knows what commands have done already.
///
/// A command may come again when it was carried out long since. What it does by itself may have been
/// undone by another command meanwhile, so that it must not be done anew.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait CommandEffects: Send + Sync {
    /// The events that commands have caused, as far as they are retained: of each command those of one
    /// name ([`Event::name`]), in any order. What is committed MUST be found.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn caused_by(&self, commands: &[(CausationId, &'static str)]) -> Result<Vec<(CausationId, Event)>, StoreError>;
}
