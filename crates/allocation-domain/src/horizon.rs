//! The extent of partially loaded rows.

/// The key up to which all rows of a sorted list are loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Horizon<Key> {
    /// All rows are loaded.
    All,
    /// All rows up to this key are loaded.
    UpTo(Key),
    /// No row is certain to be loaded.
    Nothing,
}

impl<Key: Ord> Horizon<Key> {
    /// Creates the horizon of rows loaded up to `last`. With `more`, the store may have further
    /// rows.
    pub(crate) fn after(last: Option<Key>, more: bool) -> Self {
        match last {
            _ if !more => Self::All,
            Some(last) => Self::UpTo(last),
            None => Self::Nothing,
        }
    }

    /// Returns whether every row is loaded.
    pub(crate) const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Returns whether every row up to `key` is loaded.
    pub(crate) fn covers(&self, key: &Key) -> bool {
        match self {
            Self::All => true,
            Self::UpTo(last) => key <= last,
            Self::Nothing => false,
        }
    }
}
