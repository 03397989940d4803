//! Sockets that libpq has opened in this process.
//!
//! Neither libpq nor diesel exposes the socket of a connection safely. The process finds it in
//! `/proc/self/fd`, where an inode identifies each socket.

use std::collections::HashSet;

/// A socket.
#[derive(Debug)]
pub(super) struct Socket {
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "sockets are found on Linux only"))]
    descriptor: i32,
    /// The link target in `/proc/self/fd`.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "sockets are found on Linux only"))]
    inode: String,
}

/// Returns the inodes of all sockets of this process.
pub(super) fn open() -> HashSet<String> {
    all().map(|socket| socket.inode).collect()
}

/// Returns the only new socket with a PostgreSQL server as its peer, on one of the ports or on a local
/// socket; `None` if there are several.
pub(super) fn new_among(before: &HashSet<String>, ports: &[u16]) -> Option<Socket> {
    let mut found = all().filter(|socket| !before.contains(&socket.inode) && socket.leads_to(ports));
    let socket = found.next();
    socket.filter(|_| found.next().is_none())
}

#[cfg(target_os = "linux")]
fn all() -> impl Iterator<Item = Socket> {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let inode = std::fs::read_link(entry.path()).ok()?.into_os_string().into_string().ok()?;
        let descriptor = entry.file_name().into_string().ok()?.parse().ok()?;
        inode.starts_with("socket:").then_some(Socket { descriptor, inode })
    })
}

#[cfg(not(target_os = "linux"))]
fn all() -> impl Iterator<Item = Socket> {
    std::iter::empty()
}

#[cfg(target_os = "linux")]
impl Socket {
    fn leads_to(&self, ports: &[u16]) -> bool {
        use nix::sys::socket::{SockaddrLike, SockaddrStorage, getpeername};
        let Ok(peer) = getpeername::<SockaddrStorage>(self.descriptor) else { return false };
        if let Some(peer) = peer.as_sockaddr_in() {
            return ports.contains(&peer.port());
        }
        if let Some(peer) = peer.as_sockaddr_in6() {
            return ports.contains(&peer.port());
        }
        let path = peer.as_unix_addr().filter(|_| peer.len() > 2).and_then(|peer| peer.path());
        path.is_some_and(|path| path.to_string_lossy().contains(".s.PGSQL."))
    }

    /// Shuts down both directions of the socket. A socket that was closed meanwhile is left alone, even if
    /// another socket has its descriptor.
    pub(super) fn shut_down(&self) {
        use nix::sys::socket::{Shutdown, shutdown};
        let link = std::fs::read_link(format!("/proc/self/fd/{}", self.descriptor));
        if link.is_ok_and(|link| link.as_os_str() == self.inode.as_str())
            && let Err(error) = shutdown(self.descriptor, Shutdown::Both)
        {
            tracing::debug!(%error, "a connection to the database cannot be cut");
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Socket {
    const fn leads_to(&self, _ports: &[u16]) -> bool {
        false
    }

    pub(super) fn shut_down(&self) {}
}
