//! Whether promises improve when units come free.

use crate::named::named;

/// Whether a line moves to a batch that arrives earlier, when units of it come free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Promises {
    /// It moves.
    #[default]
    Fair,
    /// It keeps its batch, and with it the date that was promised.
    Stable,
}

named!(Promises: Fair = "fair", Stable = "stable");

impl Promises {
    /// Returns whether this is the default, which events leave out.
    #[cfg(feature = "serde")]
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(crate) const fn is_fair(&self) -> bool {
        matches!(self, Self::Fair)
    }
}
