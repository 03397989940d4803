use crate::base62;
use std::borrow::Borrow;
use std::fmt;

/// The public part of a key, which names it in lists, logs and events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Box<str>);

/// Why a text is not the id of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a key has {} letters and digits", KeyId::LENGTH)]
pub struct InvalidKeyId;

impl KeyId {
    /// The number of characters of an id.
    pub const LENGTH: usize = 11;

    /// Makes an id of 64 random bits.
    #[must_use]
    pub fn from_random(bits: u64) -> Self {
        let mut text = String::with_capacity(Self::LENGTH);
        base62::append(&mut text, &bits.to_be_bytes(), Self::LENGTH);
        Self(text.into())
    }

    /// Parses an id.
    ///
    /// # Errors
    ///
    /// [`InvalidKeyId`] unless the text has the length and the alphabet of an id.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyId> {
        let valid = text.len() == Self::LENGTH && base62::is_number(text);
        if valid { Ok(Self(text.into())) } else { Err(InvalidKeyId) }
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for KeyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_has_eleven_letters_and_digits() {
        for text in ["", "0123456789", "0123456789AB", "0123456789_", "0123456789ä"] {
            assert_eq!(KeyId::parse(text), Err(InvalidKeyId), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_random_id_is_parsed(bits: u64) {
            let id = KeyId::from_random(bits);
            prop_assert_eq!(KeyId::parse(id.as_str()), Ok(id.clone()));
        }
    }
}
