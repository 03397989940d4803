//! The address of the broker.

use lapin::auth::AuthProvider;
use lapin::types::{LongString, ShortString};
use lapin::uri::{AMQPScheme, AMQPUri, SASLMechanism};
use std::fmt;

/// The address of a broker, parsed from a URL: `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps://` for TLS.
///
/// `Debug` and `Display` never show the password.
///
/// ```
/// use allocation_adapters_rabbitmq::AmqpUrl;
///
/// let url = AmqpUrl::parse("amqp://clerk:secret@broker.example:5672/%2f")?;
/// assert_eq!(url.to_string(), "amqp://broker.example:5672/%2f");
/// # Ok::<(), allocation_adapters_rabbitmq::InvalidAmqpUrl>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl {
    /// Without the password, because lapin may log the address.
    uri: AMQPUri,
    password: String,
}

/// A text that is not an [`AmqpUrl`].
///
/// The message never quotes the text, which may contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps:// for TLS; percent-encode : / ? # @ in a name or password"
)]
pub struct InvalidAmqpUrl;

impl AmqpUrl {
    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// [`InvalidAmqpUrl`] when the URL is invalid.
    pub fn parse(url: &str) -> Result<Self, InvalidAmqpUrl> {
        let mut uri: AMQPUri = url.parse().map_err(|_| InvalidAmqpUrl)?;
        // These detect a silent broker within seconds, unless the URL sets other values.
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        uri.query.connection_timeout.get_or_insert(CONNECT_MILLISECONDS);
        let password = std::mem::take(&mut uri.authority.userinfo.password);
        Ok(Self { uri, password })
    }

    /// Returns whether connections are encrypted.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.uri.scheme == AMQPScheme::AMQPS
    }

    /// Returns the address without the password.
    pub(crate) fn uri(&self) -> AMQPUri {
        self.uri.clone()
    }

    /// Returns the user and password, unless the URL names an authentication mechanism that needs none.
    pub(crate) fn login(&self) -> Option<Login> {
        let user = &self.uri.authority.userinfo.username;
        let plain = matches!(self.uri.query.auth_mechanism, None | Some(SASLMechanism::Plain));
        plain.then(|| Login(format!("\0{user}\0{}", self.password)))
    }
}

/// User and password in the format of SASL PLAIN.
pub(crate) struct Login(String);

impl AuthProvider for Login {
    fn mechanism(&self) -> ShortString {
        SASLMechanism::Plain.name().into()
    }

    fn auth_starter(&self) -> Result<LongString, String> {
        Ok(self.0.as_str().into())
    }
}

/// Either side closes a connection after twice this time without a sign of life.
const HEARTBEAT_SECONDS: u16 = 10;
const CONNECT_MILLISECONDS: u64 = 5_000;

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.uri;
        write!(f, "{scheme}://{}:{}/{}", authority.host, authority.port, vhost.replace('/', "%2f"))
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmqpUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        for url in ["amqp://u:secret@h:1/v", "amqp://u:secret@h", "amqp://u:sec%3Fret@h:1/%2f?heartbeat=3"] {
            let url = AmqpUrl::parse(url).unwrap();
            assert!(!format!("{url} {url:?} {:?}", url.uri()).contains("sec"), "{url}");
            assert!(url.login().unwrap().auth_starter().unwrap().as_bytes().starts_with(b"\0u\0sec"));
        }
    }

    #[test]
    fn an_invalid_url_is_rejected_and_not_quoted() {
        for wrong in ["", "secret", "http://u:secret@h", "amqp://u:sec#ret@h:x/v", "amqp://u:secret@h:99999/v"] {
            let error = AmqpUrl::parse(wrong).unwrap_err();
            assert_eq!(error, InvalidAmqpUrl, "{wrong}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_silent_broker_times_out_unless_the_url_says_otherwise() {
        let query = |url: &str| AmqpUrl::parse(url).unwrap().uri().query;
        assert_eq!(query("amqp://h").heartbeat, Some(HEARTBEAT_SECONDS));
        assert_eq!(query("amqp://h?heartbeat=60").heartbeat, Some(60));
    }
}
