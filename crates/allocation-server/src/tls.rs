//! TLS of the server, read again when its files change.

use crate::config::TlsPaths;
use allocation_app::{BackgroundTask, FailureLog};
use allocation_http::{Tls, TlsConfig, TlsFiles};
use anyhow::{Context, ensure};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;
use ureq::tls::{Certificate, PemItem, parse_pem};

/// The interval at which the files are compared with the configuration in use. Their times are not reliable: a
/// mounted secret is replaced by a symbolic link, and a copy may keep the time of its original.
const RELOAD_PAUSE: Duration = Duration::from_secs(5);

/// The maximum length of a file, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The TLS of the server, and the task that replaces its configuration.
pub(crate) struct ServerTls {
    pub(crate) tls: Tls,
    pub(crate) reloading: BackgroundTask,
}

/// Replaces the configuration when its files change.
struct Reloader {
    paths: TlsPaths,
    tls: Tls,
    /// The files in use.
    current: TlsFiles,
    /// The files at the last step.
    last: TlsFiles,
    log: FailureLog,
}

impl ServerTls {
    /// Loads the configuration, and starts to watch its files.
    ///
    /// # Errors
    ///
    /// Returns an error if the files make no configuration.
    pub(crate) fn start(paths: TlsPaths) -> anyhow::Result<Self> {
        let current = read(&paths)?;
        let tls = Tls::new(parse(&current, &paths)?);
        let log = FailureLog::new("loading the TLS certificate", "the previous one stays in use");
        let mut reloader = Reloader { paths, tls: tls.clone(), last: current.clone(), current, log };
        let reloading = BackgroundTask::repeat("tls", RELOAD_PAUSE, RELOAD_PAUSE, move |_| {
            reloader.step();
            RELOAD_PAUSE
        });
        Ok(Self { tls, reloading: reloading.context("the TLS certificate cannot be watched")? })
    }
}

/// Checks that the files make a configuration.
///
/// # Errors
///
/// Returns an error if they do not.
pub(crate) fn check(paths: &TlsPaths) -> anyhow::Result<()> {
    parse(&read(paths)?, paths).map(drop)
}

impl Reloader {
    fn step(&mut self) {
        match self.reload() {
            Ok(false) => {}
            Ok(true) => {
                self.tls.set_outdated(false);
                self.log.succeeded();
            }
            Err(error) => {
                self.tls.set_outdated(true);
                self.log.failed_because(&format_args!("{error:#}"));
            }
        }
    }

    /// Returns whether the files are those in use. Files that have just changed are left alone: the certificate may
    /// have been replaced, and its key may follow.
    fn reload(&mut self) -> anyhow::Result<bool> {
        let files = read(&self.paths)?;
        let have_settled = files == self.last;
        self.last = files;
        if self.last == self.current {
            return Ok(true);
        }
        if have_settled {
            self.tls.replace(parse(&self.last, &self.paths)?);
            self.current = self.last.clone();
            tracing::info!(expires_at = %self.tls.expires_at(), "the TLS certificate was replaced");
        }
        Ok(have_settled)
    }
}

fn parse(files: &TlsFiles, paths: &TlsPaths) -> anyhow::Result<TlsConfig> {
    TlsConfig::parse(files).with_context(|| {
        let authorities = paths.client_ca.as_ref().map(|(path, _)| format!(" and {}", path.display()));
        let (certificate, key) = (paths.certificate.display(), paths.key.display());
        format!("check {certificate} and {key}{}", authorities.unwrap_or_default())
    })
}

/// Reads the files of TLS.
///
/// # Errors
///
/// Returns an error if one cannot be read.
pub(crate) fn read(paths: &TlsPaths) -> anyhow::Result<TlsFiles> {
    let client_ca = paths.client_ca.as_ref().map(|(path, auth)| Ok::<_, anyhow::Error>((read_file(path)?, *auth)));
    Ok(TlsFiles {
        certificate: read_file(&paths.certificate)?,
        key: read_file(&paths.key)?,
        client_ca: client_ca.transpose()?,
    })
}

/// Certificates of authorities, from a PEM file.
pub(crate) struct Authorities {
    pub(crate) pem: String,
    pub(crate) certificates: Vec<Certificate<'static>>,
}

/// Reads a PEM file of authorities.
///
/// # Errors
///
/// Returns an error if it cannot be read, is not PEM, or has no certificate.
pub(crate) fn read_authorities(path: &Path) -> anyhow::Result<Authorities> {
    let check = || format!("check {}", path.display());
    let pem = String::from_utf8(read_file(path)?).with_context(check)?;
    let certificates = certificates_in(pem.as_bytes()).with_context(check)?;
    ensure!(!certificates.is_empty(), "{} has no certificate", path.display());
    Ok(Authorities { pem, certificates })
}

/// Returns the certificates of a PEM file, for a client.
///
/// # Errors
///
/// Returns an error if the file is not PEM.
pub(crate) fn certificates_in(pem: &[u8]) -> Result<Vec<Certificate<'static>>, ureq::Error> {
    let certificate = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    };
    parse_pem(pem).filter_map(certificate).collect()
}

/// Reads a file of at most [`MAX_FILE_BYTES`].
///
/// # Errors
///
/// Returns an error if it cannot be read, or is longer.
pub(crate) fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
        ensure!(u64::try_from(bytes.len())? <= MAX_FILE_BYTES, "it is longer than {MAX_FILE_BYTES} bytes");
        Ok(bytes)
    };
    read().with_context(|| format!("{} cannot be read", path.display()))
}
