//! The store: its connections, and the ports that it implements.

mod attempts;
mod keys;
mod lent;
mod log;
mod monitor;
mod probe;
mod queries;
mod relay;

use crate::any_connection::{AnyConnection, Connector, LastError, Session};
use crate::clock::{StoreClock, server_time};
use crate::error::store_error;
use crate::postgres::Silence;
use crate::unit::{Transactions, Unit};
use crate::{ConnectError, DatabaseUrl, Migrations, sqlite};
use allocation_ports::{Access, LockWait, StoreError, UnitOfWork, UnitOfWorkFactory};
use attempts::{Attempts, ReadError};
use diesel::QueryResult;
use diesel::connection::TransactionManager;
use diesel::r2d2::R2D2Connection;
use lent::Lent;
use monitor::Checkouts;
use parking_lot::{FairMutex, Mutex};
use probe::Prober;
use r2d2::ManageConnection;
use std::error::Error;
use std::fmt;
use std::ops::DerefMut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time that a unit of work or a query waits for a connection.
const WAIT_TIMEOUT: Duration = Duration::from_secs(2);

const fn timeout(wait: LockWait) -> Duration {
    match wait {
        LockWait::Usual | LockWait::Brief => WAIT_TIMEOUT,
        LockWait::Short => Duration::from_millis(100),
    }
}

/// The kind of database that a store uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite, in a file.
    Sqlite,
    /// PostgreSQL, on a server.
    Postgres,
}

/// A database behind the ports: [`UnitOfWorkFactory`], [`allocation_ports::Queries`] and
/// [`allocation_ports::DatabaseProbe`].
///
/// Cloning is cheap; clones share their connections. Every call blocks until the database replies.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    url: DatabaseUrl,
    access: Access,
    /// Connections for reads, and on PostgreSQL for writes as well.
    pool: r2d2::Pool<Connector>,
    /// SQLite's only writer, unless access is read-only. Its connection is passed on in the order of arrival, whereas
    /// waiting for the lock of the file would mean polling in no order.
    writer: Option<Arc<FairMutex<AnyConnection>>>,
    /// The SQLite file as it was opened.
    file: Option<sqlite::DatabaseFile>,
    last_error: LastError,
    checkouts: Checkouts,
    generation: Arc<AtomicU64>,
    /// The probe and its connection, if one is open.
    prober: Mutex<Prober>,
    clock: Arc<StoreClock>,
}

#[derive(Debug, thiserror::Error)]
#[error("all {0} connections are in use")]
struct AllInUse(u32);

#[derive(Debug, thiserror::Error)]
#[error("other writers took longer than {} s", WAIT_TIMEOUT.as_secs())]
struct WritersInTheWay;

#[derive(Debug, thiserror::Error)]
#[error("no connection could be made")]
struct NoConnection(#[source] Box<dyn Error + Send + Sync>);

impl Store {
    /// Connects to a database, with up to `pool_size` connections at a time. It runs no migrations; see
    /// [`Store::migrations`].
    ///
    /// # Errors
    ///
    /// Returns [`ConnectError`] if the database cannot be reached, or if a pooler in front of it shares sessions
    /// among clients; the call does not retry.
    pub fn connect(url: &DatabaseUrl, pool_size: u32) -> Result<Self, ConnectError> {
        Self::connect_for(Access::ReadWrite, url, pool_size)
    }

    /// Connects only for reads: to a standby, or to a database that other processes write or that must not be changed.
    /// Units of work and all other writes fail.
    ///
    /// # Errors
    ///
    /// As [`Store::connect`]; a SQLite file that does not exist is not created.
    pub fn connect_read_only(url: &DatabaseUrl, pool_size: u32) -> Result<Self, ConnectError> {
        Self::connect_for(Access::ReadOnly, url, pool_size)
    }

    fn connect_for(access: Access, url: &DatabaseUrl, pool_size: u32) -> Result<Self, ConnectError> {
        let clock = StoreClock::default();
        let (generation, silence) = (Arc::<AtomicU64>::default(), Silence::default());
        let connector =
            || Connector { url: url.clone(), access, silence: silence.clone(), generation: Arc::clone(&generation) };
        let (writer, file) = match url {
            DatabaseUrl::Sqlite(path) => {
                let writer = match access {
                    Access::ReadWrite => {
                        let writer = sqlite::create_and_open_writer(path).map_err(|it| ConnectError::new(url, it))?;
                        Some(Arc::new(FairMutex::new(AnyConnection::Sqlite(writer))))
                    }
                    Access::ReadOnly => connector().connect().map(|_readable| None)?,
                };
                let file = sqlite::DatabaseFile::of(path).map_err(|cause| ConnectError::new(url, cause))?;
                (writer, Some(file))
            }
            DatabaseUrl::Postgres(_) => {
                let mut connection = connector().connect()?.connection;
                let pooled = connection.check_pooling(&mut connector().connect()?.connection);
                pooled.map_err(|cause| ConnectError::new(url, cause))?;
                let measured = clock.measure(|| server_time(&mut connection));
                measured.map_err(|error| ConnectError::new(url, error))?;
                (None, None)
            }
        };
        let (last_error, checkouts) = (LastError::default(), Checkouts::default());
        let pool = r2d2::Pool::builder()
            .max_size(pool_size.max(1))
            .min_idle(Some(0))
            .connection_timeout(WAIT_TIMEOUT)
            // The BEGIN of a unit of work also checks the connection, and saves a round trip.
            .test_on_check_out(false)
            .error_handler(Box::new(last_error.clone()))
            .event_handler(Box::new(checkouts.clone()))
            .build_unchecked(connector());
        let prober = Mutex::new(Prober::new(connector(), silence));
        let (url, clock) = (url.clone(), Arc::new(clock));
        Ok(Self(Arc::new(Inner { url, access, pool, writer, file, last_error, checkouts, generation, prober, clock })))
    }

    /// Returns the kind of this database.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.0.url {
            DatabaseUrl::Sqlite(_) => Dialect::Sqlite,
            DatabaseUrl::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Returns the clock that measures holds and dates stored data.
    #[must_use]
    pub fn clock(&self) -> Arc<StoreClock> {
        Arc::clone(&self.0.clock)
    }

    /// Reads the clock of the database, if it has its own.
    pub(crate) fn measure_clock(&self) -> Result<(), StoreError> {
        match self.dialect() {
            Dialect::Sqlite => Ok(()),
            Dialect::Postgres => {
                let mut connection = self.checked_out(LockWait::Short, AnyConnection::ping)?;
                self.0.clock.measure(|| server_time(&mut connection)).map_err(store_error)
            }
        }
    }

    /// Returns the migrations of this database.
    #[must_use]
    pub fn migrations(&self) -> Migrations {
        Migrations::new(self.0.url.clone(), self.0.access)
    }

    /// Checks that a SQLite file is still the one that was opened.
    fn check_file(&self) -> Result<(), StoreError> {
        self.0.file.as_ref().map_or(Ok(()), sqlite::DatabaseFile::check)
    }

    /// Takes a connection for which `check` succeeds. Connections that the server has closed are discarded.
    fn checked_out(
        &self,
        wait: LockWait,
        check: impl Fn(&mut AnyConnection) -> QueryResult<()>,
    ) -> Result<Lent, StoreError> {
        self.check_file()?;
        let pool = &self.0.pool;
        let (mut tries, begun) = (0, Instant::now());
        loop {
            let mut connection = self.pooled(timeout(wait))?;
            // Each untrusted connection may cost a deadline, and the next one may be no better.
            let again = tries < pool.max_size() && begun.elapsed() < WAIT_TIMEOUT;
            tries += 1;
            if !self.trusts(connection.session()) {
                connection.discard();
                if again {
                    continue;
                }
            }
            match check(&mut connection) {
                Ok(()) => return Ok(connection),
                Err(error) if connection.is_broken() && again => {
                    tracing::debug!(%error, "a pooled connection was closed");
                }
                Err(error) => return Err(store_error(error)),
            }
        }
    }

    /// Returns whether a connection was opened after the last change of the server.
    fn trusts(&self, session: &Session) -> bool {
        session.generation == self.0.generation.load(Ordering::Relaxed)
    }

    /// Takes a connection from the pool. A wait times out if the awaited connections break meanwhile. The
    /// next request opens a new one, so a second attempt follows.
    fn pooled(&self, timeout: Duration) -> Result<Lent, StoreError> {
        let pool = &self.0.pool;
        let again = |error| match pool.state().connections {
            0 => pool.get_timeout(Duration::from_millis(200)),
            _ => Err(error),
        };
        pool.get_timeout(timeout).or_else(again).map(Lent::new).map_err(|error| self.no_connection(error))
    }

    fn no_connection(&self, error: r2d2::Error) -> StoreError {
        let most = self.0.pool.max_size();
        if self.0.pool.state().connections >= most {
            StoreError::Busy(AllInUse(most).into())
        } else {
            // The pool reports only that a connection failed; the connector's last error has the reason.
            let cause: Box<dyn Error + Send + Sync> = match self.0.last_error.get() {
                Some(cause) => cause.into(),
                None => error.into(),
            };
            StoreError::Unavailable(NoConnection(cause).into())
        }
    }

    /// Locks SQLite's writer and begins a transaction.
    fn locked_writer(
        &self,
        writer: &Arc<FairMutex<AnyConnection>>,
        wait: LockWait,
    ) -> Result<impl DerefMut<Target = AnyConnection> + use<>, StoreError> {
        let Some(mut connection) = writer.try_lock_arc_for(timeout(wait)) else {
            return Err(StoreError::Busy(WritersInTheWay.into()));
        };
        if connection.is_broken()
            && let DatabaseUrl::Sqlite(path) = &self.0.url
        {
            let anew = sqlite::open_writer(path).map_err(StoreError::Unavailable)?;
            *connection = AnyConnection::Sqlite(anew);
        }
        if let (Some(file), AnyConnection::Sqlite(connection)) = (&self.0.file, &mut *connection) {
            file.check()?;
            file.make_room(connection);
        }
        connection.begin(wait).map_err(store_error)?;
        Ok(connection)
    }

    /// Runs a query, and retries it if the connection is lost or the recovery of a standby cancels it.
    fn read<T>(&self, query: impl Fn(&mut AnyConnection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut attempts = Attempts::begin();
        loop {
            let read = query(&mut *self.checked_out(LockWait::Usual, AnyConnection::ping)?);
            match read {
                Err(StoreError::ConnectionLost(_)) if attempts.continue_after_loss() => {}
                Err(StoreError::ConnectionLost(cause)) => return Err(StoreError::Unavailable(cause)),
                Err(error) if attempts.continue_after(&error) => {}
                read => return read,
            }
        }
    }

    /// Runs a query of several statements that all see the same state, and retries it like [`Store::read`].
    fn read_snapshot<T, E: ReadError>(&self, query: impl Fn(&mut AnyConnection) -> Result<T, E>) -> Result<T, E> {
        let mut attempts = Attempts::begin();
        loop {
            let mut connection = self.checked_out(LockWait::Usual, AnyConnection::begin_snapshot)?;
            let read = query(&mut connection);
            if let Err(error) = Transactions::rollback_transaction(&mut *connection) {
                // The connection is broken then, and the pool replaces it.
                tracing::debug!(%error, "a rollback failed");
            }
            let is_broken = connection.is_broken();
            drop(connection);
            match read {
                Err(_) if is_broken && attempts.continue_after_loss() => {}
                Err(error) if attempts.continue_after(&error) => {}
                read => return read,
            }
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.0.url)
    }
}

impl UnitOfWorkFactory for Store {
    fn begin(&self, wait: LockWait) -> Result<Box<dyn UnitOfWork>, StoreError> {
        match &self.0.writer {
            Some(writer) => Ok(Box::new(Unit::new(self.locked_writer(writer, wait)?, self.clock()))),
            None => {
                let connection = self.checked_out(wait, |connection| connection.begin(wait))?;
                Ok(Box::new(Unit::new(connection, self.clock())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use allocation_domain::{BatchReference, Eta, NewBatch, Quantity, Sku};
    use allocation_ports::{BatchQueries, EventContexts, LockRequest};
    use chrono::DateTime;
    use diesel::connection::SimpleConnection;

    fn batch(number: u32) -> BatchReference {
        BatchReference::parse(format!("{number:0>200}")).unwrap()
    }

    /// Adds many batches in one unit of work.
    fn add_batches(store: &Store) -> Result<(), StoreError> {
        let mut unit = store.begin(LockWait::Usual)?;
        let wanted = LockRequest { create: true, ..LockRequest::product(Sku::parse("LAMP").unwrap()) };
        let mut products = unit.products().lock(&[wanted])?;
        for number in 0..1_000 {
            let added = products[0]
                .add_batch(NewBatch::new(batch(number), Quantity::new(1).unwrap(), Eta::InStock), DateTime::UNIX_EPOCH);
            added.unwrap();
        }
        unit.products().save(&products, &EventContexts::default())?;
        unit.commit()
    }

    #[test]
    fn a_full_disk_is_unavailable_and_nothing_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("stock.db"));
        let store = Store::connect(&url, 1).unwrap();
        store.migrations().up().unwrap();
        let limit = |pages: u32| {
            let writer = store.0.writer.as_ref().unwrap();
            writer.lock().batch_execute(&format!("PRAGMA max_page_count = {pages}")).unwrap();
        };
        limit(50);
        let result = add_batches(&store);
        assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
        assert_eq!(store.batch(&batch(0), DateTime::UNIX_EPOCH).unwrap(), None);
        limit(100_000);
        add_batches(&store).unwrap();
        assert!(store.batch(&batch(999), DateTime::UNIX_EPOCH).unwrap().is_some());
    }
}
