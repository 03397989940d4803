use crate::plain_text::is_plain;
use std::fmt;

/// The subject of a token: whom its issuer has authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSubject(Box<str>);

impl TokenSubject {
    /// The maximum number of bytes, the limit of `OpenID` Connect.
    pub const MAX_BYTES: usize = 255;

    /// Parses a subject of 1 to [`TokenSubject::MAX_BYTES`] bytes without control characters. Returns `None` for any
    /// other text: a subject that is cut off could be that of another token.
    #[must_use]
    pub fn parse(subject: &str) -> Option<Self> {
        is_plain(subject, Self::MAX_BYTES).then(|| Self(subject.into()))
    }

    /// Returns the subject.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TokenSubject;

    #[test]
    fn a_subject_is_whole_or_refused() {
        for subject in ["248289761001", "auth0|5f7c8ec7", "é", &"s".repeat(255)] {
            assert_eq!(TokenSubject::parse(subject).unwrap().as_str(), subject);
        }
        for subject in ["", "a\nb", "\u{7f}", &"s".repeat(256), &"é".repeat(128)] {
            assert_eq!(TokenSubject::parse(subject), None, "{subject:?}");
        }
    }
}
