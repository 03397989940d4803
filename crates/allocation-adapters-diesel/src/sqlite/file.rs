//! The database file and its free disk space.

use allocation_ports::StoreError;
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use parking_lot::Mutex;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The size in bytes from which the write-ahead log is copied into the file and restarted, even if that
/// waits for readers. SQLite usually does so at half this size, unless readers overlap without a gap.
const MAX_LOG: u64 = 64 * 1_024 * 1_024;
/// The free disk space in bytes below which even a small write-ahead log is emptied.
const LOW_SPACE: u64 = 64 * 1_024 * 1_024;
/// The size in bytes up to which a write-ahead log is not worth emptying.
const SMALL_LOG: u64 = 256 * 1_024;
/// The time that a write waits for readers to release the write-ahead log, in milliseconds.
const READER_TIMEOUT_MILLIS: u32 = 250;
/// The pause after readers did not release it: each attempt makes writers wait.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// The file of a database, as it was when it was opened.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    log: PathBuf,
    identity: Identity,
    /// The time of the last attempt at which readers did not release the write-ahead log.
    held: Mutex<Option<Instant>>,
}

/// The device and inode that identify a file.
type Identity = Option<(u64, u64)>;

#[derive(Debug, thiserror::Error)]
#[error("the database file was removed or replaced; restore it or restart the service")]
struct Replaced;

impl DatabaseFile {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let identity = identity(&fs::metadata(path)?);
        Ok(Self { path: path.to_owned(), log: log.into(), identity, held: Mutex::new(None) })
    }

    /// Checks that the path still leads to the opened file: writes to a removed file are lost.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let now = fs::metadata(&self.path);
        match now {
            Ok(metadata) if identity(&metadata) == self.identity => Ok(()),
            Ok(_) => Err(StoreError::Unavailable(Replaced.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::Unavailable(Replaced.into())),
            Err(error) => Err(StoreError::Unavailable(error.into())),
        }
    }

    /// Empties the write-ahead log if it exceeds [`MAX_LOG`], or if it is large for the little free disk
    /// space. On a full disk, it could no longer be copied into the file.
    pub(crate) fn make_room(&self, connection: &mut SqliteConnection) {
        let log = fs::metadata(&self.log).map_or(0, |log| log.len());
        if !self.is_too_large(log) || self.held.lock().is_some_and(|held| held.elapsed() < RETRY_INTERVAL) {
            return;
        }
        if let Err(error) = empty(connection) {
            tracing::debug!(%error, "the write-ahead log was not emptied");
        }
        let left = fs::metadata(&self.log).map_or(0, |log| log.len());
        *self.held.lock() = self.is_too_large(left).then(Instant::now);
    }

    fn is_too_large(&self, log: u64) -> bool {
        log > MAX_LOG
            || log > SMALL_LOG && free(&self.path).is_some_and(|free| free < LOW_SPACE && free < log.saturating_mul(3))
    }
}

/// Copies the write-ahead log into the file and truncates it.
fn empty(connection: &mut SqliteConnection) -> diesel::QueryResult<()> {
    connection.batch_execute(&format!("PRAGMA busy_timeout = {READER_TIMEOUT_MILLIS}"))?;
    let emptied = connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
    connection.batch_execute("PRAGMA busy_timeout = 2000")?;
    emptied
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
const fn identity(_metadata: &Metadata) -> Identity {
    None
}

/// Returns the free bytes for this user on the disk of a file, if the system reports them.
#[cfg(unix)]
#[allow(clippy::useless_conversion, reason = "the numbers have other types on other systems")]
fn free(path: &Path) -> Option<u64> {
    let disk = nix::sys::statvfs::statvfs(path).ok()?;
    Some(u64::from(disk.blocks_available()).saturating_mul(u64::from(disk.fragment_size())))
}

#[cfg(not(unix))]
const fn free(_path: &Path) -> Option<u64> {
    None
}
