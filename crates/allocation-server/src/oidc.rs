//! The keys of an issuer of tokens, as `OpenID` Connect Discovery 1.0 publishes them.

use crate::config::{OidcIssuer, is_secure};
use crate::https;
use allocation_access::TokenKeys;
use allocation_ports::{TokenKeySource, TokenKeysUnavailable};
use anyhow::{Context, ensure};
use serde::Deserialize;
use std::time::Duration;
use ureq::Agent;

/// The time limit of a request to the issuer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum length of the issuer's description of itself, in bytes.
const MAX_DISCOVERY_BYTES: u64 = 256 * 1024;

/// Fetches the keys of an issuer.
pub(crate) struct OidcKeySource {
    issuer: String,
    agent: Agent,
}

/// The members of the issuer's description that matter.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl OidcKeySource {
    /// Returns the source of the issuer's keys, which are not fetched yet.
    ///
    /// # Errors
    ///
    /// Returns an error if the authorities that sign the certificate of the issuer cannot be read.
    pub(crate) fn new(issuer: &OidcIssuer) -> anyhow::Result<Self> {
        let agent = https::client(issuer.authorities.as_deref(), TIMEOUT)?;
        Ok(Self { issuer: issuer.rules.issuer.clone(), agent })
    }

    fn fetch_keys(&self) -> anyhow::Result<TokenKeys> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let discovery = self.get(&url, MAX_DISCOVERY_BYTES)?;
        let discovery: Discovery = serde_json::from_slice(&discovery).with_context(|| format!("check {url}"))?;
        // Otherwise another issuer of the same host could stand in for this one.
        ensure!(discovery.issuer == self.issuer, "{url} describes the issuer {:?}", discovery.issuer);
        let url = &discovery.jwks_uri;
        let is_as_secure = is_secure(url) && (url.starts_with("https:") || self.issuer.starts_with("http:"));
        ensure!(is_as_secure, "the keys of the issuer are at {url:?}, which is not https");
        let keys = self.get(url, u64::try_from(TokenKeys::MAX_BYTES)?)?;
        TokenKeys::parse(&keys).with_context(|| format!("check {url}"))
    }

    fn get(&self, url: &str, limit: u64) -> anyhow::Result<Vec<u8>> {
        let mut response = self.agent.get(url).call().with_context(|| format!("GET {url}"))?;
        ensure!(response.status() == 200, "GET {url}: {}", response.status());
        response.body_mut().with_config().limit(limit).read_to_vec().with_context(|| format!("GET {url}"))
    }
}

impl TokenKeySource for OidcKeySource {
    fn fetch(&self) -> Result<TokenKeys, TokenKeysUnavailable> {
        self.fetch_keys().map_err(|error| TokenKeysUnavailable(error.into()))
    }
}
