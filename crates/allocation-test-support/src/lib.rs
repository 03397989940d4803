//! Isolated databases, servers and brokers for tests.
//!
//! Each test has its own database, and its own names on a shared broker or its own broker. PostgreSQL databases
//! are created on the server of `ALLOCATION_TEST_POSTGRES_URL`, which `scripts/test` sets, and dropped with the
//! value. A [`TestCluster`] and a [`TestPooler`] are servers of one test.
#![warn(missing_docs)]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "support of tests: a panic is how a test fails")]

#[cfg(feature = "rabbitmq")]
mod broker;
#[cfg(feature = "rabbitmq")]
mod broker_client;
mod cluster;
mod pooler;
mod script;

#[cfg(feature = "rabbitmq")]
pub use broker::{AMQP_URL, TestBroker};
#[cfg(feature = "rabbitmq")]
pub use broker_client::{BrokerClient, Message};
pub use cluster::{Replication, TestCluster};
pub use pooler::{PoolMode, TestPooler};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::path::Path;
use tempfile::TempDir;
use uuid::Uuid;

/// The environment variable with the URL of the server for test databases. Its user may create databases.
pub const POSTGRES_URL: &str = "ALLOCATION_TEST_POSTGRES_URL";

/// A new, empty database, removed when the value is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    place: Place,
}

/// A write lock that is held until the value is dropped: see [`TestDatabase::hold_write_lock`].
pub struct HeldLock {
    _connection: SqliteConnection,
}

#[derive(Debug)]
enum Place {
    Sqlite { file: String, _folder: TempDir },
    Postgres { server: String, name: String },
}

impl TestDatabase {
    /// Creates a SQLite database in a temporary folder.
    ///
    /// # Panics
    ///
    /// Panics if the folder cannot be created.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::sqlite_in(&std::env::temp_dir())
    }

    /// Creates a SQLite database in a new folder within `parent`.
    ///
    /// # Panics
    ///
    /// Panics if the folder cannot be created.
    #[must_use]
    pub fn sqlite_in(parent: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("allocation-test-").tempdir_in(parent).unwrap();
        let file = folder.path().join("test.db").to_str().unwrap().to_owned();
        Self { url: format!("sqlite://{file}"), place: Place::Sqlite { file, _folder: folder } }
    }

    /// Creates a database on the PostgreSQL server for tests.
    ///
    /// # Panics
    ///
    /// Panics if [`POSTGRES_URL`] is not set; the message says how to set it.
    #[must_use]
    pub fn postgres() -> Self {
        let server = std::env::var(POSTGRES_URL)
            .unwrap_or_else(|_| panic!("no PostgreSQL to test with: run scripts/test, or set {POSTGRES_URL}"));
        Self::postgres_on(&server)
    }

    /// Creates a database on a PostgreSQL server.
    ///
    /// # Panics
    ///
    /// Panics if the server does not respond or rejects the database.
    #[must_use]
    pub fn postgres_on(server: &str) -> Self {
        let name = format!("test_{}", Uuid::now_v7().simple());
        let mut connection = PgConnection::establish(server).expect("the server for tests answers");
        // No session uses template0: copying another template would wait for its sessions.
        connection
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
            .expect("the user may make databases");
        Self { url: with_database(server, &name), place: Place::Postgres { server: server.to_owned(), name } }
    }

    /// Returns the URL of the database, in the format of the program's setting.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the URL of this database on another server, such as a standby.
    #[must_use]
    pub fn url_on(&self, server: &str) -> String {
        match &self.place {
            Place::Sqlite { .. } => self.url.clone(),
            Place::Postgres { name, .. } => with_database(server, name),
        }
    }

    /// Runs one or more SQL statements on a new connection.
    ///
    /// # Panics
    ///
    /// Panics if the database rejects a statement; see [`TestDatabase::try_execute`].
    pub fn execute(&self, sql: &str) {
        self.try_execute(sql).unwrap();
    }

    /// Runs SQL that the database may reject.
    ///
    /// # Errors
    ///
    /// Returns the error of the database.
    pub fn try_execute(&self, sql: &str) -> QueryResult<()> {
        match &self.place {
            Place::Sqlite { file, .. } => sqlite(file).batch_execute(sql),
            Place::Postgres { .. } => postgres(&self.url).batch_execute(sql),
        }
    }

    /// Runs SQL in a transaction on a new connection, and holds its locks until the value is dropped. The
    /// transaction is then rolled back.
    ///
    /// # Panics
    ///
    /// Panics if the database rejects a statement.
    #[must_use]
    pub fn hold(&self, sql: &str) -> HeldLocks {
        let held = match &self.place {
            Place::Sqlite { file, .. } => {
                let mut connection = sqlite(file);
                connection.batch_execute("BEGIN IMMEDIATE").unwrap();
                connection.batch_execute(sql).unwrap();
                Connected::Sqlite { connection }
            }
            Place::Postgres { .. } => {
                let mut connection = postgres(&self.url);
                connection.batch_execute("BEGIN").unwrap();
                connection.batch_execute(sql).unwrap();
                Connected::Postgres { connection }
            }
        };
        HeldLocks { held }
    }

    /// Returns the single integer of a query's result.
    ///
    /// # Panics
    ///
    /// Panics if the query fails or returns anything else.
    #[must_use]
    pub fn count(&self, query: &str) -> i64 {
        match &self.place {
            Place::Sqlite { file, .. } => sql::<BigInt>(query).get_result(&mut sqlite(file)).unwrap(),
            // PostgreSQL has more than one type for integers.
            Place::Postgres { .. } => {
                let query = sql::<BigInt>(&format!("SELECT ({query})::bigint"));
                query.get_result(&mut postgres(&self.url)).unwrap()
            }
        }
    }

    /// Returns the single text column of a query's result.
    ///
    /// # Panics
    ///
    /// Panics if the query fails or returns anything else.
    #[must_use]
    pub fn texts(&self, query: &str) -> Vec<String> {
        let query = sql::<Text>(query);
        match &self.place {
            Place::Sqlite { file, .. } => query.load(&mut sqlite(file)).unwrap(),
            Place::Postgres { .. } => query.load(&mut postgres(&self.url)).unwrap(),
        }
    }

    /// Takes the write lock of a SQLite file, and holds it until the value is dropped.
    ///
    /// # Panics
    ///
    /// Panics if the lock is not granted, and on PostgreSQL, which has no such lock.
    #[must_use]
    pub fn hold_write_lock(&self) -> HeldLock {
        let Place::Sqlite { file, .. } = &self.place else { panic!("PostgreSQL has no such lock") };
        let mut connection = sqlite(file);
        connection.batch_execute("BEGIN IMMEDIATE").unwrap();
        HeldLock { _connection: connection }
    }

    /// Ends all connections to a PostgreSQL database and rejects new ones, or accepts them again.
    ///
    /// # Panics
    ///
    /// Panics on SQLite, which has no connections that could be lost.
    pub fn set_away(&self, away: bool) {
        let Place::Postgres { server, name } = &self.place else { panic!("a file is never away") };
        let mut connection = postgres(server);
        connection.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {}", !away)).unwrap();
        if away {
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname";
            connection.batch_execute(&format!("{end} = '{name}'")).unwrap();
        }
    }
}

/// A transaction that holds its locks until it is committed, or dropped and rolled back.
pub struct HeldLocks {
    held: Connected,
}

impl HeldLocks {
    /// Commits the transaction.
    ///
    /// # Panics
    ///
    /// Panics if the commit fails.
    pub fn commit(mut self) {
        match &mut self.held {
            Connected::Sqlite { connection } => connection.batch_execute("COMMIT").unwrap(),
            Connected::Postgres { connection } => connection.batch_execute("COMMIT").unwrap(),
        }
    }
}

enum Connected {
    Sqlite { connection: SqliteConnection },
    Postgres { connection: PgConnection },
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Place::Postgres { server, name } = &self.place {
            let drop = format!("DROP DATABASE {name} WITH (FORCE)");
            let dropped = PgConnection::establish(server).map(|mut connection| connection.batch_execute(&drop));
            if !matches!(dropped, Ok(Ok(()))) {
                eprintln!("the test database {name} was not dropped: {:?}", dropped.map(Result::err).err());
            }
        }
    }
}

fn sqlite(file: &str) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(file).unwrap();
    // Longer than the servers wait: a test whose own statement times out proves nothing.
    connection.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
    connection.batch_execute("PRAGMA foreign_keys = ON").unwrap();
    connection
}

fn postgres(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}

/// Returns the URL of another database on the same server.
fn with_database(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let (scheme, rest) = address.split_once("://").expect("a URL");
    let authority = rest.split('/').next().unwrap_or_default();
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    format!("{scheme}://{authority}/{name}{options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_the_database_is_replaced() {
        assert_eq!(with_database("postgres://u:p@h:1/a?x=y", "b"), "postgres://u:p@h:1/b?x=y");
        assert_eq!(with_database("postgresql://h", "b"), "postgresql://h/b");
        assert_eq!(with_database("postgres:///a?host=/run", "b"), "postgres:///b?host=/run");
    }

    #[test]
    fn a_sqlite_database_is_deleted_when_its_value_is_dropped() {
        let database = TestDatabase::sqlite();
        database.execute("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (2)");
        assert_eq!(database.count("SELECT count(*) FROM t"), 2);
        let file = database.url().trim_start_matches("sqlite://").to_owned();
        drop(database);
        assert!(!std::path::Path::new(&file).exists());
    }
}
