use crate::plain_text::is_plain;
use crate::{KeyId, TokenSubject};
use std::fmt;

/// The author of a change or a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Actor {
    /// A caller without credentials, where none are required.
    #[default]
    Anonymous,
    /// The service itself: a hold expired, or lines were moved in steps.
    System,
    /// The holder of a key.
    Key(KeyId),
    /// The subject of a token.
    Token(TokenSubject),
    /// A user of the message broker.
    BrokerUser(BrokerUser),
    /// It was not recorded, or this program does not know its kind.
    Unknown,
}

impl Actor {
    /// Parses a stored actor. Later programs may have stored kinds that this one does not know.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            None if text == "anonymous" => Self::Anonymous,
            None if text == "system" => Self::System,
            Some(("key", id)) => KeyId::parse(id).map_or(Self::Unknown, Self::Key),
            Some(("token", subject)) => TokenSubject::parse(subject).map_or(Self::Unknown, Self::Token),
            Some(("broker", name)) => BrokerUser::parse(name).map_or(Self::Unknown, Self::BrokerUser),
            _ => Self::Unknown,
        }
    }
}

/// Writes the form that is stored and shown, such as `key:3kVdR0sUwQa`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::System => f.write_str("system"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Token(subject) => write!(f, "token:{subject}"),
            Self::BrokerUser(user) => write!(f, "broker:{user}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// The name of a user of the message broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUser(Box<str>);

impl BrokerUser {
    /// The maximum number of bytes, which is that of an AMQP property.
    pub const MAX_BYTES: usize = 255;

    /// Parses a name of 1 to [`BrokerUser::MAX_BYTES`] bytes without control characters. Returns `None` for any other
    /// text.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        is_plain(name, Self::MAX_BYTES).then(|| Self(name.into()))
    }
}

impl fmt::Display for BrokerUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_read_as_it_was_written() {
        for actor in [
            Actor::Anonymous,
            Actor::System,
            Actor::Key(KeyId::parse("3kVdR0sUwQa").unwrap()),
            Actor::Token(TokenSubject::parse("auth0|5f7c:8ec7").unwrap()),
            Actor::BrokerUser(BrokerUser::parse("erp: \"north\"").unwrap()),
            Actor::Unknown,
        ] {
            assert_eq!(Actor::parse(&actor.to_string()), actor);
        }
    }

    #[test]
    fn an_actor_of_an_unknown_kind_or_form_is_unknown() {
        for text in ["", "root", "key:", "key:short", "robot:7", "broker:", "broker:a\nb", "token:"] {
            assert_eq!(Actor::parse(text), Actor::Unknown, "{text:?}");
        }
        assert!(BrokerUser::parse(&"é".repeat(127)).is_some() && BrokerUser::parse(&"é".repeat(128)).is_none());
    }
}
