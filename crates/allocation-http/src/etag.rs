//! Batch versions in `ETag`, `If-Match` and `If-None-Match`.
//!
//! The tag of a batch is `"VERSION.CONTENT"`. The version consists of the revision, which counts
//! corrections by purchasing, and the time of addition, which distinguishes batches that reuse a reference.
//! The content is a checksum of the representation, so that the tag changes with everything shown, as a
//! strong tag must.
//!
//! `If-None-Match` compares the whole tag. `If-Match` compares only the version: allocations change the
//! content faster than a person reads, and under load no correction would succeed.

use actix_web::http::header::{ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use allocation_domain::BatchVersion;
use chrono::DateTime;
use std::collections::BTreeSet;

/// A version that no batch has: revisions start at 1.
const NONE: BatchVersion = BatchVersion { added_at: DateTime::UNIX_EPOCH, revision: 0 };

/// The number of hexadecimal digits of a content checksum.
const CONTENT_DIGITS: usize = 16;

/// Returns the `ETag` header of a batch version with this representation.
#[expect(clippy::expect_used, reason = "a tag has no character that a header refuses")]
pub(crate) fn of(version: BatchVersion, shown: &[u8]) -> (HeaderName, HeaderValue) {
    let content = checksum(shown);
    let tag = HeaderValue::from_str(&format!("\"{}.{content:0CONTENT_DIGITS$x}\"", text(version)));
    (ETAG, tag.expect("a tag is a header"))
}

/// Returns the quoted tag of a version, without content.
pub(crate) fn version_tag(version: BatchVersion) -> String {
    format!("\"{}\"", text(version))
}

fn text(version: BatchVersion) -> String {
    format!("{}-{:x}", version.revision, version.added_at.timestamp_micros())
}

/// Computes an FNV-1a checksum, which is the same in every replica.
fn checksum(content: &[u8]) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    content.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Returns whether the client already has the tagged content.
pub(crate) fn is_known(headers: &HeaderMap, tag: &[u8]) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).flat_map(|line| elements(line.as_bytes()));
    tags.into_iter().any(|known| known == b"*" || known.strip_prefix(b"W/").unwrap_or(known) == tag)
}

/// Returns whether a request is conditional on specific versions.
pub(crate) fn names_a_version(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_MATCH) && IfMatch::of(headers) != IfMatch::Any
}

/// The versions that a request accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// Any version.
    Any,
    /// One of these. Weak or foreign tags name no version.
    OneOf(BTreeSet<BatchVersion>),
}

impl IfMatch {
    /// Parses the `If-Match` headers of a request; without one, any version matches.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let lines: Vec<_> = headers.get_all(IF_MATCH).map(HeaderValue::as_bytes).collect();
        match *lines {
            [] => Self::Any,
            [b"*"] => Self::Any,
            _ => Self::OneOf(lines.into_iter().flat_map(elements).filter_map(version).collect()),
        }
    }

    /// Returns the version to try first: the newest, or one that no batch has if none is named.
    pub(crate) fn first_try(&self) -> Option<BatchVersion> {
        match self {
            Self::Any => None,
            Self::OneOf(versions) => Some(versions.last().copied().unwrap_or(NONE)),
        }
    }

    /// Returns whether the request accepts this version.
    pub(crate) fn names(&self, version: BatchVersion) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}

/// Returns the elements of a list. A comma within quotes is part of a tag.
fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let ends = move |byte: &u8| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    };
    list.split(ends).map(<[u8]>::trim_ascii)
}

/// Parses the version of a tag made by [`of`] or [`version_tag`].
fn version(tag: &[u8]) -> Option<BatchVersion> {
    let inner = std::str::from_utf8(tag).ok()?.strip_prefix('"')?.strip_suffix('"')?;
    let named = match inner.split_once('.') {
        Some((named, content)) => Some(named).filter(|_| is_content(content))?,
        None => inner,
    };
    let (revision, micros) = named.split_once('-')?;
    let added_at = DateTime::from_timestamp_micros(i64::from_str_radix(micros, 16).ok()?)?;
    let version = BatchVersion { added_at, revision: revision.parse().ok()? };
    (text(version) == named).then_some(version)
}

fn is_content(text: &str) -> bool {
    text.len() == CONTENT_DIGITS && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn if_match(lines: &[&'static str]) -> IfMatch {
        let mut headers = HeaderMap::new();
        lines.iter().for_each(|line| headers.append(IF_MATCH, HeaderValue::from_static(line)));
        IfMatch::of(&headers)
    }

    fn seen(revision: u32) -> BatchVersion {
        BatchVersion { added_at: DateTime::from_timestamp_micros(0x1f).unwrap(), revision }
    }

    #[test]
    fn a_tag_is_strong_and_changes_with_what_is_shown() {
        assert_eq!(of(seen(12), b""), (ETAG, HeaderValue::from_static("\"12-1f.cbf29ce484222325\"")));
        assert_eq!(of(seen(12), b"a"), (ETAG, HeaderValue::from_static("\"12-1f.af63dc4c8601ec8c\"")));
        assert_eq!(version_tag(seen(12)), "\"12-1f\"");
    }

    #[test]
    fn the_version_of_a_tag_matches_whatever_was_shown() {
        for line in ["\"1-1f\"", "\"1-1f.cbf29ce484222325\"", "\"1-1f.0000000000000000\""] {
            assert!(if_match(&[line]).names(seen(1)), "{line}");
        }
    }

    #[test]
    fn what_a_client_has_is_compared_whole() {
        let tag = b"\"1-1f.cbf29ce484222325\"";
        let known = |line: &'static str| {
            let mut headers = HeaderMap::new();
            headers.append(IF_NONE_MATCH, HeaderValue::from_static(line));
            is_known(&headers, tag)
        };
        assert!(!is_known(&HeaderMap::new(), tag));
        for line in
            ["*", "\"1-1f.cbf29ce484222325\"", "W/\"1-1f.cbf29ce484222325\"", "\"a,b\", \"1-1f.cbf29ce484222325\""]
        {
            assert!(known(line), "{line}");
        }
        for line in ["", "\"1-1f\"", "\"1-1f.cbf29ce484222326\"", "1-1f.cbf29ce484222325"] {
            assert!(!known(line), "{line}");
        }
    }

    #[test]
    fn without_the_header_or_with_a_star_any_version_matches() {
        assert_eq!(if_match(&[]), IfMatch::Any);
        assert_eq!(if_match(&["*"]), IfMatch::Any);
    }

    #[test]
    fn every_version_of_a_list_matches() {
        let cases: [&[&'static str]; 5] = [
            &["\"1-1f\", \"3-1f\""],
            &["\"1-1f\"", "\"3-1f\""],
            &[",\"1-1f\" ,,\"3-1f\","],
            &["\"a,b\",\"1-1f\",\"3-1f\""],
            &["x, \"3-1f\",\"1-1f\""],
        ];
        for lines in cases {
            let named = if_match(lines);
            assert_eq!(named, IfMatch::OneOf([seen(1), seen(3)].into()), "{lines:?}");
            assert_eq!((named.first_try(), named.names(seen(1)), named.names(seen(2))), (Some(seen(3)), true, false));
        }
    }

    #[test]
    fn another_batch_of_the_same_name_and_revision_does_not_match() {
        assert!(!if_match(&["\"1-20\""]).names(seen(1)));
    }

    #[test]
    fn tags_that_are_weak_or_of_others_match_nothing() {
        for line in [
            "",
            "W/\"1-1f\"",
            "w/\"1-1f\"",
            "1-1f",
            "\"1-1f",
            "1-1f\"",
            "\"\"",
            "\"1\"",
            "\"-1f\"",
            "\"1-\"",
            "\"01-1f\"",
            "\"1-01f\"",
            "\"1-1F\"",
            "\"+1-1f\"",
            "\" 1-1f\"",
            "\"-1-1f\"",
            "\"1.0-1f\"",
            "\"4294967296-1f\"",
            "\"1-ffffffffffffffffff\"",
            "\"*\"",
            "*, *",
            "\"1-1f,2-1f\"",
            "\"1-1f.\"",
            "\"1-1f.cbf29ce48422232\"",
            "\"1-1f.CBF29CE484222325\"",
            "\"1-1f.cbf29ce484222325.\"",
            "\".cbf29ce484222325\"",
            "\"1-1f\"\"2-1f\"",
            "'1-1f'",
            "\"one\"",
        ] {
            let named = if_match(&[line]);
            assert_eq!((named.first_try(), named.names(NONE)), (Some(NONE), false), "{line}");
        }
    }
}
