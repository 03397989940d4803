//! Backups of a SQLite file, made while servers run.

use crate::any_connection::AnyConnection;
use crate::{BackupError, DatabaseUrl, Store, migrations, renumbering, sqlite};
use allocation_ports::LogBounds;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

impl Store {
    /// Writes a copy of a SQLite database to a new file, which only this user may read.
    ///
    /// Servers keep running: the copy has the state of one instant. It appears under its name once it is complete and
    /// on disk.
    ///
    /// # Errors
    ///
    /// Returns [`BackupError`]; no file of that name exists then, unless it did before.
    pub fn back_up(&self, to: &Path) -> Result<(), BackupError> {
        if to.try_exists()? {
            return Err(BackupError::Exists(to.to_owned()));
        }
        match self.migrations().connect()? {
            AnyConnection::Sqlite(mut connection) => {
                let partial = beside(to, ".partial");
                copy(&mut connection, &partial)?;
                publish(&partial, to)
            }
            AnyConnection::Postgres(_) => Err(BackupError::NotSqlite),
        }
    }
}

/// Replaces a SQLite database by a backup whose events have new positions, and returns the bounds of its log.
///
/// See [`Store::renumber_events`] for the positions. The old database stays until the new one is complete.
///
/// # Errors
///
/// Returns [`BackupError`] if the backup is not intact, a server is running, or a file cannot be written.
pub fn restore(backup: &Path, url: &DatabaseUrl) -> Result<LogBounds, BackupError> {
    let DatabaseUrl::Sqlite(path) = url else { return Err(BackupError::NotSqlite) };
    refuse_servers(path)?;
    let partial = beside(path, ".restoring");
    let mut source = sqlite::open_read_only(backup).map_err(|error| no_backup(backup, &error.to_string()))?;
    check(&mut source, backup)?;
    copy(&mut source, &partial)?;
    // The leases are those of the servers that ran during the backup. Each connection is closed before the file is moved,
    // so that its write-ahead log is part of it.
    sqlite::open_writer(&partial).map_err(BackupError::Failed)?.batch_execute("DELETE FROM leases")?;
    let bounds = Store::connect(&DatabaseUrl::Sqlite(partial.clone()), 1)?.renumber_events()?;
    for log in ["-wal", "-shm"] {
        remove(&beside(path, log))?;
    }
    publish(&partial, path)?;
    Ok(bounds)
}

/// Returns an error if a server uses a database. One that cannot be read has none, and is replaced for that reason.
fn refuse_servers(path: &Path) -> Result<(), BackupError> {
    let Ok(mut connection) = sqlite::open_read_only(path) else { return Ok(()) };
    renumbering::refuse(migrations::SQLITE_LEASES.live(&mut connection).unwrap_or_default())
}

/// Checks that a file is an intact database of this service.
fn check(connection: &mut SqliteConnection, path: &Path) -> Result<(), BackupError> {
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('event_log', 'products', 'leases')";
    if sql::<BigInt>(tables).get_result::<i64>(connection).map_err(|error| no_backup(path, &error.to_string()))? != 3 {
        return Err(no_backup(path, "it lacks tables"));
    }
    match sql::<Text>("PRAGMA quick_check(1)").get_result::<String>(connection)? {
        intact if intact == "ok" => Ok(()),
        fault => Err(no_backup(path, &fault)),
    }
}

fn no_backup(path: &Path, fault: &str) -> BackupError {
    BackupError::NoBackup(path.to_owned(), fault.to_owned())
}

/// Copies a database into a file, which replaces what an earlier attempt has left.
fn copy(connection: &mut SqliteConnection, to: &Path) -> Result<(), BackupError> {
    for left in ["", "-wal", "-shm"] {
        remove(&beside(to, left))?;
    }
    // SQLite takes an empty file for a new database, and keeps its mode.
    sqlite::create_private(to)?;
    let name = sqlite::plain(to);
    let name = name.to_str().ok_or_else(|| io::Error::other("the path is not UTF-8"))?;
    // The source is opened for reads, or its writes are this copy.
    connection.batch_execute("PRAGMA query_only = OFF")?;
    diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(name).execute(connection)?;
    Ok(())
}

/// Gives a complete file its name, once its content is on disk.
fn publish(partial: &Path, path: &Path) -> Result<(), BackupError> {
    File::open(partial)?.sync_all()?;
    fs::rename(partial, path)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns the path of a file beside another.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(folder: &Path) -> Store {
        let store = Store::connect(&DatabaseUrl::Sqlite(folder.join("stock.db")), 1).unwrap();
        store.migrations().up().unwrap();
        store
    }

    #[test]
    fn a_file_that_exists_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let backup = folder.path().join("backup.db");
        let store = store(folder.path());
        store.back_up(&backup).unwrap();
        assert!(matches!(store.back_up(&backup), Err(BackupError::Exists(_))));
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_a_backup() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let backup = folder.path().join("backup.db");
        store(folder.path()).back_up(&backup).unwrap();
        assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_or_foreign_file_is_not_restored_and_the_database_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (backup, url) = (folder.path().join("backup.db"), DatabaseUrl::Sqlite(folder.path().join("stock.db")));
        let store = store(folder.path());
        store.back_up(&backup).unwrap();
        let mut bytes = fs::read(&backup).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 8_192].fill(0xA5);
        for content in [bytes, b"no database".to_vec(), Vec::new()] {
            fs::write(&backup, content).unwrap();
            assert!(matches!(restore(&backup, &url), Err(BackupError::NoBackup(..) | BackupError::Failed(_))));
        }
        assert!(matches!(restore(&folder.path().join("none.db"), &url), Err(BackupError::NoBackup(..))));
        store.renumber_events().unwrap();
    }
}
