use std::time::Duration;

/// The outcome of one group of lines and orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupMeasure {
    /// The number of lines in the group, including the lines of its orders.
    pub lines: usize,
    /// The number of lines that a rule rejected.
    pub refused: usize,
    /// The number of lines and orders in the queue when the group was taken from it.
    pub waiting: usize,
    /// The duration of the unit of work from begin to commit, retries included.
    pub took: Duration,
    /// Whether the whole group failed.
    pub failed: bool,
}

/// Records measurements of the allocation engine. MUST NOT block: it is called between commits.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait EngineMetrics: Send + Sync {
    /// Records a group that was decided or failed.
    fn group(&self, measure: GroupMeasure);

    /// Records a retry of a unit of work.
    fn retry(&self);

    /// Records a line or an order that was rejected because the queue was full.
    fn overload(&self);
}
