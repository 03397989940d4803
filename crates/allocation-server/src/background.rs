//! Background tasks that write. A server with read-only access has none of them.

use crate::broker::Exchange;
use crate::config::Settings;
use crate::database::Ports;
use allocation_adapters_rabbitmq::CommandHandlers;
use allocation_app::{
    ArchiveSettings, BackgroundTask, EngineCounters, EventSequencer, EventTail, SequencerPorts, UseCases, Vital,
};
use allocation_ports::Clock;
use anyhow::Context;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// The interval at which expired holds are swept and their events recorded.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);
/// The interval at which lines left by a correction are moved.
const MOVE_PAUSE: Duration = Duration::from_millis(500);
/// The interval at which orders are archived.
const ARCHIVE_PAUSE: Duration = Duration::from_secs(5);

/// The sweeper, the mover, the event sequencer, the archiver if orders are archived, and the relay and the command
/// consumer if a broker is configured.
pub(crate) struct Background {
    sweeper: BackgroundTask,
    mover: BackgroundTask,
    sequencer: EventSequencer,
    archiver: Option<BackgroundTask>,
    exchange: Option<Exchange>,
}

impl Background {
    pub(crate) fn start(
        settings: &Settings,
        store: &Arc<dyn Ports>,
        clock: &Arc<dyn Clock>,
        tail: &EventTail,
        counters: &Arc<EngineCounters>,
        handlers: CommandHandlers,
    ) -> anyhow::Result<Self> {
        let use_cases = &handlers.use_cases;
        let sweeper = use_cases.start_sweeper(SWEEP_PAUSE).context("the sweeper cannot be started")?;
        let mover = use_cases.start_mover(MOVE_PAUSE).context("lines of batches cannot be moved")?;
        let sequencer = start_sequencer(store, tail, settings).context("the event sequencer cannot be started")?;
        let archiver = start_archiver(store, use_cases, settings).context("orders cannot be archived")?;
        let exchange = Exchange::start(settings, store, clock, counters, handlers)?;
        Ok(Self { sweeper, mover, sequencer, archiver, exchange })
    }

    /// Returns the liveness of all threads.
    pub(crate) fn vitals(&self) -> Vec<Vital> {
        let mut vitals = vec![self.sweeper.vital(), self.mover.vital(), self.sequencer.vital()];
        vitals.extend(self.archiver.iter().map(BackgroundTask::vital));
        vitals.extend(self.exchange.iter().flat_map(Exchange::vitals));
        vitals
    }

    /// Stops the consumer after the commands in progress, which need the engine. The returned call stops the rest,
    /// the relay last.
    pub(crate) fn stop_consuming(self) -> impl FnOnce() {
        let Self { sweeper, mover, sequencer, archiver, exchange } = self;
        let relay = exchange.map(Exchange::stop);
        move || {
            sweeper.stop();
            mover.stop();
            if let Some(archiver) = archiver {
                archiver.stop();
            }
            sequencer.stop();
            if let Some(relay) = relay {
                relay.stop();
            }
        }
    }
}

/// Starts the event sequencer, which waits while another process holds the lease.
fn start_sequencer(store: &Arc<dyn Ports>, tail: &EventTail, settings: &Settings) -> io::Result<EventSequencer> {
    let ports = SequencerPorts { leases: store.clone(), log: store.clone(), tail: tail.clone() };
    EventSequencer::start(ports, Uuid::now_v7().to_string(), settings.retention())
}

/// Starts the archiver if orders are archived. It waits while another process holds the lease.
fn start_archiver(
    store: &Arc<dyn Ports>,
    use_cases: &UseCases,
    settings: &Settings,
) -> io::Result<Option<BackgroundTask>> {
    let start = |age| {
        let settings = ArchiveSettings { age, pause: ARCHIVE_PAUSE };
        use_cases.start_archiver(store.clone(), Uuid::now_v7().to_string(), settings)
    };
    settings.archive_after().map(start).transpose()
}
