//! The health check of a container, which has no other client.

use anyhow::{Context, bail};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use ureq::Agent;

/// How long the whole check may take: less than an orchestrator waits for it.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How many bytes of an answer are read.
const MAX_BYTES: u64 = 64 << 10;

/// Asks the server at an address whether it is ready.
///
/// # Errors
///
/// When it is not, or does not answer within two seconds.
pub(crate) fn health(address: SocketAddr) -> anyhow::Result<()> {
    let address = reachable(address);
    // A proxy of the environment is for others.
    let config = Agent::config_builder().timeout_global(Some(TIMEOUT)).proxy(None).max_redirects(0);
    let agent: Agent = config.http_status_as_error(false).build().into();
    let response = agent.get(format!("http://{address}/readyz")).call();
    let mut response = response.with_context(|| format!("no server answers at {address}"))?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let answer = response.body_mut().with_config().limit(MAX_BYTES).read_to_string().unwrap_or_default();
    bail!("the server at {address} is not ready: {status} {answer}")
}

/// Where a server that listens on all addresses is reached from the same machine.
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
    fn a_server_on_all_addresses_is_asked_on_loopback() {
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
