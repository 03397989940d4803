use crate::{PageSize, StoreError};
use allocation_domain::{CountId, StockCount};
use chrono::{DateTime, Utc};

/// What a list shows of a count of stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountSummary {
    /// The id.
    pub count_id: CountId,
    /// Whether expected units are hidden until it is closed.
    pub blind: bool,
    /// When it was opened, in microseconds.
    pub opened_at: DateTime<Utc>,
    /// When it was closed, in microseconds; `None` while it is open.
    pub closed_at: Option<DateTime<Utc>>,
    /// The number of lines.
    pub lines: usize,
    /// The number of lines that are entered.
    pub entered: usize,
}

impl From<&StockCount> for CountSummary {
    fn from(count: &StockCount) -> Self {
        Self {
            count_id: count.count_id().clone(),
            blind: count.request.blind,
            opened_at: count.opened_at,
            closed_at: count.closed.as_ref().map(|closed| closed.closed_at),
            lines: count.lines.len(),
            entered: count.lines.iter().filter(|line| line.entry.is_some()).count(),
        }
    }
}

/// A page of counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CountPage {
    /// The counts, by the bytes of their ids.
    pub counts: Vec<CountSummary>,
    /// The count after which the next page begins, `None` at the end.
    pub next: Option<CountId>,
}

/// Reads counts of stock.
pub trait CountQueries: Send + Sync {
    /// Returns a count, `None` when none has that id.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn count(&self, count_id: &CountId) -> Result<Option<StockCount>, StoreError>;

    /// Returns the counts after `after`, by the bytes of their ids.
    ///
    /// The cost of a page does not grow with the counts before it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    fn counts(&self, after: Option<CountId>, page: PageSize) -> Result<CountPage, StoreError>;
}
