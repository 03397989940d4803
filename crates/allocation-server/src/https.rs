//! Requests to other services, over HTTP or HTTPS.

use crate::tls::read_authorities;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Returns a client that trusts `authorities`, or else those of the system. A request takes `timeout` at most.
///
/// # Errors
///
/// Returns an error if the authorities cannot be read.
pub(crate) fn client(authorities: Option<&Path>, timeout: Duration) -> anyhow::Result<Agent> {
    let roots = match authorities {
        Some(path) => RootCerts::new_with_certs(&read_authorities(path)?.certificates),
        None => authorities_of_the_system(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(provider).build();
    // A redirect could lead to a place without TLS.
    let config = Agent::config_builder().timeout_global(Some(timeout)).max_redirects(0).tls_config(tls);
    Ok(config.build().into())
}

/// Returns the authorities that the system trusts. If it has none, requests over HTTPS fail, which is logged.
fn authorities_of_the_system() -> RootCerts {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "some authorities that the system trusts cannot be read");
    }
    let certificates: Vec<_> = found.certs.iter().map(|it| Certificate::from_der(it).to_owned()).collect();
    RootCerts::new_with_certs(&certificates)
}
