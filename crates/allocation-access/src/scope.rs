use std::fmt;
use std::str::FromStr;

/// What the holder of a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Read batches, allocations, orders, backorders, products and pick lists.
    Read,
    /// Read the event feed, which has the changes of all of them.
    EventsRead,
    /// Allocate lines; place, confirm, extend and cancel orders.
    OrdersWrite,
    /// Register products; add, change and remove batches.
    BatchesWrite,
    /// Make, pick, ship and release pick lists; create shipments; take back shipped units.
    PickingWrite,
    /// Everything, and the management of keys.
    Admin,
}

/// A text that names no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the scopes are read, events:read, orders:write, batches:write, picking:write and admin")]
pub struct UnknownScope;

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::EventsRead, Self::OrdersWrite, Self::BatchesWrite, Self::PickingWrite, Self::Admin];

    /// Returns the name of the scope.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::EventsRead => "events:read",
            Self::OrdersWrite => "orders:write",
            Self::BatchesWrite => "batches:write",
            Self::PickingWrite => "picking:write",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::EventsRead => 1 << 1,
            Self::OrdersWrite => 1 << 2,
            Self::BatchesWrite => 1 << 3,
            Self::PickingWrite => 1 << 4,
            Self::Admin => 1 << 5,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(UnknownScope)
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Returns the set that allows everything.
    #[must_use]
    pub const fn all() -> Self {
        Self(Scope::Admin.bit())
    }

    /// Returns whether the set has no scope.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns whether the set allows what a scope allows. `admin` allows everything.
    #[must_use]
    pub const fn allow(self, scope: Scope) -> bool {
        self.0 & (scope.bit() | Scope::Admin.bit()) != 0
    }

    /// Returns the scopes of the set, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

/// Separates the names by spaces, as OAuth 2.0 does.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for scope in self.iter() {
            write!(f, "{separator}{scope}")?;
            separator = " ";
        }
        Ok(())
    }
}

/// Parses names that are separated by spaces.
impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        text.split_ascii_whitespace().map(str::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_scope_allows_itself_alone_and_admin_allows_all() {
        for granted in Scope::ALL {
            for needed in Scope::ALL {
                let scopes = Scopes::from_iter([granted]);
                assert_eq!(scopes.allow(needed), granted == needed || granted == Scope::Admin, "{granted} {needed}");
            }
        }
        assert!(Scope::ALL.iter().all(|scope| Scopes::all().allow(*scope) && !Scopes::default().allow(*scope)));
    }

    #[test]
    fn unknown_names_are_refused() {
        for text in ["Read", "read,admin", "orders", "read write"] {
            assert_eq!(text.parse::<Scopes>(), Err(UnknownScope), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_set_is_parsed_from_its_text(scopes in prop::sample::subsequence(&Scope::ALL[..], 0..=6)) {
            let set = Scopes::from_iter(scopes.clone());
            prop_assert_eq!(set.to_string().parse(), Ok(set));
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), scopes);
        }
    }
}
