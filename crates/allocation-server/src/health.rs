//! The health check of a container that has no other HTTP client.

use crate::config::Settings;
use crate::tls;
use allocation_http::TlsFiles;
use anyhow::{Context, anyhow, bail};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{ClientCert, PrivateKey, TlsConfig};

/// The time limit of the whole check, below the timeout of orchestrators.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The bytes of the response that are read.
const MAX_BYTES: u64 = 64 << 10;

/// Checks that the server at the address of the settings is ready.
///
/// # Errors
///
/// Returns an error if it is not ready, or does not respond within two seconds.
pub(crate) fn health(settings: &Settings) -> anyhow::Result<()> {
    let address = reachable(settings.address);
    // The check is local: proxies of the environment do not apply.
    let mut config = Agent::config_builder().timeout_global(Some(TIMEOUT)).proxy(None).max_redirects(0);
    let mut scheme = "http";
    if let Some(paths) = settings.tls.paths() {
        (scheme, config) = ("https", config.tls_config(trusting(&tls::read(&paths)?)?));
    }
    let agent: Agent = config.http_status_as_error(false).build().into();
    let response = agent.get(format!("{scheme}://{address}/readyz")).call();
    let mut response = response.with_context(|| format!("no server answers at {address}"))?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let answer = response.body_mut().with_config().limit(MAX_BYTES).read_to_string().unwrap_or_default();
    bail!("the server at {address} is not ready: {status} {answer}")
}

/// Returns the TLS of the check. The server on this machine needs no proof of its name, which is not that of the address.
///
/// The check presents the certificate of the server itself, should the server require one.
fn trusting(files: &TlsFiles) -> anyhow::Result<TlsConfig> {
    let chain = tls::certificates_in(&files.certificate).context("the certificate of TLS cannot be read")?;
    let key = PrivateKey::from_pem(&files.key).map_err(|_| anyhow!("the key of TLS cannot be read"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = TlsConfig::builder().disable_verification(true).unversioned_rustls_crypto_provider(provider);
    Ok(config.client_cert(files.client_ca.is_some().then(|| ClientCert::new_with_certs(&chain, key))).build())
}

/// Returns the address at which the same machine reaches a server that listens on all addresses.
const fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_all_addresses_is_checked_on_loopback() {
        for (listens, asked) in [
            ("0.0.0.0:8000", "127.0.0.1:8000"),
            ("[::]:8000", "[::1]:8000"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("10.0.0.7:80", "10.0.0.7:80"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
