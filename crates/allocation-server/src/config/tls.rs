//! Settings of the server's TLS.

use allocation_http::ClientAuth;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// The TLS settings of the API.
#[derive(Debug, Clone, Args)]
pub(crate) struct TlsArgs {
    /// Serve HTTPS with the certificate in this PEM file, its intermediates behind it; read again when it changes
    #[arg(
        long = "tls-certificate",
        global = true,
        env = "ALLOCATION_TLS_CERTIFICATE",
        value_name = "FILE",
        requires = "key"
    )]
    certificate: Option<PathBuf>,

    /// The PEM file with the private key of the certificate
    #[arg(long = "tls-key", global = true, env = "ALLOCATION_TLS_KEY", value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,

    /// A PEM file with the authorities that sign the certificates of clients
    #[arg(
        long = "tls-client-ca",
        global = true,
        env = "ALLOCATION_TLS_CLIENT_CA",
        value_name = "FILE",
        requires = "certificate"
    )]
    client_ca: Option<PathBuf>,

    /// Whether clients need a certificate, if --tls-client-ca is set
    #[arg(
        long = "tls-client-auth",
        global = true,
        env = "ALLOCATION_TLS_CLIENT_AUTH",
        value_name = "WHEN",
        default_value = "required"
    )]
    client_auth: ClientAuthArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClientAuthArg {
    /// Clients may connect without; one that is sent is verified
    Optional,
    /// Clients without one are rejected
    Required,
}

/// The files of TLS.
#[derive(Debug, Clone)]
pub(crate) struct TlsPaths {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) client_ca: Option<(PathBuf, ClientAuth)>,
}

impl TlsArgs {
    /// Returns the files, if the server has TLS.
    pub(crate) fn paths(&self) -> Option<TlsPaths> {
        let auth = match self.client_auth {
            ClientAuthArg::Optional => ClientAuth::Optional,
            ClientAuthArg::Required => ClientAuth::Required,
        };
        let (certificate, key) = (self.certificate.clone()?, self.key.clone()?);
        Some(TlsPaths { certificate, key, client_ca: self.client_ca.clone().map(|path| (path, auth)) })
    }
}
