//! Names of exchanges and queues.

use lapin::types::ShortString;
use std::fmt;

/// The name of an exchange or a queue: 1 to 240 bytes, which leaves room for a suffix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerName(String);

/// The reason why a text is not a [`BrokerName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokerNameError {
    /// The text is empty or too long.
    #[error("must have 1 to 240 bytes, not {0}")]
    Length(usize),
    /// Names with this prefix are reserved for the broker.
    #[error("must not begin with amq.")]
    Reserved,
}

impl BrokerName {
    /// Parses a name.
    ///
    /// # Errors
    ///
    /// [`BrokerNameError`] when the name breaks a rule.
    pub fn parse(name: &str) -> Result<Self, BrokerNameError> {
        if !(1..=240).contains(&name.len()) {
            return Err(BrokerNameError::Length(name.len()));
        }
        if name.starts_with("amq.") {
            return Err(BrokerNameError::Reserved);
        }
        Ok(Self(name.to_owned()))
    }

    /// Returns the name of the queue's dead-letter queue.
    pub(crate) fn dead(&self) -> Self {
        Self(format!("{}.dead", self.0))
    }

    #[expect(clippy::expect_used, reason = "a name is never longer than a short string may be")]
    pub(crate) fn short(&self) -> ShortString {
        ShortString::try_new(self.0.as_str()).expect("names are short")
    }
}

impl fmt::Display for BrokerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
