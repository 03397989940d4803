use allocation_access::TokenKeys;
use std::error::Error;

/// The keys of an issuer could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("the keys of the issuer cannot be fetched")]
pub struct TokenKeysUnavailable(#[source] pub Box<dyn Error + Send + Sync>);

/// The place where an issuer of tokens publishes its keys.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait TokenKeySource: Send + Sync {
    /// Fetches the current keys. It MUST return within a minute.
    ///
    /// # Errors
    ///
    /// [`TokenKeysUnavailable`] if the issuer does not answer, or if its answer is not a set of usable keys.
    fn fetch(&self) -> Result<TokenKeys, TokenKeysUnavailable>;
}
