use crate::script::{call, folder};
use tempfile::TempDir;

/// How long a pooler assigns a session of the server to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    /// Until the client disconnects.
    Session,
    /// For one transaction.
    Transaction,
    /// For one statement.
    Statement,
}

/// A PgBouncer of its own, stopped when the value is dropped.
#[derive(Debug)]
pub struct TestPooler {
    folder: TempDir,
    address: String,
}

impl TestPooler {
    /// Starts a pooler in front of the server that a URL names by its address and port.
    ///
    /// # Panics
    ///
    /// Panics with the output of the script if the pooler does not start.
    #[must_use]
    pub fn start(server: &str, mode: PoolMode) -> Self {
        let authority = server.split("://").nth(1).unwrap().split(['/', '?']).next().unwrap();
        let port = authority.rsplit(':').next().unwrap();
        let mode = match mode {
            PoolMode::Session => "session",
            PoolMode::Transaction => "transaction",
            PoolMode::Statement => "statement",
        };
        let folder = folder();
        let start = format!("pgbouncer_start '{}/pooler' {port} {mode}", folder.path().display());
        let port = call(&format!("pgbouncer_find_or_install; {start}; echo $PGBOUNCER_PORT"));
        Self { folder, address: format!("postgres://postgres@127.0.0.1:{port}/postgres") }
    }

    /// Returns the URL of the pooler, with the database `postgres`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.address
    }
}

impl Drop for TestPooler {
    fn drop(&mut self) {
        call(&format!("pgbouncer_stop '{}/pooler'", self.folder.path().display()));
    }
}
