//! The outcome of a command that its caller may repeat.

/// Whether a command has changed anything.
///
/// A repeated command finds the state that it requests, and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T, U = T> {
    /// The command changed something; this is the result.
    Changed(T),
    /// The state was already as requested; this is the state.
    Unchanged(U),
}
