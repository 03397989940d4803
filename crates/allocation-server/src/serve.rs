//! The lifecycle of the server: wire, listen, serve, shut down.

use crate::access::AccessToServer;
use crate::background::Background;
use crate::broker::Exchange;
use crate::build::{COMMIT, VERSION};
use crate::config::Settings;
use crate::database::{Database, Writers};
use crate::logging::{self, LogWriter};
use crate::tls::ServerTls;
use crate::traces::{FLUSH_TIMEOUT, Traces};
use crate::{connections, stop};
use allocation_adapters_rabbitmq::CommandHandlers;
use allocation_app::{
    AgeLimit, AllocationEngine, BackgroundTask, BacklogMonitor, EngineCounters, EngineSettings, EventTail, Health,
    InvariantMonitor, RetryPolicy, Tracer, UnitRunner, UseCases,
};
use allocation_http::{
    Api, BlockingLimits, Build, Endpoint, EventFeed, MetricSources, Metrics, MetricsServer, Starting,
};
use allocation_ports::Access;
use anyhow::Context;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The seconds that a shutdown waits for requests in flight, a part of its total time.
const HTTP_SECONDS: u64 = 20;
/// The maximum number of workers; more would only make the groups smaller.
const MAX_WORKERS: usize = 4;
/// The number of connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;
/// The time for which a client may read nothing. Without a limit, it would keep its slot among event
/// readers and delay a shutdown.
#[cfg(target_os = "linux")]
const SEND_TIMEOUT: Duration = Duration::from_secs(20);
/// The number of calls of each class that may wait for a database thread.
const CALL_QUEUE_LENGTH: usize = 1_024;
/// The time that a call may wait for a slot, below the timeout of clients.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(3);
/// The minimum number of slots: one for a search, one for an event reader, and one for other calls.
const MIN_SLOTS: usize = 3;
/// The number of readers that may wait for events.
const READER_QUEUE_LENGTH: usize = 1_024;

/// Serves until a signal arrives, then finishes the work in flight.
pub(crate) fn serve(settings: &Settings, log: &LogWriter) -> anyhow::Result<()> {
    logging::start(settings.log_format(), log)?;
    if !settings.unknown.is_empty() {
        tracing::warn!(
            variables = settings.unknown.join(" "),
            "variables that begin with ALLOCATION_ are not settings"
        );
    }
    // Work for the broker and for HTTP must not wait for each other's database connections.
    let more = match (settings.access(), settings.broker.url()?) {
        (Access::ReadWrite, Some(_)) => Exchange::CONNECTIONS,
        _ => 0,
    };
    // Plus one for SQLite's writer, and one for migrations.
    let connections = connections::limits(settings, settings.pool_size + more + 2);
    let listener = listen(settings.address)?;
    let server_tls = settings.tls.paths().map(ServerTls::start).transpose()?;
    let tls = server_tls.as_ref().map(|it| it.tls.clone());
    let starting = Starting::serve(&listener, tls.clone()).context("the HTTP server cannot be started")?;
    let traces = Traces::start(&settings.traces)?;
    let database = Database::connect(settings, more)?;
    let AccessToServer { control, keys, reloading, fetching } =
        AccessToServer::start(settings, &database, listener.local_addr()?)?;
    let (store, clock, writers) = (Arc::clone(&database.ports), Arc::clone(&database.clock), database.writers);
    let metrics_listener = settings.metrics_address.map(listen_for_metrics).transpose()?;
    let tracer = traces.as_ref().map(|it| Tracer::new(it.spans.clone(), settings.traces.trace_ratio));
    let units = UnitRunner::new(store.clone(), RetryPolicy::default());
    let units = match &tracer {
        Some(tracer) => units.with_spans(Arc::clone(tracer.sink())),
        None => units,
    };
    let unit_counters = Arc::clone(units.counters());
    let counters = Arc::new(EngineCounters::default());
    let age = AgeLimit::start(Duration::from_secs(settings.max_command_age_seconds))
        .context("the age of commands cannot be watched")?;
    let mut vitals = Vec::from_iter(age.vital());
    let engine = AllocationEngine::start(&units, &counters, &age, engine_settings(writers, settings.pool_size))
        .context("the allocation engine cannot be started")?;
    let running = running_calls(writers, settings.pool_size);
    let limits = BlockingLimits { running, waiting: CALL_QUEUE_LENGTH, turn_within: QUEUE_TIMEOUT };
    let use_cases = UseCases::new(units, store.clone(), Arc::clone(&clock)).with_age_limit(age);
    let tail = EventTail::start(store.clone(), READER_QUEUE_LENGTH).context("the events cannot be watched")?;
    let background = match settings.access() {
        Access::ReadWrite => {
            let (use_cases, tracer) = (use_cases.clone(), tracer.clone());
            let handlers = CommandHandlers { engine: engine.clone(), use_cases, effects: store.clone(), tracer };
            Some(Background::start(settings, &store, &clock, &tail, &counters, handlers)?)
        }
        Access::ReadOnly => {
            tracing::info!("read-only: queries and events are served, nothing is written, published or consumed");
            None
        }
    };
    vitals.extend(engine.vitals());
    vitals.extend([tail.vital(), reloading.vital()]);
    vitals.extend(fetching.iter().map(BackgroundTask::vital));
    vitals.extend(server_tls.iter().map(|it| it.reloading.vital()));
    vitals.extend(background.iter().flat_map(Background::vitals));
    let backlog = BacklogMonitor::start(store.clone()).context("the backlog of events cannot be watched")?;
    vitals.push(backlog.vital());
    let check = settings.check_interval().map(|interval| InvariantMonitor::start(store.clone(), interval));
    let invariants = check.transpose().context("invariants cannot be checked")?;
    vitals.extend(invariants.iter().map(InvariantMonitor::vital));
    let sources = MetricSources {
        engine: Arc::clone(&counters),
        units: unit_counters,
        store: store.clone(),
        backlog,
        invariants,
        has_relay: more > 0,
        tls: tls.clone(),
        threads: vitals.clone(),
        dropped_log_lines: Box::new({
            let log = log.clone();
            move || log.lines_dropped()
        }),
        dropped_spans: Box::new({
            let spans = traces.as_ref().map(|it| Arc::clone(&it.spans));
            move || spans.as_ref().map_or(0, |it| it.count_dropped())
        }),
        build: Build { version: VERSION, commit: COMMIT, database: database.kind },
    };
    let health = Health::start(store.clone(), settings.access(), vitals).context("readiness cannot be probed")?;
    let health = Arc::new(health);
    let feed = EventFeed { log: store.clone(), tail: tail.clone(), source: settings.event_source.as_str().into() };
    let effects = store.clone();
    let api = Api::new(use_cases, engine.clone(), store, health, clock, feed, limits)
        .with_effects(effects)
        .with_access(control, keys)
        .with_longest_hold(settings.longest_hold())
        .with_edge(settings.edge_settings())
        .with_access_log(settings.access_log)
        .with_calendar(settings.calendar());
    let api = match tracer {
        Some(tracer) => api.with_tracer(tracer),
        None => api,
    };
    let metrics = Arc::new(api.metrics(sources));
    let (api, metrics_server) = match metrics_listener {
        Some(listener) => (api, Some(serve_metrics(listener, metrics)?)),
        None => (api.with_metrics(metrics), None),
    };

    let address = listener.local_addr()?;
    let stop = stop::signalled(log).context("signals cannot be watched")?;
    starting.stop();
    tracing::info!(
        version = VERSION,
        commit = COMMIT,
        database = database.kind,
        address = %address,
        settings = settings.given,
        "started"
    );
    match tls {
        Some(_) => tracing::info!("API at https://{address}, docs at https://{address}/docs"),
        None => tracing::info!("API at http://{address}, docs at http://{address}/docs"),
    }
    let endpoint = Endpoint { listener, limits: connections, tls };
    let served = actix_web::rt::System::new()
        .block_on(async { allocation_http::serve(endpoint, api, stop, HTTP_SECONDS).await });
    let stop_background = background.map(Background::stop_consuming);
    engine.shut_down();
    if let Some(stop_background) = stop_background {
        stop_background();
    }
    reloading.stop();
    // It may wait for an issuer that does not answer.
    drop(fetching);
    if let Some(it) = server_tls {
        it.reloading.stop();
    }
    database.stop();
    tail.stop();
    if let Some(server) = metrics_server {
        server.stop();
    }
    if let Some(it) = traces
        && !it.exporting.stop_by(Instant::now() + FLUSH_TIMEOUT)
    {
        tracing::warn!("the collector did not receive the last spans in time, they are dropped");
    }
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

/// Returns the number of concurrent calls that may use a connection.
///
/// The engine's workers, the sweeper, the mover and the sequencer have connections of their own, if the
/// pool is large enough. SQLite's writer is not part of the pool.
fn running_calls(writers: Writers, pool_size: u32) -> usize {
    let connections = wide(pool_size);
    let running = match writers {
        Writers::None | Writers::One => connections,
        // The workers by SKU. Then orders over several SKUs, held products, the sweeper, the mover and the sequencer.
        Writers::Several => {
            let reserved = engine_settings(Writers::Several, pool_size).workers.get() + 5;
            connections.saturating_sub(reserved)
        }
    };
    running.max(MIN_SLOTS)
}

#[expect(clippy::expect_used, reason = "a size has 32 bits at least on every platform that this runs on")]
fn wide(number: u32) -> usize {
    usize::try_from(number).expect("sizes have 32 bits at least")
}

fn engine_settings(writers: Writers, pool_size: u32) -> EngineSettings {
    let workers = match writers {
        Writers::None | Writers::One => 1,
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

fn listen_for_metrics(address: SocketAddr) -> anyhow::Result<TcpListener> {
    open_socket(address).with_context(|| {
        format!("cannot listen on {address}; choose another with --metrics-address or ALLOCATION_METRICS_ADDRESS")
    })
}

fn serve_metrics(listener: TcpListener, metrics: Arc<Metrics>) -> anyhow::Result<MetricsServer> {
    tracing::info!("metrics at http://{}/metrics", listener.local_addr()?);
    MetricsServer::start(listener, metrics).context("the server of metrics cannot be started")
}

/// Opens a listening socket. The standard library's backlog is too short for a burst of connections.
pub(crate) fn open_socket(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    // Accepted connections inherit the option.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(SEND_TIMEOUT))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
