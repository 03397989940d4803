use crate::api::{Api, app};
use actix_web::HttpServer;
use std::io;
use std::net::TcpListener;

/// Serves the API on a listener until `stop` is ready, and lets the requests in flight end, for so
/// many seconds at most. Nobody waits for events any longer then.
///
/// # Errors
///
/// When the listener cannot be used.
pub async fn serve(
    listener: TcpListener,
    api: Api,
    stop: impl Future<Output = ()> + Send + 'static,
    shutdown_seconds: u64,
) -> io::Result<()> {
    let tail = api.feed.tail.clone();
    let stop = async move {
        stop.await;
        // Who waits for events would otherwise be waited for.
        tail.close();
    };
    HttpServer::new(move || app(&api))
        .shutdown_signal(stop)
        .shutdown_timeout(shutdown_seconds)
        // A client that hangs up is not waited with: its call leaves the line. Whether it has closed
        // one half of its connection or both cannot be seen from here.
        .h1_allow_half_closed(false)
        .listen(listener)?
        .run()
        .await
}

#[cfg(test)]
mod tests;
