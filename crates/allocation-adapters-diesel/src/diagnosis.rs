//! What an operator needs to know about a database, found out without changing it.

use crate::any_connection::{AnyConnection, Connector, Session};
use crate::clock::{StoreClock, server_time};
use crate::error::store_error;
use crate::migrations::{applied_versions, schema_state};
use crate::postgres::{Silence, Use};
use crate::{ConnectError, DatabaseUrl, sqlite};
use allocation_ports::{Access, SchemaState};
use chrono::TimeDelta;
use diesel::QueryResult;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

/// The oldest version of PostgreSQL that the service runs on.
const OLDEST_POSTGRES: i64 = 14;

/// The state of a database, as far as it decides whether the service works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The name and version of the software; `None` if there is no SQLite file yet.
    pub software: Option<String>,
    /// The state of the schema; `None` if the database has none yet.
    pub schema: Option<SchemaState>,
    /// What this process may not do, each as a sentence; empty if it may do everything that it has to.
    pub missing_rights: Vec<String>,
    /// The lead of the machine's clock over the database's, if it has its own.
    pub clock_ahead: Option<TimeDelta>,
    /// Whether there has ever been a key; `None` if the schema does not show it.
    pub has_had_keys: Option<bool>,
}

impl Diagnosis {
    /// Looks at a database that is to be used with this access. The machine's clock is shifted, for tests.
    ///
    /// It writes nothing and creates no file.
    ///
    /// # Errors
    ///
    /// Returns [`ConnectError`] if the database cannot be reached or is not fit for the service.
    pub fn of(url: &DatabaseUrl, access: Access, shift: TimeDelta) -> Result<Self, ConnectError> {
        let found = match url {
            DatabaseUrl::Sqlite(path) => of_file(path, access),
            DatabaseUrl::Postgres(_) => return of_server(url, access, shift),
        };
        found.map_err(|cause| ConnectError::new(url, cause))
    }
}

type Diagnosed = Result<Diagnosis, Box<dyn Error + Send + Sync>>;

fn of_file(path: &Path, access: Access) -> Diagnosed {
    let mut missing_rights = sqlite::missing_rights(path, access);
    if !path.try_exists()? {
        if access == Access::ReadOnly {
            missing_rights.push("a read-only server creates no file".to_owned());
        }
        return Ok(Diagnosis {
            software: None,
            schema: None,
            missing_rights,
            clock_ahead: None,
            has_had_keys: Some(false),
        });
    }
    let mut connection = AnyConnection::Sqlite(sqlite::open_without_traces(path)?);
    let version = sql::<Text>("SELECT sqlite_version()").get_result::<String>(&mut connection)?;
    let schema = schema(&mut connection)?;
    Ok(Diagnosis {
        software: Some(format!("SQLite {version}")),
        schema,
        missing_rights,
        clock_ahead: None,
        has_had_keys: has_had_keys(&mut connection, schema)?,
    })
}

fn of_server(url: &DatabaseUrl, access: Access, shift: TimeDelta) -> Result<Diagnosis, ConnectError> {
    let connector = Connector {
        url: url.clone(),
        access: Access::ReadOnly,
        silence: Silence::default(),
        generation: Arc::default(),
    };
    let (mut first, mut second) = (connector.open(Use::Probe)?, connector.open(Use::Probe)?);
    first
        .connection
        .check_pooling(&mut second.connection)
        .and_then(|()| of_session(&mut first, access, shift))
        .map_err(|cause| ConnectError::new(url, cause))
}

fn of_session(session: &mut Session, access: Access, shift: TimeDelta) -> Diagnosed {
    let connection = &mut session.connection;
    let version = sql::<Text>("SELECT current_setting('server_version')").get_result::<String>(connection)?;
    let number = sql::<BigInt>("SELECT current_setting('server_version_num')::bigint").get_result::<i64>(connection)?;
    if number / 10_000 < OLDEST_POSTGRES {
        return Err(format!("PostgreSQL {version} is too old; the service needs {OLDEST_POSTGRES} or later").into());
    }
    let clock = StoreClock::default();
    clock.shift(shift);
    clock.measure(|| server_time(connection))?;
    let schema = schema(connection)?;
    Ok(Diagnosis {
        software: Some(format!("PostgreSQL {version}")),
        schema,
        missing_rights: missing_on_server(connection, access, schema)?,
        clock_ahead: Some(clock.ahead()),
        has_had_keys: has_had_keys(connection, schema)?,
    })
}

fn schema(connection: &mut AnyConnection) -> Result<Option<SchemaState>, Box<dyn Error + Send + Sync>> {
    if applied_versions(connection).map_err(store_error)?.is_empty() {
        return Ok(None);
    }
    Ok(Some(schema_state(connection)?))
}

fn has_had_keys(connection: &mut AnyConnection, schema: Option<SchemaState>) -> QueryResult<Option<bool>> {
    match schema {
        None => Ok(Some(false)),
        Some(SchemaState::Current) => {
            sql::<Bool>("SELECT version > 0 FROM api_keys_version").get_result(connection).map(Some)
        }
        Some(_) => Ok(None),
    }
}

/// Whether the role may create tables: a schema must exist for that.
const MAY_CREATE: &str = "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)";

/// Whether the server or the role writes. The session's own setting is read-only.
const MAY_WRITE: &str = "SELECT NOT pg_is_in_recovery() AND reset_val = 'off' FROM pg_settings \
                         WHERE name = 'default_transaction_read_only'";

/// The first tables of the service that the role may not read.
const UNREADABLE: &str = "
    SELECT relname::text FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
      AND relowner = (SELECT relowner FROM pg_class WHERE oid = to_regclass('products'))
      AND NOT has_table_privilege(oid, 'SELECT')
    ORDER BY relname LIMIT 20
";

/// The first tables of the service that the role may read, but not write. Two are written by migrations alone.
const UNWRITABLE: &str = "
    SELECT relname::text FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
      AND relowner = (SELECT relowner FROM pg_class WHERE oid = to_regclass('products'))
      AND relname NOT IN ('__diesel_schema_migrations', 'schema_generation')
      AND has_table_privilege(oid, 'SELECT')
      AND NOT (has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE')
               AND has_table_privilege(oid, 'DELETE'))
    ORDER BY relname LIMIT 20
";

fn missing_on_server(
    connection: &mut AnyConnection,
    access: Access,
    schema: Option<SchemaState>,
) -> QueryResult<Vec<String>> {
    let mut missing = Vec::new();
    let writes = access == Access::ReadWrite;
    if writes && !sql::<Bool>(MAY_WRITE).get_result::<bool>(connection)? {
        missing.push("the server or the role is read-only: use the primary, or --read-only".to_owned());
    }
    let migrates = writes && matches!(schema, None | Some(SchemaState::Older));
    if migrates && !sql::<Bool>(MAY_CREATE).get_result::<bool>(connection)? {
        missing.push("the role may not create tables: GRANT CREATE ON SCHEMA, or make it the owner".to_owned());
    }
    let tables =
        [(UNREADABLE, "read: GRANT SELECT", true), (UNWRITABLE, "write: GRANT INSERT, UPDATE, DELETE", writes)];
    for (query, grant, applies) in tables {
        if !applies || schema.is_none() {
            continue;
        }
        let names = sql::<Text>(query).load::<String>(connection)?;
        if !names.is_empty() {
            missing.push(format!("the role may not {grant} ON {}", names.join(", ")));
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use std::fs;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn looking_at_a_file_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("stock.db"));
        let look = |access| Diagnosis::of(&url, access, TimeDelta::zero()).unwrap();
        let missing = look(Access::ReadWrite);
        assert_eq!((missing.software, missing.schema, missing.missing_rights.len()), (None, None, 0));
        assert_eq!(look(Access::ReadOnly).missing_rights.len(), 1);
        assert!(names(folder.path()).is_empty());

        let store = Store::connect(&url, 1).unwrap();
        assert_eq!(look(Access::ReadWrite).schema, None);
        store.migrations().up().unwrap();
        let open = look(Access::ReadWrite);
        assert_eq!((open.schema, open.has_had_keys), (Some(SchemaState::Current), Some(false)));
        drop(store);
        assert_eq!(names(folder.path()), ["stock.db"]);
        assert_eq!(look(Access::ReadOnly), open);
        assert_eq!(names(folder.path()), ["stock.db"]);
    }

    #[test]
    fn a_folder_that_does_not_exist_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("none/stock.db"));
        let found = Diagnosis::of(&url, Access::ReadWrite, TimeDelta::zero()).unwrap();
        assert!(found.missing_rights[0].contains("none"), "{found:?}");
    }

    #[test]
    fn a_file_of_another_kind_is_no_database() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stock.db");
        fs::write(&path, b"no database").unwrap();
        assert!(Diagnosis::of(&DatabaseUrl::Sqlite(path), Access::ReadWrite, TimeDelta::zero()).is_err());
    }
}
