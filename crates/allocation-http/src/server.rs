use crate::api::Api;
use crate::endpoint::Endpoint;
use crate::routes::app;
use actix_server::Server;
use std::io;

/// Serves the API until `stop` is ready, then waits up to `shutdown_seconds` for requests in flight. Event streams
/// end at once.
///
/// # Errors
///
/// Returns an error if the listener cannot be used.
pub async fn serve(
    endpoint: Endpoint,
    api: Api,
    stop: impl Future<Output = ()> + Send + 'static,
    shutdown_seconds: u64,
) -> io::Result<()> {
    let tail = api.feed.tail.clone();
    let stop = async move {
        stop.await;
        // Waiting event readers would delay the shutdown.
        tail.close();
    };
    let builder = Server::build().shutdown_signal(stop).shutdown_timeout(shutdown_seconds);
    endpoint.server(builder, move || app(&api))?.await
}

#[cfg(test)]
mod tests;
