use std::fmt;

/// What a key is for, as its owner calls it: `web shop`. Names need not be unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(Box<str>);

/// Why a text is not the name of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {} characters, no control characters, and no space at either end", KeyName::MAX_CHARS)]
pub struct InvalidKeyName;

impl KeyName {
    /// The maximum number of characters.
    pub const MAX_CHARS: usize = 100;

    /// Parses a name.
    ///
    /// # Errors
    ///
    /// [`InvalidKeyName`] if the text is empty, too long, not trimmed, or has control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyName> {
        let valid = !text.is_empty()
            && text.trim() == text
            && text.chars().count() <= Self::MAX_CHARS
            && !text.contains(char::is_control);
        if valid { Ok(Self(text.into())) } else { Err(InvalidKeyName) }
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
    fn a_name_is_a_trimmed_line_of_bounded_length() {
        let longest = "ä".repeat(KeyName::MAX_CHARS);
        for text in ["shop", "web shop 2", &longest] {
            assert_eq!(KeyName::parse(text).unwrap().as_str(), text);
        }
        for text in ["", " shop", "shop\n", "a\tb", &format!("{longest}a")] {
            assert_eq!(KeyName::parse(text), Err(InvalidKeyName), "{text}");
        }
    }
}
