//! Metrics of TLS, which exist only with TLS.

use super::writer::{MetricWriter, count, flag};
use crate::tls::Tls;
use std::fmt;

pub(super) fn write(to: &mut MetricWriter<'_>, tls: &Tls) -> fmt::Result {
    // A certificate of the last century has expired, too.
    let expires_at = u64::try_from(tls.expires_at().timestamp()).unwrap_or_default();
    to.gauge(
        "allocation_tls_certificate_expiry_timestamp_seconds",
        "Unix time at which the certificate in use, or one of its intermediates, expires.",
        count(expires_at),
    )?;
    to.gauge(
        "allocation_tls_certificate_outdated",
        "Whether the files of the certificate have changed to something that cannot be used.",
        flag(tls.is_outdated()),
    )?;
    to.counter(
        "allocation_tls_handshake_failures",
        "Handshakes that failed, were too slow, or were no TLS.",
        count(tls.failed_handshakes()),
    )
}
