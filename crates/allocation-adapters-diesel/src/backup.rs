//! Backups of a SQLite file, made while servers run.

use crate::any_connection::AnyConnection;
use crate::claim::Claim;
use crate::error::is_busy;
use crate::migrations::{Migrations, SQLITE_LEASES};
use crate::{BackupError, DatabaseUrl, Store, renumbering, sqlite};
use allocation_ports::{Access, LogBounds};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The files that SQLite keeps beside a database.
const LOGS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The last position of the log of events.
const LAST_POSITION: &str = "SELECT last_position FROM event_log";

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
        let AnyConnection::Sqlite(mut connection) = self.migrations().connect()? else {
            return Err(BackupError::NotSqlite);
        };
        let _claim = Claim::of(to)?;
        if to.try_exists()? {
            return Err(BackupError::Exists(to.to_owned()));
        }
        let partial = Partial(beside(to, ".partial"));
        copy(&mut connection, &partial.0)?;
        publish(&partial.0, to)
    }
}

/// Replaces a SQLite database by a backup whose events have new positions, and returns the bounds of its log.
///
/// See [`Store::renumber_events`] for the positions; they are also higher than those of the old database. Others cannot
/// write to the old database meanwhile, and it stays until the new one is complete.
///
/// # Errors
///
/// Returns [`BackupError`] if the backup is not intact or newer than this program, a server is running, or a file
/// cannot be written.
pub fn restore(backup: &Path, url: &DatabaseUrl) -> Result<LogBounds, BackupError> {
    let DatabaseUrl::Sqlite(path) = url else { return Err(BackupError::NotSqlite) };
    // A link stays; the file that it leads to is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let _claim = Claim::of(path)?;
    let mut source = sqlite::open_read_only(backup).map_err(|error| no_backup(backup, &error.to_string()))?;
    check(&mut source, backup)?;
    let replaced = Replaced::hold(path)?;
    let partial = Partial(beside(path, ".restoring"));
    copy(&mut source, &partial.0)?;
    let bounds = renumber(&partial.0, replaced.last_position)?;
    drop(source);
    replaced.release(path)?;
    publish(&partial.0, path)?;
    Ok(bounds)
}

/// A file that is removed with its logs, unless it was given another name.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // What stays is replaced by the next attempt.
        drop(remove_with_logs(&self.0));
    }
}

/// The database that a restore replaces. While it is held, nobody else writes to it.
struct Replaced {
    /// `None` if there is none, or it cannot be read: it is replaced for that reason.
    connection: Option<SqliteConnection>,
    /// The last position that its readers may have seen.
    last_position: i64,
}

impl Replaced {
    fn hold(path: &Path) -> Result<Self, BackupError> {
        if !is_readable(path)? {
            return Ok(Self { connection: None, last_position: 0 });
        }
        let mut connection = sqlite::open_writer(path).map_err(BackupError::Failed)?;
        connection.batch_execute("BEGIN IMMEDIATE")?;
        renumbering::refuse(SQLITE_LEASES.live(&mut connection)?)?;
        let last_position = sql::<BigInt>(LAST_POSITION).get_result(&mut connection)?;
        Ok(Self { connection: Some(connection), last_position })
    }

    /// Closes the database, which copies its write-ahead log into the file, and leaves no log beside it: SQLite would
    /// take it for that of the new file.
    fn release(self, path: &Path) -> Result<(), BackupError> {
        let Some(mut connection) = self.connection else {
            return Ok(LOGS.iter().try_for_each(|log| remove(&beside(path, log)))?);
        };
        connection.batch_execute("ROLLBACK")?;
        drop(connection);
        if beside(path, "-wal").try_exists()? { Err(BackupError::Open(path.to_owned())) } else { Ok(()) }
    }
}

/// Returns whether a file is a database of this service.
///
/// # Errors
///
/// Returns an error if that is unknown: the file may not be read, or the database is locked.
fn is_readable(path: &Path) -> Result<bool, BackupError> {
    if !path.try_exists()? {
        return Ok(false);
    }
    let mut connection = match sqlite::open_read_only(path) {
        Ok(connection) => connection,
        Err(error) if error.downcast_ref().is_some_and(is_busy) => return Err(BackupError::Failed(error)),
        // Damaged, unless the system says why it cannot be read.
        Err(_) => return Ok(File::open(path).map(|_| false)?),
    };
    match sql::<BigInt>(LAST_POSITION).get_result::<i64>(&mut connection) {
        Err(error) if is_busy(&error) => Err(error.into()),
        read => Ok(read.is_ok()),
    }
}

/// Gives the events of a copied database new positions above `floor`, and completes its file.
fn renumber(copied: &Path, floor: i64) -> Result<LogBounds, BackupError> {
    Migrations::new(DatabaseUrl::Sqlite(copied.to_owned()), Access::ReadWrite).expect_known()?;
    let mut connection = sqlite::open_for_migrations(copied).map_err(BackupError::Failed)?;
    let bounds = renumbering::renumber_copy(&mut connection, floor)?;
    // The file is complete only once no log is beside it.
    let mode = sql::<Text>("PRAGMA journal_mode = DELETE").get_result::<String>(&mut connection)?;
    if mode != "delete" {
        return Err(BackupError::Open(copied.to_owned()));
    }
    check(&mut connection, copied)?;
    Ok(bounds)
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
    remove_with_logs(to)?;
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

fn remove_with_logs(path: &Path) -> io::Result<()> {
    remove(path)?;
    LOGS.iter().try_for_each(|log| remove(&beside(path, log)))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns the path of a file beside another.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
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

    /// Runs SQL on a file.
    fn execute(path: &Path, statements: &str) {
        sqlite::open_writer(path).unwrap().batch_execute(statements).unwrap();
    }

    #[test]
    fn two_backups_or_restores_of_one_file_exclude_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let (backup, path) = (folder.path().join("backup.db"), folder.path().join("stock.db"));
        let store = store(folder.path());
        let claim = Claim::of(&backup).unwrap();
        assert!(matches!(store.back_up(&backup), Err(BackupError::Claimed(_))));
        drop(claim);
        store.back_up(&backup).unwrap();
        drop(store);
        let claim = Claim::of(&fs::canonicalize(&path).unwrap()).unwrap();
        assert!(matches!(restore(&backup, &DatabaseUrl::Sqlite(path.clone())), Err(BackupError::Claimed(_))));
        drop(claim);
        restore(&backup, &DatabaseUrl::Sqlite(path)).unwrap();
    }

    #[test]
    fn nobody_writes_to_a_database_that_is_being_replaced() {
        let folder = tempfile::tempdir().unwrap();
        drop(store(folder.path()));
        let path = folder.path().join("stock.db");
        let held = Replaced::hold(&path).unwrap();
        let mut other = sqlite::open_writer(&path).unwrap();
        other.batch_execute("PRAGMA busy_timeout = 0").unwrap();
        assert!(is_busy(&other.batch_execute("DELETE FROM leases").unwrap_err()));
        assert!(matches!(held.release(&path), Err(BackupError::Open(_))), "the other one has it open");
    }

    #[test]
    fn a_backup_with_a_migration_of_a_newer_program_is_not_restored_and_the_database_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (backup, path) = (folder.path().join("backup.db"), folder.path().join("stock.db"));
        store(folder.path()).back_up(&backup).unwrap();
        execute(&backup, "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000000')");
        execute(&path, "UPDATE event_log SET last_position = 7");
        let error = restore(&backup, &DatabaseUrl::Sqlite(path.clone())).unwrap_err();
        assert!(matches!(error, BackupError::Failed(_)), "{error:?}");
        assert!(!beside(&path, ".restoring").exists());
        assert_eq!(Replaced::hold(&path).unwrap().last_position, 7);
    }

    #[test]
    fn restored_events_have_positions_above_those_of_the_old_database() {
        let folder = tempfile::tempdir().unwrap();
        let (backup, path) = (folder.path().join("backup.db"), folder.path().join("stock.db"));
        store(folder.path()).back_up(&backup).unwrap();
        // As if the clock had been years ahead.
        execute(&path, "UPDATE event_log SET oldest_position = 9000000000000000, last_position = 9000000000000000");
        let bounds = restore(&backup, &DatabaseUrl::Sqlite(path)).unwrap();
        assert!(bounds.oldest > 9_000_000_000_000_000, "{bounds:?}");
    }

    #[test]
    fn a_database_that_cannot_be_read_is_replaced_with_its_logs() {
        let folder = tempfile::tempdir().unwrap();
        let (backup, path) = (folder.path().join("backup.db"), folder.path().join("stock.db"));
        store(folder.path()).back_up(&backup).unwrap();
        fs::write(&path, b"no database").unwrap();
        LOGS.iter().for_each(|log| fs::write(beside(&path, log), b"of the old file").unwrap());
        restore(&backup, &DatabaseUrl::Sqlite(path.clone())).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "the backup and the database");
        assert!(Replaced::hold(&path).unwrap().last_position > 0);
    }

    #[test]
    fn a_database_that_another_program_has_locked_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (backup, path) = (folder.path().join("backup.db"), folder.path().join("stock.db"));
        store(folder.path()).back_up(&backup).unwrap();
        let mut other = sqlite::open_for_migrations(&path).unwrap();
        // Without a write-ahead log, this lock keeps readers out, too.
        other.batch_execute("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE").unwrap();
        let restored = restore(&backup, &DatabaseUrl::Sqlite(path));
        assert!(matches!(restored, Err(BackupError::Failed(_))), "{restored:?}");
        other.batch_execute("SELECT count(*) FROM products; COMMIT").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_database_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (backup, link) = (folder.path().join("backup.db"), folder.path().join("link.db"));
        store(folder.path()).back_up(&backup).unwrap();
        std::os::unix::fs::symlink(folder.path().join("stock.db"), &link).unwrap();
        restore(&backup, &DatabaseUrl::Sqlite(link.clone())).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(Replaced::hold(&link).unwrap().last_position > 0);
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
