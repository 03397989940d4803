//! What a route needs from its callers.

use allocation_access::Scope;

/// What a caller needs to use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Nothing: the route discloses nothing of the stock.
    Open,
    /// A key, whatever it allows.
    AnyKey,
    /// A key with a scope.
    Scope(Scope),
}

impl From<Scope> for Permission {
    fn from(scope: Scope) -> Self {
        Self::Scope(scope)
    }
}
