/// The maximum number of rows of a page, from 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The largest number of rows.
    pub const MAX: u16 = 1_000;

    /// A page of one row, to check whether there is any.
    pub const ONE: Self = Self(1);

    /// The largest page.
    pub const LARGEST: Self = Self(Self::MAX);

    /// Returns a page of `rows` rows, or `None` unless `rows` is from 1 to [`PageSize::MAX`].
    #[must_use]
    pub const fn new(rows: u16) -> Option<Self> {
        if rows >= 1 && rows <= Self::MAX { Some(Self(rows)) } else { None }
    }

    /// Returns the number of rows.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(100)
    }
}
