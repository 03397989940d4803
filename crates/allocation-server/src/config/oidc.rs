//! Settings of the issuer of tokens.

use allocation_access::TokenRules;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use std::path::PathBuf;
use ureq::http::Uri;

/// The settings of the issuer whose tokens are accepted.
#[derive(Debug, Clone, Args)]
pub(crate) struct OidcArgs {
    /// Accept the tokens of this OIDC issuer, beside keys: its URL, exactly as in the claim iss
    #[arg(
        long = "oidc-issuer",
        global = true,
        env = "ALLOCATION_OIDC_ISSUER",
        value_name = "URL",
        requires = "oidc_audience",
        value_parser = parse_issuer
    )]
    oidc_issuer: Option<String>,

    /// The audience that tokens must name in the claim aud
    #[arg(
        long = "oidc-audience",
        global = true,
        env = "ALLOCATION_OIDC_AUDIENCE",
        value_name = "NAME",
        requires = "oidc_issuer",
        value_parser = NonEmptyStringValueParser::new()
    )]
    oidc_audience: Option<String>,

    /// A PEM file with the authorities that sign the certificate of the issuer [default: those of the system]
    #[arg(long = "oidc-ca", global = true, env = "ALLOCATION_OIDC_CA", value_name = "FILE", requires = "oidc_issuer")]
    oidc_ca: Option<PathBuf>,
}

/// The issuer of tokens.
#[derive(Debug, Clone)]
pub(crate) struct OidcIssuer {
    pub(crate) rules: TokenRules,
    pub(crate) authorities: Option<PathBuf>,
}

impl OidcArgs {
    /// Returns the issuer, if one is configured.
    pub(crate) fn issuer(&self) -> Option<OidcIssuer> {
        let (issuer, audience) = (self.oidc_issuer.clone()?, self.oidc_audience.clone()?);
        Some(OidcIssuer { rules: TokenRules { issuer, audience }, authorities: self.oidc_ca.clone() })
    }
}

/// Parses the URL of an issuer (`OpenID` Connect Discovery 1.0): HTTPS without a query. Plain HTTP only reaches this
/// machine.
fn parse_issuer(text: &str) -> Result<String, &'static str> {
    let rule =
        "must be a URL such as https://id.example/realms/shop, without user and query; http:// only for this machine";
    if is_secure(text) && !text.contains(['?', '#', '@']) { Ok(text.to_owned()) } else { Err(rule) }
}

/// Returns whether a request to a URL can be neither read nor answered by others.
pub(crate) fn is_secure(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(host)) => !host.is_empty(),
        (Some("http"), Some(host)) => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::parse_issuer;

    #[test]
    fn an_issuer_is_an_https_url_or_one_of_this_machine() {
        for text in
            ["https://id.example", "https://id.example:8443/realms/shop", "http://localhost:9000", "http://[::1]:1/"]
        {
            assert_eq!(parse_issuer(text).as_deref(), Ok(text));
        }
        for text in [
            "",
            "id.example",
            "http://id.example",
            "http://localhost.id.example",
            "https://",
            "ftp://id.example",
            "https://id.example?a",
            "https://user:password@id.example",
            "https://id.example#a",
        ] {
            assert!(parse_issuer(text).is_err(), "{text}");
        }
    }
}
