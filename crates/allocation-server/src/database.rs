//! The database that the server runs on, whichever it is.

use crate::config::Settings;
use allocation_adapters_diesel::{ClockWatch, Dialect, Store};
use allocation_adapters_memory::{MemoryStore, WallClock};
use allocation_app::BackgroundTask;
use allocation_ports::{
    Access, Clock, CommandEffects, DatabaseProbe, EventLog, InvariantCheck, KeyStore, Leases, LogSequencer, Queries,
    RelayStore, SchemaState, StoreMonitor, UnitOfWorkFactory,
};
use anyhow::{Context, bail};
use std::sync::Arc;
use std::time::Duration;

/// All ports of a database.
pub(crate) trait Ports:
    UnitOfWorkFactory
    + Queries
    + EventLog
    + LogSequencer
    + Leases
    + RelayStore
    + CommandEffects
    + KeyStore
    + DatabaseProbe
    + StoreMonitor
    + InvariantCheck
{
}

impl<T> Ports for T where
    T: UnitOfWorkFactory
        + Queries
        + EventLog
        + LogSequencer
        + Leases
        + RelayStore
        + CommandEffects
        + KeyStore
        + DatabaseProbe
        + StoreMonitor
        + InvariantCheck
{
}

/// How many units of work write at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writers {
    /// None: access is read-only.
    None,
    /// One, as on SQLite.
    One,
    /// Several, each on its own rows.
    Several,
}

/// A database with a current schema.
pub(crate) struct Database {
    pub(crate) ports: Arc<dyn Ports>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) writers: Writers,
    /// The kind of database: `memory`, `sqlite` or `postgresql`.
    pub(crate) kind: &'static str,
    /// Follows the clock of a database that has its own.
    watch: Option<BackgroundTask>,
}

impl Database {
    /// Connects to the configured database, with `more` connections in addition to its pool, and brings its
    /// schema up to date. With read-only access, the schema must be current.
    pub(crate) fn connect(settings: &Settings, more: u32) -> anyhow::Result<Self> {
        if settings.access() == Access::ReadOnly {
            return Self::open(settings, connect_read_only(settings)?, Writers::None);
        }
        if settings.is_in_memory()? {
            tracing::warn!("the database is in memory: what it stores is lost when the process ends");
            let store = MemoryStore::new(Arc::new(WallClock { shift: settings.clock_offset() }));
            let clock = store.clock();
            return Ok(Self { ports: Arc::new(store), clock, writers: Writers::Several, kind: "memory", watch: None });
        }
        let store = settings.connect_with(more)?;
        for migration in store.migrations().up()? {
            tracing::info!(migration, "the database's schema is brought up to date");
        }
        let writers = match store.dialect() {
            Dialect::Sqlite => Writers::One,
            Dialect::Postgres => Writers::Several,
        };
        Self::open(settings, store, writers)
    }

    /// Follows the clock of a connected database.
    fn open(settings: &Settings, store: Store, writers: Writers) -> anyhow::Result<Self> {
        store.clock().shift(settings.clock_offset());
        let mut clock_watch = ClockWatch::new(Store::clone(&store));
        let watch = BackgroundTask::repeat("clock", Duration::ZERO, ClockWatch::PAUSE, move |_| {
            clock_watch.read();
            ClockWatch::PAUSE
        })
        .context("the clock cannot be watched")?;
        let kind = match store.dialect() {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgresql",
        };
        let clock: Arc<dyn Clock> = store.clock();
        Ok(Self { ports: Arc::new(store), clock, writers, kind, watch: Some(watch) })
    }

    /// Stops following the clock.
    pub(crate) fn stop(self) {
        if let Some(watch) = self.watch {
            watch.stop();
        }
    }
}

/// Connects for reads to a database whose schema is current, because a server that only reads runs no migrations.
fn connect_read_only(settings: &Settings) -> anyhow::Result<Store> {
    let store = settings.connect_read_only()?;
    match store.schema()? {
        SchemaState::Current => Ok(store),
        SchemaState::Older => bail!(
            "the schema of the database is older than this program, and a read-only server runs no migrations; \
             run `allocation migrate up` on the primary first"
        ),
        SchemaState::Newer => bail!("the schema of the database is newer than this program; upgrade the program"),
    }
}
