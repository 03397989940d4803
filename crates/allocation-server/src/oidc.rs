//! The keys of an issuer of tokens, as `OpenID` Connect Discovery 1.0 publishes them.

use crate::config::{OidcIssuer, is_secure};
use crate::tls::read_authorities;
use allocation_access::TokenKeys;
use allocation_ports::{TokenKeySource, TokenKeysUnavailable};
use anyhow::{Context, ensure};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

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
        let roots = match &issuer.authorities {
            Some(path) => RootCerts::new_with_certs(&read_authorities(path)?.certificates),
            None => authorities_of_the_system(),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build();
        // A redirect could lead to a place without TLS.
        let config = Agent::config_builder().timeout_global(Some(TIMEOUT)).max_redirects(0).tls_config(tls);
        Ok(Self { issuer: issuer.rules.issuer.clone(), agent: config.build().into() })
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

/// Returns the authorities that the system trusts. If it has none, fetching the keys fails, which is logged.
fn authorities_of_the_system() -> RootCerts {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "some authorities that the system trusts cannot be read");
    }
    let certificates: Vec<_> = found.certs.iter().map(|it| Certificate::from_der(it).to_owned()).collect();
    RootCerts::new_with_certs(&certificates)
}
