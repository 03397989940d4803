//! Content negotiation by the `Accept` header.

use actix_web::HttpRequest;
use actix_web::http::header::{ACCEPT, Accept, Header, Quality, QualityItem};
use actix_web::mime::{Mime, STAR};

/// Returns the offer that the client prefers, the first one of equals; `None` if it accepts none of them.
///
/// Without the header, the client accepts any.
pub(crate) fn choose<'a>(request: &HttpRequest, offers: &[&'a str]) -> Option<&'a str> {
    if !request.headers().contains_key(ACCEPT) {
        return offers.first().copied();
    }
    let Accept(ranges) = Accept::parse(request).ok()?;
    let mut best = None;
    for offer in offers {
        let quality = quality(&ranges, offer);
        if quality > best.map_or(Quality::ZERO, |(_, quality)| quality) {
            best = Some((*offer, quality));
        }
    }
    best.map(|(offer, _)| offer)
}

/// Returns the quality of a media type, taken from the most specific range that matches it.
fn quality(ranges: &[QualityItem<Mime>], offer: &str) -> Quality {
    let Some((kind, subtype)) = offer.split_once('/') else { return Quality::ZERO };
    let precision = |range: &Mime| match (range.type_(), range.subtype()) {
        (STAR, STAR) => Some(0),
        (of, STAR) if of == kind => Some(1),
        (of, exactly) if of == kind && exactly == subtype => Some(2),
        _ => None,
    };
    let matching = ranges.iter().filter_map(|range| Some((precision(&range.item)?, range.quality)));
    matching.max().map_or(Quality::ZERO, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::choose;
    use actix_web::http::header::ACCEPT;
    use actix_web::test::TestRequest;

    const OFFERS: [&str; 3] = ["application/json", "text/csv", "text/html"];

    fn chosen(lines: &[&'static str]) -> Option<&'static str> {
        let request = lines.iter().fold(TestRequest::default(), |request, line| request.append_header((ACCEPT, *line)));
        choose(&request.to_http_request(), &OFFERS)
    }

    #[test]
    fn a_client_that_accepts_anything_gets_the_first_offer() {
        for lines in [&[][..], &["*/*"], &["application/*"], &["text/html;q=0.5, */*"], &["*/*;q=0.1"]] {
            assert_eq!(chosen(lines), Some("application/json"), "{lines:?}");
        }
    }

    #[test]
    fn the_preferred_offer_is_chosen() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(chosen(&[browser]), Some("text/html"));
        assert_eq!(chosen(&["text/csv"]), Some("text/csv"));
        assert_eq!(chosen(&["TEXT/CSV; charset=utf-8"]), Some("text/csv"));
        assert_eq!(chosen(&["text/*"]), Some("text/csv"));
        assert_eq!(chosen(&["text/csv;q=0.2", "text/html; q=0.3"]), Some("text/html"));
        assert_eq!(chosen(&["text/*, text/csv;q=0"]), Some("text/html"));
        assert_eq!(chosen(&["*/*, application/json;q=0"]), Some("text/csv"));
    }

    #[test]
    fn a_client_that_accepts_no_offer_gets_none() {
        for line in ["", "application/pdf", "text/plain", "*/*;q=0", "json", "text/csv;q=2", "text/csv;q=x"] {
            assert_eq!(chosen(&[line]), None, "{line:?}");
        }
    }
}
