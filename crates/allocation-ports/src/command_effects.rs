use crate::{CausationId, StoreError};
use allocation_domain::Event;

/// Finds the events that earlier commands have caused.
///
/// A command can arrive again long after it was committed. Another command may have undone its effect
/// since, so a repeat must not apply it a second time.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait CommandEffects: Send + Sync {
    /// Returns the retained events that the commands caused, in any order. Each command is paired with the
    /// name of the events to return ([`Event::name`]). Every committed event MUST be found.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn caused_by(&self, commands: &[(CausationId, &'static str)]) -> Result<Vec<(CausationId, Event)>, StoreError>;
}
