use crate::token_keys::TokenKey;
use crate::{Actor, Scope, Scopes, TokenAlgorithm, TokenKeys, TokenRefusal, TokenSubject};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Number;
use std::sync::Arc;
use std::time::Duration;

/// The time by which the clocks of the issuer and of this service may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(10);

/// What a token must say, beside being valid now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// The issuer, as the claim `iss` has it.
    pub issuer: String,
    /// The audience, one of those that the claim `aud` has.
    pub audience: String,
}

/// A verified token: a JSON Web Token (RFC 7519).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    actor: Actor,
    scopes: Scopes,
    not_before: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
    key: Arc<TokenKey>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Extensions that a verifier must understand; this one knows none.
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<OneOrMany>,
    exp: Number,
    nbf: Option<Number>,
    /// Names that are separated by spaces (RFC 8693); some issuers write an array, or name it `scp`.
    scope: Option<OneOrMany>,
    scp: Option<OneOrMany>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl Token {
    /// The maximum length of a token in bytes.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Verifies a token at a time: first its signature, then its claims.
    ///
    /// A token must have `iss`, `sub`, `aud` and `exp`; times may be off by ten seconds. Scopes that this service does
    /// not know are ignored.
    ///
    /// # Errors
    ///
    /// The reason for a refusal. Only a token of the issuer learns more than that its signature is wrong.
    pub fn verify(text: &str, keys: &TokenKeys, rules: &TokenRules, now: DateTime<Utc>) -> Result<Self, TokenRefusal> {
        if text.len() > Self::MAX_BYTES {
            return Err(TokenRefusal::Malformed);
        }
        let mut parts = text.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenRefusal::Malformed);
        };
        let message = &text.as_bytes()[..header.len() + 1 + claims.len()];
        let header: Header = parse(header)?;
        if header.crit.is_some() || !header.typ.as_deref().is_none_or(is_access_token) {
            return Err(TokenRefusal::Malformed);
        }
        let algorithm: TokenAlgorithm = header.alg.parse()?;
        let key = keys.find(header.kid.as_deref(), algorithm).ok_or(TokenRefusal::UnknownKey)?;
        if !key.verifies(message, &decode(signature)?) {
            return Err(TokenRefusal::Signature);
        }
        let token = Self::new(&parse(claims)?, rules, key)?;
        token.check(now)?;
        Ok(token)
    }

    fn new(claims: &Claims, rules: &TokenRules, key: &Arc<TokenKey>) -> Result<Self, TokenRefusal> {
        if claims.iss.as_ref() != Some(&rules.issuer) {
            return Err(TokenRefusal::Issuer);
        }
        if !claims.aud.iter().flat_map(OneOrMany::as_slice).any(|audience| *audience == rules.audience) {
            return Err(TokenRefusal::Audience);
        }
        let subject = claims.sub.as_deref().and_then(TokenSubject::parse).ok_or(TokenRefusal::Subject)?;
        let names = [&claims.scope, &claims.scp].into_iter().flatten().flat_map(OneOrMany::as_slice);
        let scopes =
            names.flat_map(|names| names.split_ascii_whitespace()).filter_map(|name| name.parse::<Scope>().ok());
        Ok(Self {
            actor: Actor::Token(subject),
            scopes: scopes.collect(),
            not_before: claims.nbf.as_ref().map(instant).transpose()?,
            expires_at: instant(&claims.exp)?,
            key: Arc::clone(key),
        })
    }

    /// Checks that a verified token is valid at a time.
    ///
    /// # Errors
    ///
    /// [`TokenRefusal::Expired`] or [`TokenRefusal::NotYetValid`].
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), TokenRefusal> {
        if self.expires_at <= now - LEEWAY {
            return Err(TokenRefusal::Expired);
        }
        if self.not_before.is_some_and(|from| from > now + LEEWAY) {
            return Err(TokenRefusal::NotYetValid);
        }
        Ok(())
    }

    /// Returns whether a set of keys still has the one that signed the token, not only one of its name.
    #[must_use]
    pub fn is_signed_with_one_of(&self, keys: &TokenKeys) -> bool {
        keys.contain(&self.key)
    }

    /// Returns whom the token authenticates.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns what the token allows.
    #[must_use]
    pub const fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// Returns when the token expires.
    #[must_use]
    pub const fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }
}

/// Returns whether a type is that of access tokens (RFC 9068), or says nothing. Issuers sign tokens of other types with
/// the same keys, for example those of a logout.
fn is_access_token(typ: &str) -> bool {
    ["at+jwt", "application/at+jwt", "JWT"].iter().any(|known| known.eq_ignore_ascii_case(typ))
}

fn decode(text: &str) -> Result<Vec<u8>, TokenRefusal> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenRefusal::Malformed)
}

fn parse<T: DeserializeOwned>(part: &str) -> Result<T, TokenRefusal> {
    serde_json::from_slice(&decode(part)?).map_err(|_| TokenRefusal::Malformed)
}

/// Returns the instant of a number of seconds since 1970, which may have a fraction.
fn instant(seconds: &Number) -> Result<DateTime<Utc>, TokenRefusal> {
    let time = seconds.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.and_then(|time| TimeDelta::from_std(time).ok())
        .and_then(|time| DateTime::UNIX_EPOCH.checked_add_signed(time))
        .ok_or(TokenRefusal::Malformed)
}

#[cfg(test)]
mod tests;
