//! A database of its own for each test, and names of its own on a broker, or a broker of its own.
//!
//! PostgreSQL databases are made on the server that `ALLOCATION_TEST_POSTGRES_URL` names, as
//! `scripts/test` sets it, and dropped with the value.
#![warn(missing_docs)]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "support of tests: a panic is how a test fails")]

#[cfg(feature = "rabbitmq")]
mod broker;
#[cfg(feature = "rabbitmq")]
mod broker_client;

#[cfg(feature = "rabbitmq")]
pub use broker::{AMQP_URL, TestBroker};
#[cfg(feature = "rabbitmq")]
pub use broker_client::{BrokerClient, Message};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::path::Path;
use tempfile::TempDir;
use uuid::Uuid;

/// Names the server that test databases are made on: the URL of a database of a user who may make
/// others.
pub const POSTGRES_URL: &str = "ALLOCATION_TEST_POSTGRES_URL";

/// A new, empty database, removed when the value is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    place: Place,
}

/// A lock that is held, see [`TestDatabase::hold_write_lock`].
pub struct HeldLock {
    _connection: SqliteConnection,
}

#[derive(Debug)]
enum Place {
    Sqlite { file: String, _folder: TempDir },
    Postgres { server: String, name: String },
}

impl TestDatabase {
    /// A file in a temporary folder.
    ///
    /// # Panics
    ///
    /// When there is no temporary folder to be had.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::sqlite_in(&std::env::temp_dir())
    }

    /// A file in a folder of its own within another.
    ///
    /// # Panics
    ///
    /// When nothing can be made there.
    #[must_use]
    pub fn sqlite_in(parent: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("allocation-test-").tempdir_in(parent).unwrap();
        let file = folder.path().join("test.db").to_str().unwrap().to_owned();
        Self { url: format!("sqlite://{file}"), place: Place::Sqlite { file, _folder: folder } }
    }

    /// A database on the server for tests.
    ///
    /// # Panics
    ///
    /// When there is no such server, with word of how to get one.
    #[must_use]
    pub fn postgres() -> Self {
        let server = std::env::var(POSTGRES_URL)
            .unwrap_or_else(|_| panic!("no PostgreSQL to test with: run scripts/test, or set {POSTGRES_URL}"));
        let name = format!("test_{}", Uuid::now_v7().simple());
        let mut connection = PgConnection::establish(&server).expect("the server for tests answers");
        // template0 has no other users, whom making a copy would have to wait for.
        connection
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
            .expect("the user may make databases");
        Self { url: with_database(&server, &name), place: Place::Postgres { server, name } }
    }

    /// The URL of the database, as the program takes it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs SQL, one statement or several, on a connection of its own.
    ///
    /// # Panics
    ///
    /// When the database refuses; see [`TestDatabase::try_execute`].
    pub fn execute(&self, sql: &str) {
        self.try_execute(sql).unwrap();
    }

    /// Runs SQL that the database may refuse.
    ///
    /// # Errors
    ///
    /// The error of the database.
    pub fn try_execute(&self, sql: &str) -> QueryResult<()> {
        match &self.place {
            Place::Sqlite { file, .. } => sqlite(file).batch_execute(sql),
            Place::Postgres { .. } => postgres(&self.url).batch_execute(sql),
        }
    }

    /// Begins a transaction on a connection of its own, runs SQL in it, and keeps what it has locked
    /// until the value is dropped; then all is rolled back.
    ///
    /// # Panics
    ///
    /// When the database refuses.
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

    /// The one integer that a query answers.
    ///
    /// # Panics
    ///
    /// When the query fails or answers something else.
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

    /// The one column of texts that a query answers.
    ///
    /// # Panics
    ///
    /// When the query fails or answers something else.
    #[must_use]
    pub fn texts(&self, query: &str) -> Vec<String> {
        let query = sql::<Text>(query);
        match &self.place {
            Place::Sqlite { file, .. } => query.load(&mut sqlite(file)).unwrap(),
            Place::Postgres { .. } => query.load(&mut postgres(&self.url)).unwrap(),
        }
    }

    /// Takes the lock of a SQLite file that writers need, and holds it until the value is dropped.
    ///
    /// # Panics
    ///
    /// When the lock is not to be had, and on PostgreSQL, which has no such lock.
    #[must_use]
    pub fn hold_write_lock(&self) -> HeldLock {
        let Place::Sqlite { file, .. } = &self.place else { panic!("PostgreSQL has no such lock") };
        let mut connection = sqlite(file);
        connection.batch_execute("BEGIN IMMEDIATE").unwrap();
        HeldLock { _connection: connection }
    }

    /// Ends all connections to a PostgreSQL database and lets no new ones in, or lets them in again.
    ///
    /// # Panics
    ///
    /// On SQLite, which has no connections that could be lost.
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

/// A transaction that holds what it has locked until it is committed, or dropped and rolled back.
pub struct HeldLocks {
    held: Connected,
}

impl HeldLocks {
    /// Commits the transaction.
    ///
    /// # Panics
    ///
    /// When the database refuses.
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
    // Longer than the servers wait: a test that is refused its turn has shown nothing.
    connection.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
    connection.batch_execute("PRAGMA foreign_keys = ON").unwrap();
    connection
}

fn postgres(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap()
}

/// The URL of another database on the same server.
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
    fn a_sqlite_database_is_gone_with_its_value() {
        let database = TestDatabase::sqlite();
        database.execute("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1), (2)");
        assert_eq!(database.count("SELECT count(*) FROM t"), 2);
        let file = database.url().trim_start_matches("sqlite://").to_owned();
        drop(database);
        assert!(!std::path::Path::new(&file).exists());
    }
}
