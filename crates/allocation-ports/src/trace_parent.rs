use std::sync::Arc;

/// The parent of a span within a trace: a W3C `traceparent` of version 00, or of a later version with the
/// same format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(Arc<str>);

impl TraceParent {
    /// Parses a header's value. Returns `None` if it is not a `traceparent`; the caller then ignores it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('-').collect();
        let [version, trace, parent, flags] = parts[..] else { return None };
        let hex = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let id = |part: &str, length: usize| hex(part, length) && part.bytes().any(|byte| byte != b'0');
        let valid = hex(version, 2) && version != "ff" && id(trace, 32) && id(parent, 16) && hex(flags, 2);
        valid.then(|| Self(text.into()))
    }

    /// Returns the value that names a recorded span as a parent. Returns `None` if one of the ids is zero.
    #[must_use]
    pub fn of_span(trace: u128, span: u64) -> Option<Self> {
        Self::parse(&format!("00-{trace:032x}-{span:016x}-01"))
    }

    /// Returns the value as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id of the trace, which is not zero.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a traceparent is valid")]
    pub fn trace(&self) -> u128 {
        u128::from_str_radix(&self.0[3..35], 16).expect("32 digits")
    }

    /// Returns the id of the span that is the parent, which is not zero.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a traceparent is valid")]
    pub fn span(&self) -> u64 {
        u64::from_str_radix(&self.0[36..52], 16).expect("16 digits")
    }

    /// Returns whether the sender records the trace.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a traceparent is valid")]
    pub fn is_sampled(&self) -> bool {
        u8::from_str_radix(&self.0[53..55], 16).expect("2 digits") & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::TraceParent;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn only_a_valid_traceparent_is_accepted() {
        assert_eq!(TraceParent::parse(TRACE).unwrap().as_str(), TRACE);
        for wrong in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(TraceParent::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_traceparent_names_a_span() {
        let parsed = TraceParent::parse(TRACE).unwrap();
        assert_eq!(parsed.trace(), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(parsed.span(), 0x00f0_67aa_0ba9_02b7);
        assert_eq!(TraceParent::of_span(parsed.trace(), parsed.span()), Some(parsed));
        assert_eq!((TraceParent::of_span(0, 1), TraceParent::of_span(1, 0)), (None, None));
    }

    #[test]
    fn one_flag_says_that_the_sender_records_the_trace() {
        for (flags, sampled) in [("00", false), ("01", true), ("02", false), ("ff", true)] {
            let text = format!("{}{flags}", &TRACE[..53]);
            assert_eq!(TraceParent::parse(&text).unwrap().is_sampled(), sampled, "{flags}");
        }
    }
}
