//! Readers of the feed.

use crate::support::{Client, Server, TestDatabase, now};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Waits until every committed event is sequenced.
pub(super) fn await_sequenced(database: &TestDatabase) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while database.count("SELECT count(*) FROM outbox") > 0 {
        assert!(Instant::now() < deadline, "events are not numbered");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until every expired hold is released.
pub(super) fn await_swept(database: &TestDatabase) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while database.count(&format!("SELECT count(*) FROM order_lines WHERE expires_at < {}", now())) > 0 {
        assert!(Instant::now() < deadline, "holds are not swept");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Follows the links until there is nothing more once the writers are `done`.
pub(super) fn follow(client: &Client, path: &str, done: &AtomicBool) -> Vec<Value> {
    let (mut events, mut path) = (Vec::new(), path.to_owned());
    loop {
        let was_done = done.load(Ordering::SeqCst);
        let (page, next) = client.page(&path);
        if page.is_empty() && was_done {
            return events;
        }
        if page.is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        events.extend(page);
        path = next.unwrap();
    }
}

/// A client of server-sent events.
pub(crate) struct Stream(BufReader<TcpStream>);

impl Stream {
    pub(crate) fn open(server: &Server, path: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let last = last.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n{last}\r\n").unwrap();
        let mut stream = Self(BufReader::new(stream));
        assert_eq!(stream.line().as_deref(), Some("HTTP/1.1 200 OK"));
        while stream.line().is_some_and(|line| !line.is_empty()) {}
        stream
    }

    /// Returns the next line, or `None` when the server has closed the stream.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.0.read_line(&mut line).unwrap() > 0).then(|| line.trim_end().to_owned())
    }

    /// Waits for a comment; returns its lines, up to the empty one that ends them.
    pub(super) fn sign_of_life(&mut self) -> [String; 2] {
        while !self.line().unwrap().starts_with(": ") {}
        [self.line().unwrap(), self.line().unwrap()]
    }

    /// Reads this many bytes.
    pub(super) fn pass_over(&mut self, bytes: u64) {
        assert_eq!(std::io::copy(&mut self.0.by_ref().take(bytes), &mut std::io::sink()).unwrap(), bytes);
    }

    /// Returns everything received until the server is silent or the connection ends in any way.
    pub(super) fn read_rest(&mut self) -> String {
        self.0.get_ref().set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut rest = Vec::new();
        let _ended = self.0.read_to_end(&mut rest);
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// Returns the next event, after checking that its lines agree; `None` at the end of the stream. Chunk
    /// sizes and comments are skipped.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let (mut id, mut name) = (String::new(), String::new());
        loop {
            let line = self.line()?;
            if let Some(value) = line.strip_prefix("id: ") {
                id = value.to_owned();
            } else if let Some(value) = line.strip_prefix("event: ") {
                name = value.to_owned();
            } else if let Some(value) = line.strip_prefix("data: ") {
                let event: Value = serde_json::from_str(value).unwrap();
                assert_eq!((event["id"].as_str(), event["type"].as_str()), (Some(&*id), Some(&*name)));
                return Some(event);
            }
        }
    }
}
