//! Connections to a file.

use crate::error::is_busy;
use crate::migrating::{MigrateError, in_transaction};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::error::Error;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

type Opened = Result<SqliteConnection, Box<dyn Error + Send + Sync>>;

#[derive(Debug, thiserror::Error)]
#[error("the path is not UTF-8")]
struct PathNotUtf8;

#[derive(Debug, thiserror::Error)]
#[error("the file system does not support write-ahead logging (journal mode {0:?})")]
struct NoWriteAheadLog(String);

#[derive(Debug, thiserror::Error)]
#[error("the migrations leave {0} rows without the rows they refer to")]
struct DanglingRows(i64);

/// Creates the file if it does not exist, for this user alone because it holds business data. SQLite gives
/// `-wal` and `-shm` the same permissions. The permissions of an existing file are its owner's choice.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Creates the file if it does not exist, and opens the writing connection.
pub(crate) fn create_and_open_writer(path: &Path) -> Opened {
    create_private(&plain(path))?;
    open_writer(path)
}

/// Opens the writing connection. Its cache is larger, because it sees every page that changes.
pub(crate) fn open_writer(path: &Path) -> Opened {
    let mut connection = open(path, 2_000)?;
    connection.batch_execute("PRAGMA cache_size = -16000")?;
    // A page that changes with every group is then copied into the file once for many groups. The log grows
    // to about 32 MiB.
    connection.batch_execute("PRAGMA wal_autocheckpoint = 8192")?;
    Ok(connection)
}

/// Opens a connection that cannot write.
pub(crate) fn open_reader(path: &Path) -> Opened {
    let mut connection = open(path, 2_000)?;
    connection.batch_execute("PRAGMA query_only = ON")?;
    Ok(connection)
}

/// Opens a connection to a file that other processes write, or that must not be changed. Nothing is written to the
/// file; SQLite keeps the index of its write-ahead log beside it.
pub(crate) fn open_read_only(path: &Path) -> Opened {
    open_by_uri(path, "mode=ro")
}

/// Opens a connection that also creates no file beside this one. What a writer adds meanwhile may not be seen.
pub(crate) fn open_without_traces(path: &Path) -> Opened {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // Without a log, the file holds everything; with one, its index exists, too.
    let is_complete = std::fs::metadata(Path::new(&log)).map_or(0, |log| log.len()) == 0;
    open_by_uri(path, if is_complete { "mode=ro&immutable=1" } else { "mode=ro" })
}

fn open_by_uri(path: &Path, options: &str) -> Opened {
    let path = plain(path);
    std::fs::metadata(&path)?;
    let uri = format!("file:{}?{options}", path.to_str().ok_or(PathNotUtf8)?.replace('%', "%25"));
    let mut connection = SqliteConnection::establish(&uri)?;
    connection.batch_execute("PRAGMA busy_timeout = 2000; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY")?;
    // SQLite opens the file at the first statement that reads it.
    diesel::dsl::sql::<BigInt>("SELECT count(*) FROM sqlite_schema").get_result::<i64>(&mut connection)?;
    Ok(connection)
}

/// Opens a connection that waits longer, and changes tables without deleting the rows that refer to them.
pub(crate) fn open_for_migrations(path: &Path) -> Opened {
    create_private(&plain(path))?;
    let mut connection = open(path, 60_000)?;
    connection.batch_execute("PRAGMA foreign_keys = OFF")?;
    Ok(connection)
}

/// Runs `work` while no other process writes, and checks that no reference is left dangling.
///
/// The check reads the whole file, so it is skipped if no migration was run.
pub(crate) fn migrate(
    connection: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<Vec<String>, MigrateError>,
) -> Result<Vec<String>, MigrateError> {
    in_transaction(connection, "BEGIN IMMEDIATE", |connection| {
        let run = work(connection)?;
        if run.is_empty() {
            return Ok(run);
        }
        let dangling = diesel::dsl::sql::<BigInt>("SELECT count(*) FROM pragma_foreign_key_check");
        match dangling.get_result::<i64>(connection)? {
            0 => Ok(run),
            rows => Err(MigrateError::Failed(DanglingRows(rows).into())),
        }
    })
}

/// Returns a path that SQLite always takes for a file, even if its name begins with `file:` or `:`.
pub(crate) fn plain(path: &Path) -> PathBuf {
    Path::new(".").join(path)
}

fn open(path: &Path, busy_timeout_in_ms: u32) -> Opened {
    let path = plain(path);
    // SQLite would replace a removed file with a new, empty one.
    std::fs::metadata(&path)?;
    let path = path.to_str().ok_or(PathNotUtf8)?;
    let mut connection = SqliteConnection::establish(path)?;
    // First, because the following statements may have to wait for other connections.
    connection.batch_execute(&format!("PRAGMA busy_timeout = {busy_timeout_in_ms}"))?;
    use_write_ahead_log(&mut connection)?;
    for pragma in ["synchronous = FULL", "foreign_keys = ON", "journal_size_limit = 67108864", "temp_store = MEMORY"] {
        connection.batch_execute(&format!("PRAGMA {pragma}"))?;
    }
    Ok(connection)
}

/// Switches the file to the write-ahead log, permanently.
///
/// The first connection to do so needs the file to itself, and SQLite does not wait for that.
fn use_write_ahead_log(connection: &mut SqliteConnection) -> Result<(), Box<dyn Error + Send + Sync>> {
    const TRIES: u32 = 100;
    let mut tries = 1;
    loop {
        match diesel::dsl::sql::<Text>("PRAGMA journal_mode = WAL").get_result::<String>(connection) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => return Err(NoWriteAheadLog(mode).into()),
            Err(error) if tries < TRIES && is_busy(&error) => thread::sleep(Duration::from_millis(20)),
            Err(error) => return Err(error.into()),
        }
        tries += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_sqlite_has_no_wal_corruption_bug() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        let version: String = diesel::dsl::sql::<Text>("SELECT sqlite_version()").get_result(&mut connection).unwrap();
        let numbers: Vec<u32> = version.split('.').map(|number| number.parse().unwrap()).collect();
        assert!(numbers >= vec![3, 51, 3], "SQLite {version}");
    }
}
