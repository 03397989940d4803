//! Identifiers that callers choose.

use std::fmt;
use std::sync::Arc;

/// Why a text is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text has more than 255 characters (Unicode scalar values).
    #[error("must have at most 255 characters, not {0}")]
    TooLong(usize),
    /// The text begins or ends with white space.
    #[error("must not begin or end with white space")]
    Padded,
    /// The text holds a control character.
    #[error("must not hold control characters")]
    ControlCharacter,
    /// The text is `.` or `..`, which no URL path can carry.
    #[error("must not be \".\" or \"..\"")]
    DotSegment,
}

/// How many characters an identifier may have.
const MAX_CHARACTERS: usize = 255;

fn check(text: &str) -> Result<(), IdentifierError> {
    if text.is_empty() {
        return Err(IdentifierError::Empty);
    }
    let characters = text.chars().count();
    if characters > MAX_CHARACTERS {
        return Err(IdentifierError::TooLong(characters));
    }
    if text.chars().any(char::is_control) {
        return Err(IdentifierError::ControlCharacter);
    }
    if text.trim().len() != text.len() {
        return Err(IdentifierError::Padded);
    }
    if text == "." || text == ".." {
        return Err(IdentifierError::DotSegment);
    }
    Ok(())
}

macro_rules! identifier {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        ///
        /// 1 to 255 characters, no control characters, no white space at either end, not `.` or
        /// `..`; compared and ordered byte by byte. Cloning is cheap.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses a text into an identifier.
            ///
            /// # Errors
            ///
            /// [`IdentifierError`] says which rule the text breaks.
            pub fn parse(text: impl AsRef<str> + Into<Arc<str>>) -> Result<Self, IdentifierError> {
                check(text.as_ref())?;
                Ok(Self(text.into()))
            }

            /// The identifier as the caller wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentifierError;

            fn try_from(text: String) -> Result<Self, IdentifierError> {
                Self::parse(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdentifierError;

            fn try_from(text: &str) -> Result<Self, IdentifierError> {
                Self::parse(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, IdentifierError> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(identifier: $name) -> Self {
                identifier.0.as_ref().to_owned()
            }
        }
    };
}

identifier! {
    /// A stock-keeping unit: what a customer orders and a batch holds.
    Sku
}

identifier! {
    /// The name of a batch of stock, unique across all SKUs.
    BatchReference
}

identifier! {
    /// The name of a customer's order.
    OrderId
}

identifier! {
    /// The name of a pick list.
    PickListId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_script_slashes_and_inner_spaces_are_kept_exactly() {
        for text in ["RED-CHAIR", "a/b c", "ご注文 42", "🪑", "100%", "\"quoted\"", "...", "%2F"] {
            assert_eq!(Sku::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn what_breaks_a_rule_is_refused_with_the_rule() {
        assert_eq!(OrderId::parse(""), Err(IdentifierError::Empty));
        assert_eq!(OrderId::parse(" a"), Err(IdentifierError::Padded));
        assert_eq!(OrderId::parse("a\u{2003}"), Err(IdentifierError::Padded));
        assert_eq!(OrderId::parse("a\nb"), Err(IdentifierError::ControlCharacter));
        assert_eq!(OrderId::parse("a\0"), Err(IdentifierError::ControlCharacter));
        assert_eq!(OrderId::parse(".."), Err(IdentifierError::DotSegment));
        assert_eq!(OrderId::parse("."), Err(IdentifierError::DotSegment));
    }

    #[test]
    fn length_is_counted_in_characters_not_bytes() {
        assert!(BatchReference::parse("🪑".repeat(255)).is_ok());
        assert_eq!(BatchReference::parse("é".repeat(256)), Err(IdentifierError::TooLong(256)));
    }
}
