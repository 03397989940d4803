use allocation_domain::{IdentifierError, check_identifier};
use std::fmt;

/// What a key is for, as its owner calls it: `web shop`. Names need not be unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(Box<str>);

/// Why a text is not the name of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyName {
    /// The text has more than 100 characters.
    #[error("must have at most {} characters", KeyName::MAX_CHARS)]
    TooLong,
    /// The text is no identifier: a list of names could be misread.
    #[error(transparent)]
    Misleading(#[from] IdentifierError),
}

impl KeyName {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 100;

    /// Parses a name, which follows the rules of identifiers.
    ///
    /// # Errors
    ///
    /// [`InvalidKeyName`] names the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyName> {
        if text.chars().count() > Self::MAX_CHARS {
            return Err(InvalidKeyName::TooLong);
        }
        check_identifier(text)?;
        Ok(Self(text.into()))
    }

    /// Restores a stored name. Earlier versions accepted invisible characters and any normalization form.
    #[must_use]
    pub fn restore(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_identifier_of_bounded_length() {
        let longest = "ä".repeat(KeyName::MAX_CHARS);
        for text in ["shop", "web shop 2", &longest] {
            assert_eq!(KeyName::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(KeyName::parse(&format!("{longest}a")), Err(InvalidKeyName::TooLong));
        for text in ["", " shop", "shop\n", "a\tb", "pohs\u{202E}", "web\u{200B}shop", "a\u{0308}"] {
            assert!(matches!(KeyName::parse(text), Err(InvalidKeyName::Misleading(_))), "{text:?}");
        }
    }

    #[test]
    fn a_stored_name_stays_readable() {
        assert_eq!(KeyName::restore("pohs\u{202E}").as_str(), "pohs\u{202E}");
    }
}
