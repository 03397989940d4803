use crate::BrokerClient;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;
use uuid::Uuid;

/// The environment variable with the URL of the broker that tests share. Its user may declare exchanges and queues.
pub const AMQP_URL: &str = "ALLOCATION_TEST_AMQP_URL";

/// A broker for one test: the shared one, with names that no other test uses, or its own, which it may restart.
#[derive(Debug)]
pub struct TestBroker {
    url: String,
    prefix: String,
    own: Option<TempDir>,
}

impl TestBroker {
    /// Returns the broker that all tests share.
    ///
    /// # Panics
    ///
    /// Panics if [`AMQP_URL`] is not set; the message says how to set it.
    #[must_use]
    pub fn shared() -> Self {
        let url = std::env::var(AMQP_URL)
            .unwrap_or_else(|_| panic!("no RabbitMQ to test with: run scripts/test, or set {AMQP_URL}"));
        Self { url, prefix: format!("test-{}", Uuid::now_v7().simple()), own: None }
    }

    /// Starts a broker for this test alone, which takes some seconds.
    ///
    /// # Panics
    ///
    /// Panics with the output of the script if the broker does not start.
    #[must_use]
    pub fn own() -> Self {
        Self::own_with_files([])
    }

    /// Starts a broker for this test alone that also speaks TLS: with a certificate and its key, and the authority that
    /// signed it, all in PEM.
    ///
    /// # Panics
    ///
    /// Panics with the output of the script if the broker does not start.
    #[must_use]
    pub fn own_with_tls(authority: &str, certificate: &str, key: &str) -> Self {
        Self::own_with_files([("tls/ca.pem", authority), ("tls/cert.pem", certificate), ("tls/key.pem", key)])
    }

    fn own_with_files<const N: usize>(files: [(&str, &str); N]) -> Self {
        let folder = tempfile::Builder::new().prefix("allocation-broker-").tempdir().unwrap();
        let mut broker = Self { url: String::new(), prefix: "test".to_owned(), own: Some(folder) };
        for (name, text) in files {
            let path = broker.folder().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        broker.start();
        broker.url = broker.read("url");
        broker
    }

    /// Returns the URL in the format of the program's setting.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the URL for TLS of the test's own broker.
    ///
    /// # Panics
    ///
    /// Panics if the broker is shared, or does not speak TLS.
    #[must_use]
    pub fn tls_url(&self) -> String {
        self.read("url.tls")
    }

    /// Returns a name that no other test uses.
    #[must_use]
    pub fn name(&self, what: &str) -> String {
        format!("{}.{what}", self.prefix)
    }

    /// Connects to the broker.
    #[must_use]
    pub fn client(&self) -> BrokerClient {
        BrokerClient::connect(&self.url)
    }

    /// Starts the test's own broker, with the data of its last run.
    ///
    /// # Panics
    ///
    /// Panics if the broker is shared or does not start.
    pub fn start(&self) {
        self.script("rabbitmq_start", "");
    }

    /// Ends the test's own broker as a power cut would.
    ///
    /// # Panics
    ///
    /// Panics if the broker is shared.
    pub fn kill(&self) {
        self.script("rabbitmq_kill", "");
    }

    /// Runs a command of `rabbitmqctl` on the test's own broker.
    ///
    /// # Panics
    ///
    /// Panics with the output of the command if it fails, and if the broker is shared.
    pub fn control(&self, command: &str) {
        self.script("rabbitmq_control", command);
    }

    /// Suspends the test's own broker with its connections open, or resumes it.
    ///
    /// # Panics
    ///
    /// Panics if the broker is shared or does not run.
    pub fn freeze(&self, freeze: bool) {
        let pid = std::fs::read_to_string(self.folder().join("pid")).unwrap();
        let signal = if freeze { "-STOP" } else { "-CONT" };
        assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder().join(file)).unwrap().trim().to_owned()
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
