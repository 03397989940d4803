//! Versions of batches and orders in `ETag`, `If-Match` and `If-None-Match`.
//!
//! The tag is `"VERSION.CONTENT"`. The version of a batch consists of the revision, which counts corrections by
//! purchasing, and the time of addition, which distinguishes batches that reuse a reference. The version of an
//! order is a checksum of what was requested of it. The content is a checksum of the representation, so that the tag changes with everything shown, as a
//! strong tag must.
//!
//! `If-None-Match` compares the whole tag. `If-Match` compares only the version: allocations change the
//! content faster than a person reads, and under load no correction would succeed.

use actix_web::HttpMessage;
use actix_web::http::header::{ETag, EntityTag, Header, IF_MATCH, IF_NONE_MATCH, IfMatch, IfNoneMatch};
use allocation_app::ExpectedVersions;
use allocation_domain::{BatchVersion, OrderVersion};
use chrono::DateTime;
use std::collections::BTreeSet;

/// The number of hexadecimal digits of a content checksum.
const CONTENT_DIGITS: usize = 16;

/// Returns the `ETag` header of a batch version with this representation.
pub(crate) fn of(version: BatchVersion, shown: &[u8]) -> ETag {
    let content = checksum(shown);
    ETag(EntityTag::new_strong(format!("{}.{content:0CONTENT_DIGITS$x}", text(version))))
}

/// Returns the `ETag` header of an order version with this representation.
pub(crate) fn of_order(version: OrderVersion, shown: &[u8]) -> ETag {
    let content = checksum(shown);
    ETag(EntityTag::new_strong(format!("{}.{content:0CONTENT_DIGITS$x}", order_text(version))))
}

fn order_text(version: OrderVersion) -> String {
    format!("{:0CONTENT_DIGITS$x}", version.number())
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
pub(crate) fn is_known(request: &impl HttpMessage, ETag(tag): &ETag) -> bool {
    if !request.headers().contains_key(IF_NONE_MATCH) {
        return false;
    }
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

/// Returns whether a `POST` to a path may name a version.
pub(crate) fn is_versioned_action(path: &str) -> bool {
    path.starts_with("/orders/") && ["/close", "/confirm", "/extend"].iter().any(|action| path.ends_with(action))
}

/// Returns whether a request is conditional on specific versions.
pub(crate) fn names_a_version(request: &impl HttpMessage) -> bool {
    request.headers().contains_key(IF_MATCH) && expected_versions(request) != ExpectedVersions::Any
}

/// Parses the `If-Match` headers of a request; without one, any version matches.
pub(crate) fn expected_versions(request: &impl HttpMessage) -> ExpectedVersions {
    expected(request, version).map_or(ExpectedVersions::Any, ExpectedVersions::OneOf)
}

/// Parses the `If-Match` headers of a request on an order; `None` if any version matches.
pub(crate) fn expected_order_versions(request: &impl HttpMessage) -> Option<BTreeSet<OrderVersion>> {
    expected(request, order_version)
}

/// Returns the versions that `If-Match` names; `None` for any. Weak tags and tags of others name no version.
fn expected<T: Ord>(request: &impl HttpMessage, version: impl Fn(&EntityTag) -> Option<T>) -> Option<BTreeSet<T>> {
    if !request.headers().contains_key(IF_MATCH) {
        return None;
    }
    match IfMatch::parse(request) {
        Ok(IfMatch::Any) => None,
        Ok(IfMatch::Items(tags)) => Some(tags.iter().filter_map(version).collect()),
        Err(_) => Some(BTreeSet::new()),
    }
}

/// Parses the version of a tag made by [`of`] or [`version_tag`]; a weak tag names no version.
fn version(tag: &EntityTag) -> Option<BatchVersion> {
    let named = version_text(tag)?;
    let (revision, micros) = named.split_once('-')?;
    let added_at = DateTime::from_timestamp_micros(i64::from_str_radix(micros, 16).ok()?)?;
    let version = BatchVersion { added_at, revision: revision.parse().ok()? };
    (text(version) == named).then_some(version)
}

/// Parses the version of a tag made by [`of_order`]; a weak tag names no version.
fn order_version(tag: &EntityTag) -> Option<OrderVersion> {
    let named = version_text(tag).filter(|named| is_content(named))?;
    u64::from_str_radix(named, 16).ok().map(OrderVersion::from_number)
}

/// Returns the part of a strong tag before its content.
fn version_text(tag: &EntityTag) -> Option<&str> {
    let inner = Some(tag.tag()).filter(|_| !tag.weak)?;
    match inner.split_once('.') {
        Some((named, content)) => Some(named).filter(|_| is_content(content)),
        None => Some(inner),
    }
}

fn is_content(text: &str) -> bool {
    text.len() == CONTENT_DIGITS && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    use actix_web::test::TestRequest;

    fn if_match(lines: &[&'static str]) -> ExpectedVersions {
        let request =
            lines.iter().fold(TestRequest::default(), |request, line| request.append_header((IF_MATCH, *line)));
        expected_versions(&request.to_http_request())
    }

    fn strong(tag: &str) -> ETag {
        ETag(EntityTag::new_strong(tag.to_owned()))
    }

    fn seen(revision: u32) -> BatchVersion {
        BatchVersion { added_at: DateTime::from_timestamp_micros(0x1f).unwrap(), revision }
    }

    #[test]
    fn a_tag_is_strong_and_changes_with_the_body() {
        assert_eq!(of(seen(12), b""), strong("12-1f.cbf29ce484222325"));
        assert_eq!(of(seen(12), b"a"), strong("12-1f.af63dc4c8601ec8c"));
        assert_eq!(version_tag(seen(12)), "\"12-1f\"");
    }

    #[test]
    fn the_version_of_a_tag_matches_whatever_the_body() {
        for line in ["\"1-1f\"", "\"1-1f.cbf29ce484222325\"", "\"1-1f.0000000000000000\""] {
            assert!(if_match(&[line]).contains(seen(1)), "{line}");
        }
    }

    #[test]
    fn if_none_match_compares_whole_tags() {
        let tag = strong("1-1f.cbf29ce484222325");
        let known = |line: &'static str| {
            is_known(&TestRequest::default().insert_header((IF_NONE_MATCH, line)).to_http_request(), &tag)
        };
        assert!(!is_known(&TestRequest::default().to_http_request(), &tag));
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
        assert_eq!(if_match(&[]), ExpectedVersions::Any);
        assert_eq!(if_match(&["*"]), ExpectedVersions::Any);
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
            assert_eq!(named, ExpectedVersions::OneOf([seen(1), seen(3)].into()), "{lines:?}");
            assert_eq!((named.contains(seen(1)), named.contains(seen(2))), (true, false));
        }
    }

    #[test]
    fn another_batch_with_the_same_reference_and_revision_does_not_match() {
        assert!(!if_match(&["\"1-20\""]).contains(seen(1)));
    }

    #[test]
    fn the_version_of_an_order_is_read_from_its_tag() {
        let seen = OrderVersion::from_number(0x1f);
        let ETag(tag) = of_order(seen, b"");
        assert_eq!(tag, EntityTag::new_strong("000000000000001f.cbf29ce484222325".to_owned()));
        let expected = |line: &'static str| {
            expected_order_versions(&TestRequest::default().insert_header((IF_MATCH, line)).to_http_request())
        };
        assert_eq!(expected("\"000000000000001f.cbf29ce484222325\", \"000000000000001f\""), Some([seen].into()));
        assert_eq!(expected("*"), None);
        for line in
            ["W/\"000000000000001f\"", "\"1f\"", "\"1-1f\"", "\"000000000000001F\"", "\"000000000000001f.\"", ""]
        {
            assert_eq!(expected(line), Some(BTreeSet::new()), "{line}");
        }
    }

    #[test]
    fn weak_and_foreign_tags_match_nothing() {
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
            assert_eq!(if_match(&[line]), ExpectedVersions::OneOf(BTreeSet::new()), "{line}");
        }
    }
}
