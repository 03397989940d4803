//! Access to the Allocation Service: API keys, tokens of an issuer, scopes, the keyring and rate limits.
//!
//! Pure: time and random bytes are passed in.
#![warn(missing_docs)]

mod actor;
mod api_key;
mod base62;
mod bucket;
mod key_digest;
mod key_id;
mod key_name;
mod key_record;
mod keyring;
mod last_use;
mod plain_text;
mod rate;
mod scope;
mod token;
mod token_algorithm;
mod token_keys;
mod token_refusal;
mod token_subject;

pub use actor::{Actor, BrokerUser};
pub use api_key::{ApiKey, MalformedKey};
pub use bucket::{Bucket, Quota, RateLimited};
pub use key_digest::KeyDigest;
pub use key_id::{InvalidKeyId, KeyId};
pub use key_name::{InvalidKeyName, KeyName};
pub use key_record::{KeyRecord, PreviousDigest};
pub use keyring::{KeyEntry, KeyRefusal, Keyring};
pub use rate::{InvalidRate, Rate};
pub use scope::{Scope, Scopes, UnknownScope};
pub use token::{Token, TokenRules};
pub use token_algorithm::TokenAlgorithm;
pub use token_keys::{InvalidTokenKeys, TokenKeys};
pub use token_refusal::TokenRefusal;
pub use token_subject::TokenSubject;
