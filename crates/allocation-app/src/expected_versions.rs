use allocation_domain::BatchVersion;
use chrono::DateTime;
use std::collections::BTreeSet;

/// A version that no batch has: revisions start at 1.
const NO_VERSION: BatchVersion = BatchVersion { added_at: DateTime::UNIX_EPOCH, revision: 0 };

/// The versions of a batch that a caller accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedVersions {
    /// Any version.
    Any,
    /// One of these; no version if the set is empty.
    OneOf(BTreeSet<BatchVersion>),
}

impl ExpectedVersions {
    /// Returns whether the caller accepts a version.
    #[must_use]
    pub fn contains(&self, version: BatchVersion) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }

    /// Returns the newest version, or one that no batch has if none is accepted; `None` for any version.
    pub(crate) fn newest(&self) -> Option<BatchVersion> {
        match self {
            Self::Any => None,
            Self::OneOf(versions) => Some(versions.last().copied().unwrap_or(NO_VERSION)),
        }
    }
}
