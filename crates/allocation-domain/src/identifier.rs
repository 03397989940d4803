//! Identifiers that callers choose.

mod spelling;

use std::fmt;
use std::sync::Arc;

/// A character of a text and its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CharacterAt {
    /// The character.
    pub character: char,
    /// Its position among the characters (Unicode scalar values), from 1.
    pub position: usize,
}

impl fmt::Display for CharacterAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {} is U+{:04X}", self.position, u32::from(self.character))
    }
}

/// An error for a text that is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "exhaustive"), non_exhaustive)]
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
    /// The text contains a control character.
    #[error("must not hold control characters: {0}")]
    ControlCharacter(CharacterAt),
    /// The text is `.` or `..`, which no URL path can carry.
    #[error("must not be \".\" or \"..\"")]
    DotSegment,
    /// The text contains a character that is invisible or changes the direction of others.
    #[error("must not hold invisible characters: {0}")]
    Invisible(CharacterAt),
    /// The text contains white space that looks like a space, or ends a line.
    #[error("must hold no white space but the space, U+0020: {0}")]
    OtherSpace(CharacterAt),
    /// The text contains a code point that is not an assigned character of this Unicode version:
    /// private use, a noncharacter or unassigned.
    #[error("must hold assigned characters of Unicode only: {0}")]
    Unassigned(CharacterAt),
    /// The text is not in Unicode normalization form C.
    #[error("must be in Unicode normalization form C (NFC), which differs from here on: {0}")]
    NotNormalized(CharacterAt),
}

/// The maximum length of an identifier in characters.
const MAX_CHARACTERS: usize = 255;

/// Returns whether a text is 1 to 255 visible ASCII characters without a leading dot, as most are. Such a text
/// satisfies every rule.
fn is_plain(text: &str) -> bool {
    (1..=MAX_CHARACTERS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.starts_with('.')
}

/// Checks the rules that have held for every identifier since the first version.
fn check_shape(text: &str) -> Result<(), IdentifierError> {
    if is_plain(text) {
        return Ok(());
    }
    if text.is_empty() {
        return Err(IdentifierError::Empty);
    }
    let characters = text.chars().count();
    if characters > MAX_CHARACTERS {
        return Err(IdentifierError::TooLong(characters));
    }
    if let Some((position, character)) = (1..).zip(text.chars()).find(|(_, character)| character.is_control()) {
        return Err(IdentifierError::ControlCharacter(CharacterAt { character, position }));
    }
    if text.trim().len() != text.len() {
        return Err(IdentifierError::Padded);
    }
    if text == "." || text == ".." {
        return Err(IdentifierError::DotSegment);
    }
    Ok(())
}

/// Checks a text by the rules of identifiers, for names of other things.
///
/// # Errors
///
/// [`IdentifierError`] names the rule that the text breaks.
pub fn check_identifier(text: &str) -> Result<(), IdentifierError> {
    check_shape(text)?;
    spelling::check(text)
}

macro_rules! identifier {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        ///
        /// An identifier has 1 to 255 assigned Unicode characters in normalization form C (NFC).
        /// Control and invisible characters are rejected, and so are `.` and `..`. The only white
        /// space is the space, at neither end. Zero-width joiners are accepted where RFC 5892
        /// (appendix A.1 and A.2) gives them a visible effect.
        ///
        /// Identifiers are compared and ordered byte by byte, so `chair` is not `Chair`. Cloning is
        /// cheap.
        ///
        /// With the feature `serde`, deserializing works like [`Self::restore`], so events of
        /// earlier versions stay readable. Input goes through [`Self::parse`].
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        #[cfg_attr(feature = "serde", serde(into = "String"))]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses a text into an identifier.
            ///
            /// # Errors
            ///
            /// [`IdentifierError`] names the rule that the text breaks.
            pub fn parse(text: impl AsRef<str> + Into<Arc<str>>) -> Result<Self, IdentifierError> {
                check_identifier(text.as_ref())?;
                Ok(Self(text.into()))
            }

            /// Restores an identifier that this or an earlier version stored.
            ///
            /// Earlier versions accepted invisible characters and any normalization form. Stored
            /// identifiers stay readable: only the rules that have always held are checked.
            ///
            /// # Errors
            ///
            /// [`IdentifierError`] for a text that no version accepted.
            pub fn restore(text: impl AsRef<str> + Into<Arc<str>>) -> Result<Self, IdentifierError> {
                check_shape(text.as_ref())?;
                Ok(Self(text.into()))
            }

            /// Returns the identifier as the caller wrote it.
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

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::restore(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
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
    /// A stock-keeping unit.
    Sku
}

identifier! {
    /// The reference of a batch, unique across all SKUs.
    BatchReference
}

identifier! {
    /// The id of an order.
    OrderId
}

identifier! {
    /// The id of a pick list.
    PickListId
}

identifier! {
    /// The id of an adjustment of stock.
    AdjustmentId
}

identifier! {
    /// The id of a receipt of stock.
    ReceiptId
}

identifier! {
    /// The id of a return.
    ReturnId
}

identifier! {
    /// The id of a shipment.
    ShipmentId
}

identifier! {
    /// The carrier of a shipment, in the words of the caller: a text with the rules of identifiers.
    Carrier
}

identifier! {
    /// The number under which a carrier transports a shipment: a text with the rules of identifiers.
    Tracking
}

identifier! {
    /// The id of a count of stock.
    CountId
}

identifier! {
    /// Why stock is adjusted: `damaged`, `lost`, `found`, `correction`, or a text of the caller.
    AdjustmentReason
}

identifier! {
    /// Why picked units were put back, in the words of the caller: a text with the rules of identifiers.
    PutBackReason
}

#[cfg(test)]
mod tests;
