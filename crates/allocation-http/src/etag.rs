//! Which revision of a batch a client has seen: the headers `ETag` and `If-Match`.
//!
//! The tag of a batch is its revision, which counts what purchasing corrects. Allocations do not
//! count: they come in faster than a person reads, and nobody could correct a batch in the rush.

use actix_web::http::header::{ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH};
use std::collections::BTreeSet;

/// The header `ETag` of a revision.
pub(crate) fn of(revision: u32) -> (HeaderName, HeaderValue) {
    let digits = HeaderValue::from(revision);
    let tag = [b"\"", digits.as_bytes(), b"\""].concat();
    (ETAG, HeaderValue::from_bytes(&tag).unwrap_or(digits))
}

/// Which revisions a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// Whichever there is.
    Any,
    /// One of these. Tags that are weak, or are none of this service, name no revision.
    OneOf(BTreeSet<u32>),
}

impl IfMatch {
    /// What a request asks for; without the header it is for any revision.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let lines: Vec<_> = headers.get_all(IF_MATCH).map(HeaderValue::as_bytes).collect();
        match *lines {
            [] => Self::Any,
            [b"*"] => Self::Any,
            _ => Self::OneOf(lines.into_iter().flat_map(elements).filter_map(revision).collect()),
        }
    }

    /// The revision that is most likely to be there; 0, which no batch has, when none is named.
    pub(crate) fn first_try(&self) -> Option<u32> {
        match self {
            Self::Any => None,
            Self::OneOf(revisions) => Some(revisions.last().copied().unwrap_or(0)),
        }
    }

    /// Whether a request is for this revision.
    pub(crate) fn names(&self, revision: u32) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(revisions) => revisions.contains(&revision),
        }
    }
}

/// The elements of a list. A comma within quotes is part of a tag.
fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let ends = move |byte: &u8| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    };
    list.split(ends).map(<[u8]>::trim_ascii)
}

/// The revision of a tag that [`of`] has made.
fn revision(tag: &[u8]) -> Option<u32> {
    let digits = tag.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let revision = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (of(revision).1.as_bytes() == tag).then_some(revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn if_match(lines: &[&'static str]) -> IfMatch {
        let mut headers = HeaderMap::new();
        lines.iter().for_each(|line| headers.append(IF_MATCH, HeaderValue::from_static(line)));
        IfMatch::of(&headers)
    }

    #[test]
    fn a_tag_is_strong_and_in_quotes() {
        assert_eq!(of(12), (ETAG, HeaderValue::from_static("\"12\"")));
    }

    #[test]
    fn without_the_header_or_with_a_star_any_revision_matches() {
        assert_eq!(if_match(&[]), IfMatch::Any);
        assert_eq!(if_match(&["*"]), IfMatch::Any);
    }

    #[test]
    fn every_revision_of_a_list_matches() {
        let cases: [&[&'static str]; 5] = [
            &["\"1\", \"3\""],
            &["\"1\"", "\"3\""],
            &[",\"1\" ,,\"3\","],
            &["\"a,b\",\"1\",\"3\""],
            &["x, \"3\",\"1\""],
        ];
        for lines in cases {
            let asked = if_match(lines);
            assert_eq!(asked, IfMatch::OneOf([1, 3].into()), "{lines:?}");
            assert_eq!((asked.first_try(), asked.names(1), asked.names(2)), (Some(3), true, false));
        }
    }

    #[test]
    fn tags_that_are_weak_or_of_others_match_nothing() {
        for line in [
            "",
            "W/\"1\"",
            "w/\"1\"",
            "1",
            "\"1",
            "1\"",
            "\"\"",
            "\"01\"",
            "\"+1\"",
            "\" 1\"",
            "\"-1\"",
            "\"1.0\"",
            "\"4294967296\"",
            "\"*\"",
            "*, *",
            "\"1,2\"",
            "\"1\"\"2\"",
            "'1'",
            "\"one\"",
        ] {
            let asked = if_match(&[line]);
            assert_eq!((asked.first_try(), asked.names(0)), (Some(0), false), "{line}");
        }
    }
}
