//! Servers that come and go.

use crate::support::{Client, Server, TODAY, TestDatabase, binary, free_port};
use std::process::{Child, Stdio};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

/// How long a request may take: longer than the service lets one wait.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Servers on one database. Each has an address that changes when it is started again.
pub(super) struct Replicas {
    url: String,
    addresses: RwLock<Vec<String>>,
    servers: Mutex<Vec<Option<Server>>>,
    stalled: Option<Mutex<Child>>,
}

impl Replicas {
    pub(super) impl Drop for Replicas {
    fn drop(&mut self) {
        if let Some(child) = &self.stalled {
            let mut child = child.lock().unwrap();
            drop(child.kill());
            drop(child.wait());
        }
    }
}
