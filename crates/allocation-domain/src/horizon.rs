//! How far a product restored with some of its rows can see.

/// Up to where all rows of a sorted list are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Horizon<Key> {
    /// All of them.
    All,
    /// Those up to this one.
    UpTo(Key),
    /// None of them for certain.
    Nothing,
}

impl<Key: Ord> Horizon<Key> {
    /// The horizon of a store that gave rows up to `last`, and says whether there are more.
    pub(crate) fn after(last: Option<Key>, more: bool) -> Self {
        match last {
            _ if !more => Self::All,
            Some(last) => Self::UpTo(last),
            None => Self::Nothing,
        }
    }

    /// Whether every row is known.
    pub(crate) const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Whether every row up to `key` is known.
    pub(crate) fn covers(&self, key: &Key) -> bool {
        match self {
            Self::All => true,
            Self::UpTo(last) => key <= last,
            Self::Nothing => false,
        }
    }
}
