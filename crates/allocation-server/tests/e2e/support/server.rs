use super::{Client, TestDatabase};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The program, or the one that `ALLOCATION_TEST_BINARY` names, without settings of the machine.
pub(crate) fn binary() -> Command {
    let ours = || env!("CARGO_BIN_EXE_allocation").into();
    program(std::env::var_os("ALLOCATION_TEST_BINARY").unwrap_or_else(ours))
}

/// A program without settings of the machine.
pub(crate) fn program(path: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| name.starts_with("ALLOCATION_"));
        if ours || name == "DATABASE_URL" || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    // The project's `.env` is not read from here.
    command.current_dir(std::env::temp_dir());
    command
}

/// The date of the servers in tests.
pub(crate) const TODAY: &str = "2026-12-01";

/// Returns a port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    address: String,
    log: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, |command| command)
    }

    /// Starts a server whose command line and environment `adjust` changes.
    pub(crate) fn start_with(database: &TestDatabase, adjust: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        Self::start_at(database.url(), adjust)
    }

    /// Starts a server that reaches its database by a URL.
    pub(crate) fn start_at(url: &str, adjust: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        Self::start_program(binary(), url, adjust)
    }

    /// Starts a server of some version that reaches its database by a URL.
    pub(crate) fn start_program(
        mut command: Command,
        url: &str,
        adjust: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        command.args(["--address", "127.0.0.1:0", "--log-format", "json"]).env("DATABASE_URL", url);
        // The dates in the tests stay in the future.
        command.env("ALLOCATION_TODAY", TODAY);
        adjust(&mut command);
        Self::launch(command)
    }

    /// Starts a server that other machines may reach.
    pub(crate) fn start_on_every_address(
        database: &TestDatabase,
        adjust: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        let mut command = binary();
        command.args(["--address", "0.0.0.0:0", "--log-format", "json"]).env("DATABASE_URL", database.url());
        adjust(&mut command);
        Self::launch(command)
    }

    /// Starts a server with these limits on file descriptors.
    pub(crate) fn start_limited(database: &TestDatabase, soft: u32, hard: u32) -> Self {
        let limited = format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &limited]).arg(binary().get_program());
        command.args(["--address", "127.0.0.1:0", "--log-format", "json"]).env("DATABASE_URL", database.url());
        command.current_dir(std::env::temp_dir());
        Self::launch(command)
    }

    fn launch(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let reader = read_log(&mut child, &log);
        let mut server = Self { child, address: String::new(), log, reader: Some(reader) };
        server.address = server.await_address();
        server
    }

    fn await_address(&mut self) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let found = self.log().iter().find_map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).ok()?;
                let rest = line["message"].as_str()?.strip_prefix("API at http")?.split_once("://")?.1;
                Some(rest.split(',').next()?.to_owned())
            });
            if let Some(address) = found {
                return address;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "the server ended: {:?}", self.log());
            assert!(Instant::now() < deadline, "the server does not start: {:?}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.address)
    }

    /// Returns the log so far, line by line.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for the end, and gives the exit status with the whole log. A server that does not end fails the test.
    pub(crate) fn wait(mut self) -> (ExitStatus, Vec<String>) {
        let deadline = Instant::now() + Duration::from_secs(120);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the server does not end: {:?}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        };
        self.reader.take().unwrap().join().unwrap();
        (status, self.log())
    }

    /// Returns the private memory of the process in KiB: without its program, which is several times as
    /// large in a test build.
    pub(crate) fn own_memory_kib(&self) -> u64 {
        self.status("RssAnon:")
    }

    /// Returns the peak memory of the process, its program included, in KiB.
    pub(crate) fn peak_memory_kib(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read_log(child: &mut Child, log: &Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    let (stderr, log) = (child.stderr.take().unwrap(), Arc::clone(log));
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            log.lock().unwrap().push(line.unwrap());
        }
    })
}
