use crate::fault::{Faults, refuse};
use allocation_domain::{MaxLinesError, NewPickList};
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde::Deserialize;

/// How many lines a list has at most.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "u64")]
pub(super) struct MaxLines(usize);

impl MaxLines {
    /// This list with so many lines at most.
    #[expect(clippy::expect_used, reason = "the number was checked when it was read")]
    pub(super) fn limit(self, list: NewPickList) -> NewPickList {
        list.with_max_lines(self.0).expect("it is a number of lines")
    }
}

impl Default for MaxLines {
    fn default() -> Self {
        Self(NewPickList::MAX_LINES)
    }
}

impl TryFrom<u64> for MaxLines {
    type Error = MaxLinesError;

    fn try_from(lines: u64) -> Result<Self, MaxLinesError> {
        let lines = usize::try_from(lines).map_err(|_| MaxLinesError)?;
        if (1..=NewPickList::MAX_LINES).contains(&lines) { Ok(Self(lines)) } else { Err(MaxLinesError) }
    }
}

impl Deserr<Faults> for MaxLines {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, at: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let lines = match value {
            Value::Integer(lines) => Self::try_from(lines),
            _ => Err(MaxLinesError),
        };
        lines.or_else(|error| refuse(at, error.to_string()))
    }
}
