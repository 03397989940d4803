use crate::DatabaseUrl;
use std::error::Error;

/// The reason why a database cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the database {url}")]
pub struct ConnectError {
    url: String,
    #[source]
    cause: Box<dyn Error + Send + Sync>,
}

impl ConnectError {
    pub(crate) fn new(url: &DatabaseUrl, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { url: url.to_string(), cause: cause.into() }
    }
}
