//! When the operator says stop.

use std::io;

/// Is ready when the process is told to end: by SIGTERM, or ctrl-c at a terminal. Both let the
/// requests in flight finish.
#[cfg(unix)]
pub(crate) fn signalled() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: requests in flight are finished first");
    })
}

/// Is ready when ctrl-c is pressed.
#[cfg(not(unix))]
pub(crate) fn signalled() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "ctrl-c cannot be watched");
            std::future::pending::<()>().await;
        }
    })
}
