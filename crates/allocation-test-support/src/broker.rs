use crate::BrokerClient;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use uuid::Uuid;

/// Names the broker that tests share: the URL of a user who may declare exchanges and queues.
pub const AMQP_URL: &str = "ALLOCATION_TEST_AMQP_URL";

/// A broker for one test: the one that all share, by names that no other test uses, or one of its own,
/// which it may restart.
#[derive(Debug)]
pub struct TestBroker {
    url: String,
    prefix: String,
    own: Option<TempDir>,
}

impl TestBroker {
    /// The broker that all tests share.
    ///
    /// # Panics
    ///
    /// When there is none, with word of how to get one.
    #[must_use]
    pub fn shared() -> Self {
        let url = std::env::var(AMQP_URL)
            .unwrap_or_else(|_| panic!("no RabbitMQ to test with: run scripts/test, or set {AMQP_URL}"));
        Self { url, prefix: format!("test-{}", Uuid::now_v7().simple()), own: None }
    }

    /// A broker of its own, which takes some seconds to start.
    ///
    /// # Panics
    ///
    /// When it does not start, with what the script says.
    #[must_use]
    pub fn own() -> Self {
        let folder = tempfile::Builder::new().prefix("allocation-broker-").tempdir().unwrap();
        let mut broker = Self { url: String::new(), prefix: "test".to_owned(), own: Some(folder) };
        broker.start();
        broker.url = std::fs::read_to_string(broker.folder().join("url")).unwrap().trim().to_owned();
        broker
    }

    /// The URL, as the program takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A name that no other test uses.
    #[must_use]
    pub fn name(&self, what: &str) -> String {
        format!("{}.{what}", self.prefix)
    }

    /// Connects to it.
    #[must_use]
    pub fn client(&self) -> BrokerClient {
        BrokerClient::connect(&self.url)
    }

    /// Starts a broker of one's own, again with what it had.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start(&self) {
        self.script("rabbitmq_start", "");
    }

    /// Ends a broker of one's own as a power cut would.
    ///
    /// # Panics
    ///
    /// When it is not one's own.
    pub fn kill(&self) {
        self.script("rabbitmq_kill", "");
    }

    /// Has `rabbitmqctl` do something to a broker of one's own.
    ///
    /// # Panics
    ///
    /// When it fails, with what it says.
    pub fn control(&self, command: &str) {
        self.script("rabbitmq_control", command);
    }

    /// Has a broker of one's own stand still with its connections open, or go on.
    ///
    /// # Panics
    ///
    /// When it is not one's own, or does not run.
    pub fn freeze(&self, freeze: bool) {
        let pid = std::fs::read_to_string(self.folder().join("pid")).unwrap();
        let signal = if freeze { "-STOP" } else { "-CONT" };
        assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
    }

    fn folder(&self) -> PathBuf {
        self.own.as_ref().expect("the broker is shared").path().join("broker")
    }

    /// Runs a function of the script for this broker.
    fn script(&self, function: &str, arguments: &str) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/lib/rabbitmq.sh");
        let call = format!("{function} '{}' {arguments}", self.folder().display());
        let run = format!("set -euo pipefail; . '{script}'; rabbitmq_find_or_install; {call}");
        let output = Command::new("bash").args(["-c", &run]).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{function}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for TestBroker {
    fn drop(&mut self) {
        if self.own.is_some() {
            self.kill();
        }
    }
}
