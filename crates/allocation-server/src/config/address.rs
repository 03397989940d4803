//! Addresses to listen on.

use std::net::{Ipv4Addr, SocketAddr};

const RULE: &str = "must be ADDRESS:PORT, such as 127.0.0.1:8000, localhost:8000 or :8000 for all addresses";

/// Parses an address with a port. `localhost` is the loopback address, and no address means all of IPv4.
pub(super) fn parse(text: &str) -> Result<SocketAddr, &'static str> {
    let (host, port) = text.rsplit_once(':').ok_or(RULE)?;
    let at = |address| port.parse().map(|port| SocketAddr::from((address, port))).map_err(|_| RULE);
    match host {
        "" => at(Ipv4Addr::UNSPECIFIED),
        "localhost" => at(Ipv4Addr::LOCALHOST),
        _ => text.parse().map_err(|_| RULE),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn addresses_may_be_short() {
        for (text, address) in [
            (":8000", "0.0.0.0:8000"),
            ("localhost:80", "127.0.0.1:80"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("[::1]:8000", "[::1]:8000"),
        ] {
            assert_eq!(parse(text), Ok(address.parse().unwrap()), "{text}");
        }
        for text in ["", "8000", ":", ":port", "localhost", "localhost:70000", "example.com:80", "::1:x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
