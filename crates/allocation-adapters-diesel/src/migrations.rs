//! The schema and its migrations.

use crate::any_connection::AnyConnection;
use crate::error::store_error;
use crate::migrating::MigrateError;
use crate::{ConnectError, DatabaseUrl, generation, postgres, sqlite};
use allocation_ports::{Access, SchemaState, StoreError};
use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel::prelude::*;
use diesel::query_dsl::methods::LoadQuery;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::collections::BTreeSet;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// The first migration, which creates all tables. Builds from before the first release applied earlier ones.
const BASELINE: &str = "20261126000000";

/// The migrations of a database: the ones in this program, and the ones applied to the database.
///
/// Any number of processes may run them at the same time: one applies them, and the others wait and find
/// nothing left to do. Each call runs in one transaction.
#[derive(Debug, Clone)]
pub struct Migrations {
    url: DatabaseUrl,
    access: Access,
}

/// The state of a database's schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// The migrations of this program, oldest first, and whether each is applied.
    pub migrations: Vec<(String, bool)>,
    /// The versions of applied migrations that this program does not have.
    pub unknown: Vec<String>,
}

impl Migrations {
    pub(crate) const fn new(url: DatabaseUrl, access: Access) -> Self {
        Self { url, access }
    }

    /// Applies the missing migrations and returns their names.
    ///
    /// If there are none, the call takes no lock, and the database user needs no rights to change the
    /// schema. A later program may then have applied others, unless they shut this one out.
    ///
    /// # Errors
    ///
    /// Returns [`MigrateError`]; the schema is then unchanged.
    pub fn up(&self) -> Result<Vec<String>, MigrateError> {
        // Without a lock, and without the rights that only a change needs.
        let mut connection = self.existing()?;
        let status = status(&mut connection)?;
        if status.migrations.iter().all(|(_, applied)| *applied) {
            let oldest = generation::oldest(&mut connection).map_err(|error| MigrateError::Failed(error.into()))?;
            return match generation::compare(oldest) {
                Ok(()) => Ok(Vec::new()),
                Err(too_old) => Err(MigrateError::ShutOut(too_old)),
            };
        }
        reject_unknown(status.unknown)?;
        match connection {
            AnyConnection::Sqlite(mut connection) => sqlite::migrate(&mut connection, |c| up(c, SQLITE, "")),
            AnyConnection::Postgres(mut connection) => {
                postgres::migrate(&mut connection, |c| up(c, POSTGRES, LOCK_WRITERS_OUT))
            }
        }
    }

    /// Reverts the last `steps` applied migrations and returns their names, newest first.
    ///
    /// It never creates a SQLite file, and fails while a server holds a lease. Leases are read under the
    /// lock, so no server takes one or writes until the call returns.
    ///
    /// # Errors
    ///
    /// Returns [`MigrateError`]; the schema is then unchanged.
    pub fn down(&self, steps: usize) -> Result<Vec<String>, MigrateError> {
        match self.existing()? {
            AnyConnection::Sqlite(mut connection) => {
                sqlite::migrate(&mut connection, |c| down(c, SQLITE, steps, "", SQLITE_LEASES))
            }
            AnyConnection::Postgres(mut connection) => {
                postgres::migrate(&mut connection, |c| down(c, POSTGRES, steps, LOCK_SERVERS_OUT, POSTGRES_LEASES))
            }
        }
    }

    /// Compares the database with this program without changes. It never creates a SQLite file.
    ///
    /// # Errors
    ///
    /// Returns [`MigrateError`] if the file does not exist or the database fails.
    pub fn status(&self) -> Result<MigrationStatus, MigrateError> {
        status(&mut self.existing()?)
    }

    /// Checks that the database has no migration of a newer program.
    pub(crate) fn expect_known(&self) -> Result<(), MigrateError> {
        reject_unknown(self.status()?.unknown)
    }

    /// Opens a connection to a database whose SQLite file exists; a connection would create it.
    fn existing(&self) -> Result<AnyConnection, MigrateError> {
        if self.url.is_missing_file() { Err(MigrateError::NoFile(self.url.to_string())) } else { self.connect() }
    }

    /// Opens a connection without the timeouts that the store's sessions have. With read-only access, it cannot
    /// write.
    pub(crate) fn connect(&self) -> Result<AnyConnection, MigrateError> {
        let connection = match (&self.url, self.access) {
            (DatabaseUrl::Sqlite(path), Access::ReadWrite) => {
                sqlite::open_for_migrations(path).map(AnyConnection::Sqlite)
            }
            (DatabaseUrl::Sqlite(path), Access::ReadOnly) => sqlite::open_read_only(path).map(AnyConnection::Sqlite),
            (DatabaseUrl::Postgres(url), access) => {
                postgres::open_for_migrations(url, access).map(AnyConnection::Postgres)
            }
        };
        connection.map_err(|cause| ConnectError::new(&self.url, cause).into())
    }
}

/// Compares a database with this program.
fn status(connection: &mut AnyConnection) -> Result<MigrationStatus, MigrateError> {
    let mut applied = applied_versions(connection)?;
    let known = known(connection)?;
    let migrations = known.into_iter().map(|(version, name)| (name, applied.remove(&version))).collect();
    Ok(MigrationStatus { migrations, unknown: applied.into_iter().collect() })
}

/// Waits for running units of work and blocks new ones until the migrations are committed. Units of work
/// after them see which programs may write. SQLite has a single writer, so it needs no such lock.
const LOCK_WRITERS_OUT: &str = "
    DO $$ BEGIN
        IF to_regclass('products') IS NOT NULL THEN LOCK TABLE products IN EXCLUSIVE MODE; END IF;
    END $$
";

/// Blocks leases, too, so that no process takes one after they were read.
pub(crate) const LOCK_SERVERS_OUT: &str = "
    DO $$ BEGIN
        IF to_regclass('products') IS NOT NULL THEN LOCK TABLE products IN EXCLUSIVE MODE; END IF;
        IF to_regclass('leases') IS NOT NULL THEN LOCK TABLE leases IN EXCLUSIVE MODE; END IF;
    END $$
";

fn up<C: MigrationHarness<DB> + SimpleConnection, DB: Backend>(
    connection: &mut C,
    source: EmbeddedMigrations,
    lock: &str,
) -> Result<Vec<String>, MigrateError> {
    let known = all::<DB>(source)?;
    let applied = connection.applied_migrations().map_err(MigrateError::Failed)?;
    let migrations: Vec<_> = known.iter().filter(|one| !applied.contains(&one.name().version())).collect();
    let mut names = Vec::new();
    if !migrations.is_empty() {
        reject_unknown(unknown(&applied, &known))?;
        connection.batch_execute(lock)?;
    }
    for migration in migrations {
        connection.run_migration(migration).map_err(MigrateError::Failed)?;
        names.push(migration.name().to_string());
    }
    Ok(names)
}

fn down<C, DB: Backend>(
    connection: &mut C,
    source: EmbeddedMigrations,
    steps: usize,
    lock: &str,
    leases: LeaseQueries,
) -> Result<Vec<String>, MigrateError>
where
    C: MigrationHarness<DB> + SimpleConnection,
    SqlLiteral<BigInt>: for<'query> LoadQuery<'query, C, i64>,
    SqlLiteral<Text>: for<'query> LoadQuery<'query, C, String>,
{
    connection.batch_execute(lock)?;
    let held = leases.live(connection)?;
    if !held.is_empty() {
        return Err(MigrateError::InUse(held));
    }
    let mut migrations = all::<DB>(source)?;
    let applied = connection.applied_migrations().map_err(MigrateError::Failed)?;
    reject_unknown(unknown(&applied, &migrations))?;
    migrations.retain(|migration| applied.contains(&migration.name().version()));
    let mut names = Vec::new();
    for migration in migrations.iter().rev().take(steps) {
        connection.revert_migration(migration).map_err(MigrateError::Failed)?;
        names.push(migration.name().to_string());
    }
    Ok(names)
}

/// Returns the applied versions that this program does not have.
fn unknown<DB: Backend>(applied: &[MigrationVersion<'_>], known: &[Box<dyn Migration<DB>>]) -> Vec<String> {
    let is_known = |version: &MigrationVersion<'_>| known.iter().any(|one| one.name().version() == *version);
    applied.iter().filter(|version| !is_known(version)).map(ToString::to_string).collect()
}

/// Rejects applied versions that this program does not have.
fn reject_unknown(versions: Vec<String>) -> Result<(), MigrateError> {
    if versions.is_empty() {
        Ok(())
    } else if versions.iter().any(|version| is_before_baseline(version)) {
        Err(MigrateError::BeforeBaseline)
    } else {
        Err(MigrateError::SchemaNewer(versions))
    }
}

fn is_before_baseline(version: &str) -> bool {
    version < BASELINE
}

/// Returns all migrations of this program, oldest first.
fn all<DB: Backend>(source: EmbeddedMigrations) -> Result<Vec<Box<dyn Migration<DB>>>, MigrateError> {
    let mut migrations = source.migrations().map_err(MigrateError::Failed)?;
    migrations.sort_unstable_by(|a, b| a.name().version().cmp(&b.name().version()));
    Ok(migrations)
}

/// Returns versions and names of the migrations of this program, oldest first.
fn known(connection: &AnyConnection) -> Result<Vec<(String, String)>, MigrateError> {
    fn named<DB: Backend>(source: EmbeddedMigrations) -> Result<Vec<(String, String)>, MigrateError> {
        let migrations = all::<DB>(source)?;
        Ok(migrations.iter().map(|one| (one.name().version().to_string(), one.name().to_string())).collect())
    }
    match connection {
        AnyConnection::Sqlite(_) => named::<diesel::sqlite::Sqlite>(SQLITE),
        AnyConnection::Postgres(_) => named::<diesel::pg::Pg>(POSTGRES),
    }
}

/// Returns the applied versions. Unlike diesel's harness, this creates no table.
pub(crate) fn applied_versions(connection: &mut AnyConnection) -> QueryResult<BTreeSet<String>> {
    let tables = sql::<BigInt>(match connection {
        AnyConnection::Sqlite(_) => "SELECT count(*) FROM sqlite_schema WHERE name = '__diesel_schema_migrations'",
        AnyConnection::Postgres(_) => "SELECT count(to_regclass('__diesel_schema_migrations'))",
    });
    if tables.get_result::<i64>(connection)? == 0 {
        return Ok(BTreeSet::new());
    }
    let versions = sql::<Text>("SELECT version FROM __diesel_schema_migrations");
    Ok(versions.load::<String>(connection)?.into_iter().collect())
}

/// The queries that find the leases of running servers, or of servers that ran until ten seconds ago.
///
/// The lease of a crashed holder passes to another server within seconds. A lease that ends in the far
/// future comes from a wrong clock and is ignored.
#[derive(Clone, Copy)]
pub(crate) struct LeaseQueries {
    /// Counts the tables of leases.
    tables: &'static str,
    /// Returns the names of live leases.
    live: &'static str,
}

pub(crate) const SQLITE_LEASES: LeaseQueries = LeaseQueries {
    tables: "SELECT count(*) FROM sqlite_schema WHERE name = 'leases'",
    live: "SELECT name FROM leases WHERE expires_at - CAST(unixepoch('subsec') * 1000000 AS INTEGER)
           BETWEEN -10000000 AND 60000000 ORDER BY name",
};

pub(crate) const POSTGRES_LEASES: LeaseQueries = LeaseQueries {
    tables: "SELECT count(to_regclass('leases'))",
    live: "SELECT name FROM leases WHERE expires_at - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
           BETWEEN -10000000 AND 60000000 ORDER BY name",
};

impl LeaseQueries {
    /// Returns the names of the live leases.
    pub(crate) fn live<C>(self, connection: &mut C) -> QueryResult<Vec<String>>
    where
        SqlLiteral<BigInt>: for<'query> LoadQuery<'query, C, i64>,
        SqlLiteral<Text>: for<'query> LoadQuery<'query, C, String>,
    {
        if sql::<BigInt>(self.tables).get_result::<i64>(connection)? == 0 {
            return Ok(Vec::new());
        }
        sql::<Text>(self.live).load(connection)
    }
}

/// Returns whether this program can use the schema of the database.
pub(crate) fn schema_state(connection: &mut AnyConnection) -> Result<SchemaState, StoreError> {
    let applied = applied_versions(connection).map_err(store_error)?;
    let known = known(connection).map_err(|error| StoreError::Failed(error.into()))?;
    let known: BTreeSet<_> = known.into_iter().map(|(version, _)| version).collect();
    if applied.iter().any(|version| is_before_baseline(version)) {
        return Ok(SchemaState::Older);
    }
    if !known.is_subset(&applied) {
        return Ok(if applied.is_subset(&known) { SchemaState::Older } else { SchemaState::Newer });
    }
    Ok(match generation::compare(generation::oldest(connection)?) {
        Ok(()) => SchemaState::Current,
        Err(_) => SchemaState::Newer,
    })
}

#[cfg(test)]
mod kinds;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_is_the_first_migration_of_both_databases() {
        let sqlite = all::<diesel::sqlite::Sqlite>(SQLITE).unwrap();
        let postgres = all::<diesel::pg::Pg>(POSTGRES).unwrap();
        for first in [sqlite[0].name().version(), postgres[0].name().version()] {
            assert_eq!(first.to_string(), BASELINE);
        }
    }
}
