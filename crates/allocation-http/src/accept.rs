//! Content negotiation by the `Accept` header.

use actix_web::http::header::{ACCEPT, HeaderMap};

/// Returns the offer that the client prefers, the first one of equals; `None` if it accepts none of them.
///
/// Without the header, the client accepts any.
pub(crate) fn choose<'a>(headers: &HeaderMap, offers: &[&'a str]) -> Option<&'a str> {
    let ranges: Vec<Range> = headers
        .get_all(ACCEPT)
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(Range::parse)
        .collect();
    if !headers.contains_key(ACCEPT) {
        return offers.first().copied();
    }
    let mut best = None;
    for offer in offers {
        let weight = weight(&ranges, offer);
        if weight > best.map_or(0, |(_, weight)| weight) {
            best = Some((*offer, weight));
        }
    }
    best.map(|(offer, _)| offer)
}

/// A media range and its weight.
struct Range {
    kind: String,
    subtype: String,
    /// In thousandths; 0 means not acceptable.
    weight: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let weight = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("q"));
        let weight = weight.map_or(Some(1_000), |(_, value)| thousandths(value))?;
        Some(Self { kind: kind.to_ascii_lowercase(), subtype: subtype.to_ascii_lowercase(), weight })
    }

    /// Returns how specifically the range matches a media type; `None` if it does not match.
    fn precision(&self, kind: &str, subtype: &str) -> Option<u8> {
        match (&*self.kind, &*self.subtype) {
            ("*", "*") => Some(0),
            (of, "*") if of == kind => Some(1),
            (of, exactly) if of == kind && exactly == subtype => Some(2),
            _ => None,
        }
    }
}

/// Parses a weight (RFC 9110): 0 to 1, with up to three decimals.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let known = matches!(whole, "0" | "1") && decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let digits = format!("{whole}{decimals:0<3}");
    digits.parse().ok().filter(|weight| known && *weight <= 1_000)
}

/// Returns the weight of a media type: the weight of the most specific range that matches it.
fn weight(ranges: &[Range], offer: &str) -> u32 {
    let Some((kind, subtype)) = offer.split_once('/') else { return 0 };
    let fitting = ranges.iter().filter_map(|range| Some((range.precision(kind, subtype)?, range.weight)));
    fitting.max().map_or(0, |(_, weight)| weight)
}

#[cfg(test)]
mod tests {
    use super::choose;
    use actix_web::http::header::{ACCEPT, HeaderMap, HeaderValue};

    const OFFERS: [&str; 3] = ["application/json", "text/csv", "text/html"];

    fn chosen(lines: &[&'static str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        lines.iter().for_each(|line| headers.append(ACCEPT, HeaderValue::from_static(line)));
        choose(&headers, &OFFERS)
    }

    #[test]
    fn whoever_takes_anything_gets_the_first_offer() {
        for lines in [&[][..], &["*/*"], &["application/*"], &["text/html;q=0.5, */*"], &["*/*;q=0.1"]] {
            assert_eq!(chosen(lines), Some("application/json"), "{lines:?}");
        }
    }

    #[test]
    fn what_is_liked_best_is_chosen() {
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
    fn what_is_not_offered_is_not_acceptable() {
        for line in ["", "application/pdf", "text/plain", "*/*;q=0", "json", "text/csv;q=2", "text/csv;q=x"] {
            assert_eq!(chosen(&[line]), None, "{line:?}");
        }
    }
}
