use crate::validation_error::{ValidationErrors, refuse};
use allocation_domain::{MaxLinesError, NewPickList};
use deserr::{Deserr, IntoValue, Value, ValuePointerRef};
use serde::Deserialize;

/// The maximum number of lines of a list.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "u64")]
pub(super) struct MaxLines(usize);

impl MaxLines {
    /// Limits a list to this number of lines.
    #[expect(clippy::expect_used, reason = "the number was validated when it was parsed")]
    pub(super) fn limit(self, list: NewPickList) -> NewPickList {
        list.with_max_lines(self.0).expect("the number of lines is valid")
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

impl Deserr<ValidationErrors> for MaxLines {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        at: ValuePointerRef<'_>,
    ) -> Result<Self, ValidationErrors> {
        let lines = match value {
            Value::Integer(lines) => Self::try_from(lines),
            _ => Err(MaxLinesError),
        };
        lines.or_else(|error| refuse(at, error.to_string()))
    }
}
