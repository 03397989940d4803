//! Hints to the planners of the databases, by name, and the tests of the plans that they lead to.
//!
//! PostgreSQL keeps the plan of a prepared statement while tables grow, so a plan must be right for tables of
//! any size. It then has to follow from the text alone: a statement leaves the planner only one index for
//! each step, and one order of the steps.

/// Keeps a subquery as it is: PostgreSQL neither merges it into the outer query nor drops its order.
pub(crate) const SEPARATE: &str = " OFFSET 0";

/// Hides a column from the indexes that begin with it.
pub(crate) const NOT_INDEXED: &str = " + 0";

/// Limits the rows of a result. SQLite prepares a statement again for each run if its limit is a plain
/// parameter, because another limit might have a better plan.
pub(crate) const LIMIT: &str = " LIMIT +?";

/// Limits the rows of a set to their number, so that the planner expects few and looks each up instead of
/// scanning a table.
pub(crate) const AS_MANY: &str = " LIMIT ?";

/// Compares a column with a value as a range of one. Unlike with `=`, the column still counts in ORDER BY,
/// and only an index that has it in that place serves the order.
macro_rules! is {
    ($column:literal, $value:literal) => {
        concat!($column, " BETWEEN ", $value, " AND ", $value)
    };
}

pub(crate) use is;

#[cfg(test)]
mod event_log;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod writes;
