//! Servers that are killed and started again.

use crate::support::{Client, Server, TODAY, TestDatabase, binary, free_port, program};
use std::process::{Child, Stdio};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

/// The time limit of a request: longer than the service lets one wait.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Servers on one database. Each gets a new address when it is started again.
pub(super) struct Replicas {
    url: String,
    addresses: RwLock<Vec<String>>,
    servers: Mutex<Vec<Option<Server>>>,
    stalled: Option<Mutex<Child>>,
}

impl Replicas {
    pub(super) fn start(database: &TestDatabase, count: usize) -> Self {
        Self::start_at(database.url(), count)
    }

    /// Starts servers that reach their database by a URL.
    pub(super) fn start_at(url: &str, count: usize) -> Self {
        Self::of(url, (0..count).map(|_| Server::start_at(url, |command| command)).collect())
    }

    /// Starts servers of the version that a path names.
    pub(super) fn start_version(database: &TestDatabase, path: &str, count: usize) -> Self {
        Self::of(database.url(), (0..count).map(|_| version(path, database.url())).collect())
    }

    fn of(url: &str, servers: Vec<Server>) -> Self {
        let addresses = servers.iter().map(|server| server.address().to_owned()).collect();
        let servers = Mutex::new(servers.into_iter().map(Some).collect());
        Self { url: url.to_owned(), addresses: RwLock::new(addresses), servers, stalled: None }
    }

    /// Starts servers whose clocks are off by these seconds.
    pub(super) fn start_with_offsets(database: &TestDatabase, offsets: &[i32]) -> Self {
        let start = |offset: &i32| {
            let setting = format!("--clock-offset-seconds={offset}");
            Server::start_at(database.url(), |command| command.arg(setting))
        };
        Self::of(database.url(), offsets.iter().map(start).collect())
    }

    /// Starts one server that logs a lot into a pipe without a reader.
    pub(super) fn start_stalled(database: &TestDatabase) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = binary();
        command.args(["--address", &address, "--log-format", "json"]).env("DATABASE_URL", database.url());
        command.env("RUST_LOG", "trace").env("ALLOCATION_TODAY", TODAY);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        // It listens before it has migrated.
        while std::net::TcpStream::connect(&address).is_err() || Client::new(&address).get("/readyz").status != 200 {
            assert!(Instant::now() < deadline, "the server does not start");
            thread::sleep(Duration::from_millis(20));
        }
        let (addresses, servers) = (RwLock::new(vec![address]), Mutex::new(Vec::new()));
        Self { url: database.url().to_owned(), addresses, servers, stalled: Some(Mutex::new(child)) }
    }

    pub(super) fn count(&self) -> usize {
        self.addresses.read().unwrap().len()
    }

    pub(super) fn address(&self, number: usize) -> String {
        self.addresses.read().unwrap()[number].clone()
    }

    /// A client whose requests time out.
    pub(super) fn client(&self, number: usize) -> Client {
        Client::with_timeout(&self.address(number), REQUEST_TIMEOUT)
    }

    pub(super) fn kill(&self, number: usize) {
        let server = self.servers.lock().unwrap()[number].take().unwrap();
        server.signal("KILL");
    }

    pub(super) fn restart(&self, number: usize) {
        self.add(number, Server::start_at(&self.url, |command| command));
    }

    /// Stops a server and starts another version in its place.
    pub(super) fn replace(&self, number: usize, path: &str) {
        let server = self.servers.lock().unwrap()[number].take().unwrap();
        server.signal("TERM");
        let (status, log) = server.wait();
        assert!(status.success(), "{log:?}");
        self.add(number, version(path, &self.url));
    }

    fn add(&self, number: usize, server: Server) {
        self.addresses.write().unwrap()[number] = server.address().to_owned();
        self.servers.lock().unwrap()[number] = Some(server);
    }
}

fn version(path: &str, url: &str) -> Server {
    Server::start_program(program(path), url, |command| command)
}

impl Drop for Replicas {
    fn drop(&mut self) {
        if let Some(child) = &self.stalled {
            let mut child = child.lock().unwrap();
            drop(child.kill());
            drop(child.wait());
        }
    }
}
