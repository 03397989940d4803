use std::time::Duration;

/// What became of one group of lines and orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupMeasure {
    /// How many lines the group had, those of its orders included.
    pub lines: usize,
    /// How many of them were refused by a rule.
    pub refused: usize,
    /// How many lines and orders waited in the queue when the group was taken.
    pub waiting: usize,
    /// How long the unit of work took, from begin to commit, repetitions included.
    pub took: Duration,
    /// Whether the group failed as a whole.
    pub failed: bool,
}

/// Is told what the allocation engine does. MUST NOT block: it is called between commits.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait EngineMetrics: Send + Sync {
    /// A group was decided, or failed.
    fn group(&self, measure: GroupMeasure);

    /// A unit of work is run again.
    fn retry(&self);

    /// A line or an order was refused because the queue was full.
    fn overload(&self);
}
