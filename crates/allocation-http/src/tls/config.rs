use chrono::{DateTime, Utc};
use std::fmt;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, DEFAULT_VERSIONS, RootCertStore, ServerConfig};

/// The protocol that the server speaks over TLS. Clients that offer others only are rejected.
const HTTP_1_1: &[u8] = b"http/1.1";

/// The contents of the files that TLS needs, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate of the server, then its intermediates.
    pub certificate: Vec<u8>,
    /// The private key of the certificate.
    pub key: Vec<u8>,
    /// The authorities that sign the certificates of clients, and whether clients need one.
    pub client_ca: Option<(Vec<u8>, ClientAuth)>,
}

/// Whether clients need a certificate. One that is sent is verified in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// Clients may connect without.
    Optional,
    /// Clients without one are rejected.
    Required,
}

/// A TLS configuration whose parts fit together.
#[derive(Clone)]
pub struct TlsConfig {
    server: Arc<ServerConfig>,
    expires_at: DateTime<Utc>,
}

/// Why files make no TLS configuration.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of the certificate has none.
    #[error("the certificate is not valid PEM, or has no BEGIN CERTIFICATE")]
    NoCertificate,
    /// A certificate cannot be decoded.
    #[error("a certificate of the chain is not valid X.509")]
    MalformedCertificate,
    /// The file of the key has none.
    #[error("the key is not valid PEM, or has no BEGIN PRIVATE KEY without a password")]
    NoKey,
    /// The certificate and the key do not belong together, or their kind is not supported.
    #[error("the certificate and the key cannot be used")]
    Unusable(#[source] rustls::Error),
    /// The file of the authorities has none.
    #[error("the certificates of client authorities are not valid PEM, or there is none")]
    NoClientCa,
    /// An authority cannot be used.
    #[error("a certificate of a client authority cannot be used")]
    ClientCa(#[source] rustls::Error),
    /// The authorities together cannot be used.
    #[error("the certificates of client authorities cannot be used")]
    ClientVerifier(#[source] VerifierBuilderError),
}

impl TlsConfig {
    /// Parses the contents of files, and checks that they belong together.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with them, without their contents.
    pub fn parse(files: &TlsFiles) -> Result<Self, TlsError> {
        let chain = certificates(&files.certificate).ok_or(TlsError::NoCertificate)?;
        let expires_at = expiry(&chain).ok_or(TlsError::MalformedCertificate)?;
        // An error of the parser may quote a line of the key.
        let key = PrivateKeyDer::from_pem_slice(&files.key).map_err(|_| TlsError::NoKey)?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(DEFAULT_VERSIONS)
            .map_err(TlsError::Unusable)?;
        let builder = match &files.client_ca {
            None => builder.with_no_client_auth(),
            Some((authorities, auth)) => builder.with_client_cert_verifier(verifier(authorities, *auth)?),
        };
        let mut server = builder.with_single_cert(chain, key).map_err(TlsError::Unusable)?;
        server.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Self { server: Arc::new(server), expires_at })
    }

    pub(super) fn server(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// Returns the instant at which the first certificate of the chain expires.
    #[must_use]
    pub const fn expires_at(&self) -> DateTime<Utc> {
        self.expires_at
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsFiles").finish_non_exhaustive()
    }
}

/// Returns the certificates of a PEM file; `None` if there is none, or if the file is malformed.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    Some(chain).filter(|chain| !chain.is_empty())
}

/// Returns the first expiry among certificates; `None` if one is malformed.
fn expiry(chain: &[CertificateDer<'_>]) -> Option<DateTime<Utc>> {
    let expiry = |certificate: &CertificateDer<'_>| {
        let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
        DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0)
    };
    let expiries: Vec<_> = chain.iter().map(expiry).collect::<Option<_>>()?;
    expiries.into_iter().min()
}

fn verifier(authorities: &[u8], auth: ClientAuth) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(authorities).ok_or(TlsError::NoClientCa)? {
        roots.add(authority).map_err(TlsError::ClientCa)?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()));
    let builder = match auth {
        ClientAuth::Optional => builder.allow_unauthenticated(),
        ClientAuth::Required => builder,
    };
    builder.build().map_err(TlsError::ClientVerifier)
}

#[cfg(test)]
mod tests {
    use super::{ClientAuth, TlsConfig, TlsError, TlsFiles};
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn files(expires_in: i32) -> TlsFiles {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(expires_in, 1, 15);
        let certificate = params.self_signed(&key).unwrap().pem().into_bytes();
        TlsFiles { certificate, key: key.serialize_pem().into_bytes(), client_ca: None }
    }

    #[test]
    fn the_first_expiry_of_a_chain_counts() {
        let (leaf, intermediate) = (files(2031), files(2029));
        let chain = TlsFiles { certificate: [&leaf.certificate[..], &intermediate.certificate].concat(), ..leaf };
        let expires_at = TlsConfig::parse(&chain).unwrap().expires_at();
        assert_eq!(expires_at.to_string(), "2029-01-15 00:00:00 UTC");
    }

    #[test]
    fn files_that_do_not_fit_are_refused_without_their_contents() {
        let (good, other) = (files(2031), files(2031));
        let shown = |files: &TlsFiles| TlsConfig::parse(files).unwrap_err();
        let key_of_other = TlsFiles { key: other.key.clone(), ..good.clone() };
        assert!(matches!(shown(&key_of_other), TlsError::Unusable(_)));
        let half = |pem: &[u8]| pem[..pem.len() / 2].to_vec();
        for certificate in [Vec::new(), b"text".to_vec(), half(&good.certificate), good.key.clone()] {
            assert!(matches!(shown(&TlsFiles { certificate, ..good.clone() }), TlsError::NoCertificate));
        }
        let garbage = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
        assert!(matches!(
            shown(&TlsFiles { certificate: garbage.clone(), ..good.clone() }),
            TlsError::MalformedCertificate
        ));
        let secret = String::from_utf8(good.key.clone()).unwrap().lines().nth(1).unwrap().to_owned();
        for key in [Vec::new(), half(&good.key), good.certificate.clone(), format!("-----BEGIN {secret}\n").into()] {
            let error = shown(&TlsFiles { key, ..good.clone() });
            assert!(matches!(error, TlsError::NoKey), "{error:?}");
            assert!(!format!("{error} {error:?} {good:?}").contains(&secret));
        }
        for (authorities, is_pem) in [(Vec::new(), false), (garbage, true)] {
            let error = shown(&TlsFiles { client_ca: Some((authorities, ClientAuth::Required)), ..good.clone() });
            assert_eq!(matches!(error, TlsError::ClientCa(_)), is_pem, "{error:?}");
        }
    }
}
