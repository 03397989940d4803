//! Shutdown on signals.

use crate::logging::LogWriter;
use std::io;
use std::process;
use std::thread;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// The time limit of a shutdown from the signal on: requests, engine, background threads and the log together.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// The time to flush the log before a forced exit.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Watches signals on a dedicated thread until the process ends. The returned future is ready at the first
/// SIGTERM, SIGHUP or ctrl-c.
///
/// A second signal ends the process at once, and so does a shutdown that takes longer than [`STOP_TIMEOUT`].
pub(crate) fn signalled(log: &LogWriter) -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::watch()?
    };
    let (stop, stopped) = oneshot::channel();
    let log = log.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(signals.next());
        tracing::info!("stopping: requests in flight are finished first");
        // The receiver is gone if the server has failed meanwhile.
        let _ended = stop.send(());
        end_at_most(&runtime, &mut signals);
        log.flush(FLUSH_TIMEOUT);
        process::exit(1);
    })?;
    Ok(async {
        // The sender is dropped only if the thread ended without a signal.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Waits for a second signal or the time limit. Usually the process ends before.
fn end_at_most(runtime: &Runtime, signals: &mut Signals) {
    match runtime.block_on(async { tokio::time::timeout(STOP_TIMEOUT - FLUSH_TIMEOUT, signals.next()).await }) {
        Ok(()) => tracing::warn!("ended by a second signal: requests in flight are aborted"),
        Err(_) => {
            tracing::error!("the stop took longer than {} s: work in flight is aborted", STOP_TIMEOUT.as_secs())
        }
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn watch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    fn watch() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "ctrl-c cannot be watched");
            std::future::pending::<()>().await;
        }
    }
}
