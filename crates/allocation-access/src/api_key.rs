use crate::base62;
use crate::{KeyDigest, KeyId};
use std::fmt;

/// The beginning of every key, by which scanners for secrets find it.
const PREFIX: &str = "alloc_";
/// The digits of the secret, which hold 256 bits.
const SECRET_LENGTH: usize = 43;
/// The digits of the checksum, which hold 32 bits.
const CHECKSUM_LENGTH: usize = 6;
/// The length of a key.
const LENGTH: usize = PREFIX.len() + KeyId::LENGTH + 1 + SECRET_LENGTH + 1 + CHECKSUM_LENGTH;

/// A secret that authenticates its holder: `alloc_<id>_<secret>_<checksum>`.
///
/// Id, secret and checksum are base 62. The checksum is the CRC-32 of `<id>_<secret>`: a scanner recognizes a leaked
/// key by it without a request. It is no protection; the service compares the digest of the whole text.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(Box<str>);

/// A text that is not a key: cut off, mistyped, or another kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a key of the form alloc_<id>_<secret>_<checksum>, or a part of one")]
pub struct MalformedKey;

impl ApiKey {
    /// Makes a key of an id and 256 random bits.
    #[must_use]
    pub fn new(id: &KeyId, random: [u8; 32]) -> Self {
        let mut text = String::with_capacity(LENGTH);
        text.push_str(PREFIX);
        text.push_str(id.as_str());
        text.push('_');
        base62::append(&mut text, &random, SECRET_LENGTH);
        let checksum = crc32fast::hash(&text.as_bytes()[PREFIX.len()..]);
        text.push('_');
        base62::append(&mut text, &checksum.to_be_bytes(), CHECKSUM_LENGTH);
        Self(text.into())
    }

    /// Returns whether a text begins as keys do.
    #[must_use]
    pub fn is_like(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// Parses a key, and verifies its checksum.
    ///
    /// # Errors
    ///
    /// [`MalformedKey`] if the text has another form or another checksum.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        let id = id_in(text).ok_or(MalformedKey)?;
        let (body, checksum) = text.rsplit_once('_').ok_or(MalformedKey)?;
        let secret = body.get(PREFIX.len() + id.len() + 1..).ok_or(MalformedKey)?;
        let mut expected = String::with_capacity(CHECKSUM_LENGTH);
        let covered = body.as_bytes().get(PREFIX.len()..).ok_or(MalformedKey)?;
        base62::append(&mut expected, &crc32fast::hash(covered).to_be_bytes(), CHECKSUM_LENGTH);
        let valid = [id, secret].into_iter().all(base62::is_number) && checksum == expected;
        if valid { Ok(Self(text.into())) } else { Err(MalformedKey) }
    }

    /// Returns the secret text, for its owner alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the digest to store.
    #[must_use]
    pub fn digest(&self) -> KeyDigest {
        KeyDigest::of(&self.0)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

/// Returns where a key has its id, without verifying the rest.
pub(crate) fn id_in(text: &str) -> Option<&str> {
    let (id, rest) = text.strip_prefix(PREFIX)?.split_at_checked(KeyId::LENGTH)?;
    (text.len() == LENGTH && rest.starts_with('_')).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> ApiKey {
        ApiKey::new(&KeyId::from_random(7), [0xA5; 32])
    }

    #[test]
    fn the_format_of_a_key_never_changes() {
        assert_eq!(key().expose(), "alloc_00000000007_dHMOUNLh0UTx6gmQ9MHQdRUvZdbXMLLlzChlYYN1shx_4dR9kX");
    }

    #[test]
    fn no_key_is_shown_by_debug() {
        assert_eq!(format!("{:?} {:?}", key(), key().digest()), "ApiKey(***) KeyDigest(***)");
    }

    #[test]
    fn tokens_of_other_kinds_are_malformed() {
        for text in ["", "alloc_", "alloc_00000000007", "ghp_000000000000000000000000000000000000", "Bearer x", "é"] {
            assert_eq!(ApiKey::parse(text), Err(MalformedKey), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_key_is_parsed_and_has_its_id(bits: u64, random: [u8; 32]) {
            let id = KeyId::from_random(bits);
            let key = ApiKey::new(&id, random);
            prop_assert_eq!(ApiKey::parse(key.expose()).unwrap().digest(), key.digest());
            prop_assert_eq!(id_in(key.expose()), Some(id.as_str()));
        }

        #[test]
        fn a_key_with_a_changed_missing_or_added_character_is_malformed(
            random: [u8; 32], at in 0..LENGTH, other in "[0-9A-Za-z_ ]",
        ) {
            let key = ApiKey::new(&KeyId::from_random(1), random);
            let text = key.expose();
            let (before, after) = (&text[..at], &text[at + 1..]);
            let changed = format!("{before}{other}{after}");
            prop_assume!(changed != text);
            for wrong in [changed, format!("{before}{after}"), format!("{before}{other}{}", &text[at..])] {
                prop_assert_eq!(ApiKey::parse(&wrong), Err(MalformedKey), "{}", wrong);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,100}") {
            for text in [format!("alloc_{text}"), text] {
                prop_assert_eq!(ApiKey::parse(&text), Err(MalformedKey));
            }
        }
    }
}
