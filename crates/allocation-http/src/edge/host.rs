//! The `Host` check.
//!
//! With DNS rebinding, a page's own name resolves to the address of this service. The browser then treats
//! the service as part of that page's site, and only `Host` reveals it. Therefore names that are neither
//! addresses nor configured are rejected. Addresses and `localhost` cannot be rebound.

use crate::problem::{Kind, Problem};
use actix_web::dev::ServiceRequest;
use actix_web::http::header::HOST;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The characters of a rejected name that a problem shows.
const MAX_SHOWN: usize = 100;

/// A pattern of accepted `Host` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedHost {
    /// Any name: a proxy in front of the service checks it.
    Any,
    /// One name, at one port or any.
    Name {
        /// The name, in lower case.
        name: String,
        /// The port; `None` for any.
        port: Option<u16>,
    },
    /// All names below a domain, stored with its leading dot in lower case.
    Below(String),
}

impl AllowedHost {
    /// Parses `NAME`, `NAME:PORT`, `.DOMAIN` for all names below it, or `*` for any name.
    ///
    /// # Errors
    ///
    /// Returns the rule that the text violates.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let (name, port) = split(text).ok_or(RULE)?;
        let bare = name.strip_prefix('.').unwrap_or(name);
        if bare.is_empty() || bare.starts_with('.') || !bare.bytes().all(known) || name.len() > 255 {
            return Err(RULE);
        }
        match (name.starts_with('.'), port) {
            (true, Some(_)) => Err(RULE),
            (true, None) => Ok(Self::Below(name.to_ascii_lowercase())),
            (false, port) => Ok(Self::Name { name: name.to_ascii_lowercase(), port }),
        }
    }

    fn allows(&self, requested: &str, at: Option<u16>) -> bool {
        match self {
            Self::Any => true,
            Self::Name { name, port } => {
                // Without a port, the scheme's default applies; a TLS proxy may hide the scheme.
                let is_at = |port: u16| at.map_or(matches!(port, 80 | 443), |at| at == port);
                name.eq_ignore_ascii_case(requested) && port.is_none_or(is_at)
            }
            Self::Below(domain) => ends_with(requested, domain),
        }
    }
}

const RULE: &str =
    "must be NAME, NAME:PORT, .DOMAIN for all names below it, or * for any; addresses are allowed anyhow";

/// Rejects a request for a name that does not reach the service.
///
/// A missing `Host` passes: HTTP/1.1 requires it, and older clients are not browsers.
pub(super) fn check(request: &ServiceRequest, allowed: &[AllowedHost]) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(HOST);
    let host = hosts.next().map(|host| host.to_str().unwrap_or("?"));
    let target = request.uri().authority().map(|authority| authority.as_str());
    if hosts.next().is_some() {
        return Err(Problem::new(Kind::HostNotAllowed, "The request has more than one Host"));
    }
    match host.into_iter().chain(target).find(|host| !is_allowed(host, allowed)) {
        None => Ok(()),
        Some(host) => Err(refusal(host)),
    }
}

fn is_allowed(host: &str, allowed: &[AllowedHost]) -> bool {
    // A port may be empty (RFC 3986, 3.2.3).
    let Some((name, port)) = split(host.strip_suffix(':').unwrap_or(host)) else { return false };
    if let Some(address) = name.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<Ipv4Addr>().is_ok()
        || ends_with(name, ".localhost")
        || allowed.iter().any(|host| host.allows(name, port))
}

/// Returns whether a name is below a domain, which begins with a dot.
fn ends_with(name: &str, domain: &str) -> bool {
    let end = name.len().checked_sub(domain.len()).and_then(|start| name.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(domain) && name.len() > domain.len())
}

/// Splits an authority into host and port.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => {
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            Some((name, Some(port.parse().ok().filter(|_| digits)?)))
        }
        _ => Some((authority, None)),
    }
}

fn refusal(host: &str) -> Problem {
    let shown: String = host.chars().take(MAX_SHOWN).collect();
    let name = split(host).map_or(host, |(name, _)| name);
    let hint: String = name.chars().take(MAX_SHOWN).collect();
    Problem::new(
        Kind::HostNotAllowed,
        format!(
            "The service is not reached by the name {shown:?}; to allow it, start the service with \
             --allowed-host {hint} or ALLOCATION_ALLOWED_HOSTS"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::{AllowedHost, is_allowed};

    fn allowed(host: &str, patterns: &[&str]) -> bool {
        let patterns: Vec<_> = patterns.iter().map(|pattern| AllowedHost::parse(pattern).unwrap()).collect();
        is_allowed(host, &patterns)
    }

    #[test]
    fn loopback_names_and_addresses_are_allowed_at_any_port() {
        for host in [
            "localhost",
            "localhost:8000",
            "localhost:",
            "[::1]:",
            "LOCALHOST:80",
            "localhost.",
            "shop.localhost:3000",
            "127.0.0.1:8000",
            "10.1.2.3",
            "[::1]:8000",
            "[2001:db8::1]",
        ] {
            assert!(allowed(host, &[]), "{host}");
        }
    }

    #[test]
    fn an_unknown_host_is_rejected() {
        for host in [
            "",
            "evil.example",
            "evil.example:8000",
            "localhost.evil.example",
            "evillocalhost",
            ".localhost",
            "127.0.0.1.evil.example",
            "127.0.0.1.nip.io:8000",
            "0x7f000001",
            "2130706433",
            "127.1",
            "[evil.example]",
            "[::1",
            "localhost:99999",
            "localhost:+80",
            "user@localhost:80@evil.example",
            "?",
        ] {
            assert!(!allowed(host, &["shop.example"]), "{host}");
        }
    }

    #[test]
    fn a_configured_host_is_allowed() {
        assert!(allowed("Shop.Example:8000", &["shop.example"]));
        assert!(allowed("shop.example.", &["shop.example"]));
        assert!(allowed("shop.example:8000", &["other", "SHOP.example:8000"]));
        assert!(allowed("shop.example", &["shop.example:80"]) && allowed("shop.example", &["shop.example:443"]));
        assert!(allowed("allocation", &["allocation"]));
        assert!(allowed("a.b.example", &[".example"]));
        assert!(allowed("anything", &["*"]));
        for (host, pattern) in [
            ("shop.example:8001", "shop.example:8000"),
            ("a.shop.example", "shop.example"),
            ("example", ".example"),
            (".example", ".example"),
            ("evilexample", ".example"),
        ] {
            assert!(!allowed(host, &[pattern]), "{host} {pattern}");
        }
    }

    #[test]
    fn an_invalid_pattern_is_rejected() {
        for text in ["", ".", "..a", "a b", "http://a", "a/b", "a:", "a:x", "a:70000", ".a:80", "[::1]", "*.a", "ä"] {
            assert!(AllowedHost::parse(text).is_err(), "{text}");
        }
    }
}
