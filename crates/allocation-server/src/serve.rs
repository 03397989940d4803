//! The lifecycle of the server: wire, listen, serve, shut down.

use crate::broker::Exchange;
use crate::config::Settings;
use crate::database::{Database, Ports, Writers};
use crate::logging::{self, LogWriter};
use crate::{connections, stop};
use allocation_app::{
    AgeLimit, AllocationEngine, EngineCounters, EngineSettings, EventSequencer, EventTail, Health, RetryPolicy,
    SequencerPorts, UnitRunner, UseCases,
};
use allocation_http::{Api, BlockingLimits, EventFeed, Starting};
use anyhow::Context;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use uuid::Uuid;

/// The seconds that a shutdown waits for requests in flight, a part of its total time.
const HTTP_SECONDS: u64 = 20;
/// The maximum number of workers; more would only make the groups smaller.
const MAX_WORKERS: usize = 4;
/// The number of connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;
/// The interval at which expired holds are swept and their events recorded.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);
/// The interval at which lines left by a correction are moved.
const MOVE_PAUSE: Duration = Duration::from_millis(500);
/// The time for which a client may read nothing. Without a limit, it would keep its slot among event
/// readers and delay a shutdown.
#[cfg(target_os = "linux")]
const TAKES_NOTHING: Duration = Duration::from_secs(20);
/// The number of calls of each class that may wait for a database thread.
const WAITING_CALLS: usize = 1_024;
/// The time that a call may wait for a slot, below the timeout of clients.
const TURN_WITHIN: Duration = Duration::from_secs(3);
/// The minimum number of slots: one for a search, one for an event reader, and one for other calls.
const LEAST_CALLS: usize = 3;
/// The number of readers that may wait for events.
const WAITING_READERS: usize = 1_024;

/// Serves until a signal arrives, then finishes the work in flight.
pub(crate) fn serve(settings: &Settings, log: &LogWriter) -> anyhow::Result<()> {
    logging::start(settings.log_format(), log)?;
    // Work for the broker and for HTTP must not wait for each other's database connections.
    let more = settings.broker.url()?.map_or(0, |_| Exchange::CONNECTIONS);
    // Plus one for SQLite's writer, and one for migrations.
    let connections = connections::limits(settings, settings.pool_size + more + 2);
    let listener = listen(settings.address)?;
    let starting = Starting::serve(&listener).context("the HTTP server cannot be started")?;
    let database = Database::connect(settings, more)?;
    let (store, clock, writers) = (Arc::clone(&database.ports), Arc::clone(&database.clock), database.writers);
    let units = UnitRunner::new(store.clone(), RetryPolicy::default());
    let counters = Arc::new(EngineCounters::default());
    let age = AgeLimit::start(Duration::from_secs(settings.max_command_age_seconds))
        .context("the age of commands cannot be watched")?;
    let mut vitals = Vec::from_iter(age.vital());
    let engine = AllocationEngine::start(&units, &counters, &age, engine_settings(writers, settings.pool_size))
        .context("the allocation engine cannot be started")?;
    let running = running_calls(writers, settings.pool_size);
    let limits = BlockingLimits { running, waiting: WAITING_CALLS, turn_within: TURN_WITHIN };
    let use_cases = UseCases::new(units, store.clone(), Arc::clone(&clock)).with_age_limit(age);
    let sweeper = use_cases.start_sweeper(SWEEP_PAUSE).context("the sweeper cannot be started")?;
    let mover = use_cases.start_mover(MOVE_PAUSE).context("lines of batches cannot be moved")?;
    let tail = EventTail::start(store.clone(), WAITING_READERS).context("the events cannot be watched")?;
    let sequencer = start_sequencer(&store, &tail, settings).context("the event sequencer cannot be started")?;
    let exchange = Exchange::start(settings, &store, &clock, &engine, &counters, &use_cases)?;
    vitals.extend(engine.vitals());
    vitals.extend([sweeper.vital(), mover.vital(), tail.vital(), sequencer.vital()]);
    vitals.extend(exchange.iter().flat_map(Exchange::vitals));
    let health = Arc::new(Health::start(store.clone(), vitals).context("readiness cannot be probed")?);
    let feed = EventFeed { log: store.clone(), tail: tail.clone(), source: settings.event_source.as_str().into() };
    let api = Api::new(use_cases, engine.clone(), store, health, clock, feed, limits)
        .with_edge(settings.edge.settings())
        .with_calendar(settings.calendar());

    let address = listener.local_addr()?;
    let stop = stop::signalled(log).context("signals cannot be watched")?;
    starting.stop();
    tracing::info!("API at http://{address}, docs at http://{address}/docs");
    let served = actix_web::rt::System::new()
        .block_on(async { allocation_http::serve(listener, api, connections, stop, HTTP_SECONDS).await });
    let relay = exchange.map(Exchange::stop);
    engine.shut_down();
    sweeper.stop();
    mover.stop();
    sequencer.stop();
    database.stop();
    if let Some(relay) = relay {
        relay.stop();
    }
    tail.stop();
    let counted = counters.snapshot();
    tracing::info!(
        lines = counted.lines,
        refused = counted.refused,
        groups = counted.group_size.count,
        retries = counted.retries,
        overloads = counted.overloads,
        "stopped"
    );
    served.context("the HTTP server failed")
}

/// Starts the event sequencer, which waits while another process holds the lease.
fn start_sequencer(store: &Arc<dyn Ports>, tail: &EventTail, settings: &Settings) -> io::Result<EventSequencer> {
    let ports = SequencerPorts { leases: store.clone(), log: store.clone(), tail: tail.clone() };
    EventSequencer::start(ports, Uuid::now_v7().to_string(), settings.retention())
}

/// Returns the number of concurrent calls that may use a connection.
///
/// The engine's workers, the sweeper, the mover and the sequencer have connections of their own, if the
/// pool is large enough. SQLite's writer is not part of the pool.
fn running_calls(writers: Writers, pool_size: u32) -> usize {
    let connections = wide(pool_size);
    let running = match writers {
        Writers::One => connections,
        // The workers by SKU. Then orders over several SKUs, held products, the sweeper, the mover and the sequencer.
        Writers::Several => {
            let reserved = engine_settings(Writers::Several, pool_size).workers.get() + 5;
            connections.saturating_sub(reserved)
        }
    };
    running.max(LEAST_CALLS)
}

#[expect(clippy::expect_used, reason = "a size has 32 bits at least on every platform that this runs on")]
fn wide(number: u32) -> usize {
    usize::try_from(number).expect("sizes have 32 bits at least")
}

fn engine_settings(writers: Writers, pool_size: u32) -> EngineSettings {
    let workers = match writers {
        Writers::One => 1,
        // One worker uses a database core while another waits for the disk. The other connections serve
        // everything else.
        Writers::Several => thread::available_parallelism().map_or(2, NonZeroUsize::get).clamp(2, MAX_WORKERS),
    };
    let connections = wide(pool_size);
    let workers = nonzero(workers.min(connections / 2));
    EngineSettings { workers, queue_length: nonzero(4_096), group_size: nonzero(512) }
}

const fn nonzero(number: usize) -> NonZeroUsize {
    match NonZeroUsize::new(number) {
        Some(number) => number,
        None => NonZeroUsize::MIN,
    }
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    open_socket(address)
        .with_context(|| format!("cannot listen on {address}; choose another with --address or ALLOCATION_ADDRESS"))
}

/// Opens a listening socket. The standard library's backlog is too short for a burst of connections.
fn open_socket(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    // Accepted connections inherit the option.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(TAKES_NOTHING))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
