use crate::TokenAlgorithm;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The maximum number of usable keys in a set.
const MAX_KEYS: usize = 100;

/// The length of an RSA modulus in bytes: 2,048 to 8,192 bits.
const MODULUS_BYTES: RangeInclusive<usize> = 256..=1_024;

/// The length of an RSA exponent in bytes.
const EXPONENT_BYTES: RangeInclusive<usize> = 1..=8;

/// The length of a coordinate of P-256, and of a key of Ed25519, in bytes.
const COORDINATE_BYTES: usize = 32;

/// The maximum length of a key id in bytes.
const MAX_ID_BYTES: usize = 256;

/// The public keys that verify the tokens of an issuer (a JWK Set, RFC 7517).
#[derive(Debug, PartialEq, Eq)]
pub struct TokenKeys(Vec<Arc<TokenKey>>);

/// A public key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TokenKey {
    id: Option<Box<str>>,
    material: Material,
}

#[derive(Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// Why a set of keys is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTokenKeys {
    /// It is not a JWK Set.
    #[error("not a JWK Set: {0}")]
    Malformed(String),
    /// No key of it verifies tokens.
    #[error("it has no key for RS256, ES256 or EdDSA")]
    Unusable,
    /// It has too many keys.
    #[error("it has more than {MAX_KEYS} keys")]
    TooMany,
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// The members that matter (RFC 7518, section 6; RFC 8037).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl TokenKeys {
    /// The maximum length of a set in bytes.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// Parses a JWK Set. Keys of other kinds and purposes are ignored, as RFC 7517 asks.
    ///
    /// # Errors
    ///
    /// [`InvalidTokenKeys`] if the text is no JWK Set, or if no key of it can be used.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidTokenKeys> {
        let set: JwkSet =
            serde_json::from_slice(json).map_err(|error| InvalidTokenKeys::Malformed(error.to_string()))?;
        let keys: Vec<_> = set.keys.into_iter().filter_map(TokenKey::new).map(Arc::new).collect();
        match keys.len() {
            0 => Err(InvalidTokenKeys::Unusable),
            1..=MAX_KEYS => Ok(Self(keys)),
            _ => Err(InvalidTokenKeys::TooMany),
        }
    }

    /// Returns the key of a token. Without an id, the key must be the only one of its algorithm.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: TokenAlgorithm) -> Option<&Arc<TokenKey>> {
        let mut found = self.0.iter().filter(|key| key.algorithm() == algorithm);
        match id {
            Some(_) => found.find(|key| key.id.as_deref() == id),
            None => found.next().filter(|_| found.next().is_none()),
        }
    }

    /// Returns whether the set has a key, with the same id and material.
    pub(crate) fn contain(&self, key: &TokenKey) -> bool {
        self.0.iter().any(|one| **one == *key)
    }
}

impl TokenKey {
    /// Returns the key of a JWK, `None` if it is not one that verifies tokens.
    fn new(jwk: Jwk) -> Option<Self> {
        let verifies = jwk.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let signs = jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
        if !verifies || !signs || jwk.kid.as_ref().is_some_and(|id| id.len() > MAX_ID_BYTES) {
            return None;
        }
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
        // A number has no leading zeros (RFC 7518, section 2); ring verifies nothing with one that does.
        let number = |text: &Option<String>| bytes(text).filter(|bytes| bytes.first() != Some(&0));
        let coordinate = |text: &Option<String>| bytes(text).filter(|bytes| bytes.len() == COORDINATE_BYTES);
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Material::Rsa {
                modulus: number(&jwk.n).filter(|n| MODULUS_BYTES.contains(&n.len()))?,
                exponent: number(&jwk.e).filter(|e| EXPONENT_BYTES.contains(&e.len()))?,
            },
            ("EC", Some("P-256")) => Material::P256([vec![4], coordinate(&jwk.x)?, coordinate(&jwk.y)?].concat()),
            ("OKP", Some("Ed25519")) => Material::Ed25519(coordinate(&jwk.x)?),
            _ => return None,
        };
        let key = Self { id: jwk.kid.map(Into::into), material };
        let algorithm_matches = jwk.alg.is_none_or(|name| name == key.algorithm().as_str());
        algorithm_matches.then_some(key)
    }

    /// Returns the algorithm, which the key alone decides: a token that names another one is not verified with it.
    const fn algorithm(&self) -> TokenAlgorithm {
        match self.material {
            Material::Rsa { .. } => TokenAlgorithm::Rs256,
            Material::P256(_) => TokenAlgorithm::Es256,
            Material::Ed25519(_) => TokenAlgorithm::EdDsa,
        }
    }

    /// Returns whether a signature of a message is one of this key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match &self.material {
            Material::Rsa { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
            Material::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature),
            Material::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
        };
        verified.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    #[test]
    fn keys_of_other_kinds_and_purposes_are_ignored() {
        let set = format!(
            r#"{{"keys": [
                {{"kty": "OKP", "crv": "Ed25519", "kid": "good", "x": "{X}", "unknown": [1]}},
                {{"kty": "OKP", "crv": "Ed25519", "kid": "encrypts", "use": "enc", "x": "{X}"}},
                {{"kty": "OKP", "crv": "Ed25519", "kid": "signs", "key_ops": ["sign"], "x": "{X}"}},
                {{"kty": "OKP", "crv": "Ed25519", "kid": "other", "alg": "ES256", "x": "{X}"}},
                {{"kty": "OKP", "crv": "X25519", "kid": "agrees", "x": "{X}"}},
                {{"kty": "OKP", "crv": "Ed25519", "kid": "short", "x": "{}"}},
                {{"kty": "OKP", "crv": "Ed25519", "kid": "padded", "x": "{X}="}},
                {{"kty": "EC", "crv": "P-384", "kid": "curve", "x": "{X}", "y": "{X}"}},
                {{"kty": "EC", "crv": "P-256", "kid": "point", "x": "{X}"}},
                {{"kty": "RSA", "kid": "weak", "n": "{}", "e": "AQAB"}},
                {{"kty": "RSA", "kid": "zero", "n": "AA{}", "e": "AQAB"}},
                {{"kty": "oct", "kid": "secret", "k": "c2VjcmV0"}}
            ]}}"#,
            &X[..42],
            "v".repeat(340),
            "v".repeat(344),
        );
        let keys = TokenKeys::parse(set.as_bytes()).unwrap();
        assert_eq!(keys.0.iter().map(|key| key.id.as_deref()).collect::<Vec<_>>(), [Some("good")]);
    }

    #[test]
    fn a_set_without_a_usable_key_or_with_too_many_is_refused() {
        let key = |id: usize| format!(r#"{{"kty": "OKP", "crv": "Ed25519", "kid": "{id}", "x": "{X}"}}"#);
        let set = |keys: &str| TokenKeys::parse(format!(r#"{{"keys": [{keys}]}}"#).as_bytes());
        assert_eq!(set("").unwrap_err(), InvalidTokenKeys::Unusable);
        let keys = |count| (0..count).map(key).collect::<Vec<_>>().join(",");
        assert!(set(&keys(MAX_KEYS)).is_ok());
        assert_eq!(set(&keys(MAX_KEYS + 1)).unwrap_err(), InvalidTokenKeys::TooMany);
        assert!(matches!(TokenKeys::parse(b"[]"), Err(InvalidTokenKeys::Malformed(_))));
    }

    #[test]
    fn a_token_without_a_key_id_needs_the_only_key_of_its_algorithm() {
        let key = |id: &str| format!(r#"{{"kty": "OKP", "crv": "Ed25519", "kid": "{id}", "x": "{X}"}}"#);
        let one = TokenKeys::parse(format!(r#"{{"keys": [{}]}}"#, key("a")).as_bytes()).unwrap();
        let two = TokenKeys::parse(format!(r#"{{"keys": [{}, {}]}}"#, key("a"), key("b")).as_bytes()).unwrap();
        assert!(one.find(None, TokenAlgorithm::EdDsa).is_some() && two.find(None, TokenAlgorithm::EdDsa).is_none());
        assert!(two.find(Some("b"), TokenAlgorithm::EdDsa).is_some());
        assert!(two.find(Some("c"), TokenAlgorithm::EdDsa).is_none());
        assert!(two.find(Some("a"), TokenAlgorithm::Es256).is_none(), "the key decides the algorithm");
    }
}
