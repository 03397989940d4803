use crate::{KeyId, KeyName, TokenSubject};
use std::fmt;

/// The author of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A caller without credentials, where none are required.
    Anonymous,
    /// The holder of a key.
    Key {
        /// The id of the key.
        id: KeyId,
        /// The name of the key.
        name: KeyName,
    },
    /// The subject of a token.
    Token(TokenSubject),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::Key { id, .. } => write!(f, "key:{id}"),
            Self::Token(subject) => write!(f, "token:{subject}"),
        }
    }
}
