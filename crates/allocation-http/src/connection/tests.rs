use super::{
    Connection, ConnectionLimits, HEAD_TIME, IDLE_TIME, LINGER_TIME, MAX_DISCARDED, READ_AHEAD_BYTES, READ_BYTES, Slots,
};
use actix_web::rt::time::{Instant, sleep};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

fn connect() -> (Connection<DuplexStream>, DuplexStream) {
    let (stream, peer) = tokio::io::duplex(64 * 1024);
    let slot = Slots::new(ConnectionLimits { total: 1, per_address: 1 }).take([127, 0, 0, 1].into()).unwrap();
    (Connection::new(stream, slot), peer)
}

/// Reads and flushes like the dispatcher until the connection ends; returns the elapsed time and the error.
async fn until_it_ends(connection: &mut Connection<DuplexStream>) -> (Duration, io::ErrorKind) {
    let begun = Instant::now();
    let error = poll_fn(|cx| {
        let mut bytes = [0; 1024];
        loop {
            match Pin::new(&mut *connection).poll_read(cx, &mut ReadBuf::new(&mut bytes)) {
                Poll::Ready(Err(error)) => return Poll::Ready(error),
                Poll::Ready(Ok(())) => {}
                Poll::Pending => break,
            }
        }
        match Pin::new(&mut *connection).poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(error),
            _ => Poll::Pending,
        }
    });
    let error = error.await;
    (begun.elapsed(), error.kind())
}

/// Returns everything that the peer receives.
async fn received(mut peer: DuplexStream) -> String {
    let mut text = String::new();
    peer.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed_without_a_response() {
    let (mut connection, peer) = connect();
    let (elapsed, error) = until_it_ends(&mut connection).await;
    assert!((HEAD_TIME..HEAD_TIME + LINGER_TIME).contains(&elapsed), "{elapsed:?}");
    assert_eq!(error, io::ErrorKind::TimedOut);
    drop(connection);
    assert_eq!(received(peer).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_gets_a_408() {
    let (mut connection, mut peer) = connect();
    let drip = tokio::spawn(async move {
        while peer.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
        received(peer).await
    });
    let (elapsed, _) = until_it_ends(&mut connection).await;
    assert!((HEAD_TIME..HEAD_TIME + 2 * LINGER_TIME).contains(&elapsed), "{elapsed:?}");
    drop(connection);
    assert!(drip.await.unwrap().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_head_starts_at_its_first_byte() {
    let (mut connection, mut peer) = connect();
    let state = connection.state();
    for _ in 0..3 {
        peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        read_all(&mut connection).await;
        assert!(state.begin(false, false));
        state.finish();
        // Longer than the limit for a head.
        assert!(tokio::time::timeout(2 * HEAD_TIME, until_it_ends(&mut connection)).await.is_err());
    }
    peer.write_all(b"G").await.unwrap();
    let (elapsed, _) = until_it_ends(&mut connection).await;
    assert!((HEAD_TIME..HEAD_TIME + 2 * LINGER_TIME).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_outlives_those_of_proxies() {
    let (mut connection, mut peer) = connect();
    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    read_all(&mut connection).await;
    let state = connection.state();
    assert!(state.begin(false, false));
    state.finish();
    let (elapsed, error) = until_it_ends(&mut connection).await;
    assert!((IDLE_TIME..IDLE_TIME + LINGER_TIME).contains(&elapsed), "{elapsed:?}");
    assert!(elapsed > Duration::from_secs(60));
    assert_eq!(error, io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_request_in_progress_has_no_time_limit() {
    let (mut connection, mut peer) = connect();
    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    read_all(&mut connection).await;
    let state = connection.state();
    assert!(state.begin(false, false));
    let ends = tokio::time::timeout(10 * IDLE_TIME, until_it_ends(&mut connection));
    assert!(ends.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn half_a_head_behind_a_request_has_the_time_limit_of_a_head() {
    let (mut connection, mut peer) = connect();
    peer.write_all(b"GET / HTTP/1.1\r\n\r\nGET").await.unwrap();
    read_all(&mut connection).await;
    let state = connection.state();
    assert!(state.begin(false, false));
    state.finish();
    let (elapsed, _) = until_it_ends(&mut connection).await;
    assert!((HEAD_TIME..HEAD_TIME + 2 * LINGER_TIME).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn after_the_last_response_the_peer_is_read_until_it_closes() {
    let (mut connection, mut peer) = connect();
    peer.write_all(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\nGET / HTTP/1.1\r\n\r\n").await.unwrap();
    read_all(&mut connection).await;
    let state = connection.state();
    assert!(state.begin(false, true));
    assert!(!state.begin(false, false));
    connection.write_all(b"response").await.unwrap();
    state.finish();
    let peer = tokio::spawn(received(peer));
    let (elapsed, error) = until_it_ends(&mut connection).await;
    assert!(elapsed < LINGER_TIME, "{elapsed:?}");
    assert_eq!(error, io::ErrorKind::ConnectionAborted);
    assert_eq!(peer.await.unwrap(), "response");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_close_is_cut_off_in_time() {
    let (mut connection, mut peer) = connect();
    peer.write_all(b"DELETE / HTTP/1.1\r\n\r\n").await.unwrap();
    read_all(&mut connection).await;
    let state = connection.state();
    assert!(state.begin(true, false) && state.ends());
    state.finish();
    let (elapsed, _) = until_it_ends(&mut connection).await;
    assert!((LINGER_TIME..2 * LINGER_TIME).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_keeps_sending_is_cut_off() {
    let (mut connection, mut peer) = connect();
    peer.write_all(b"POST / HTTP/1.1\r\n\r\n").await.unwrap();
    read_all(&mut connection).await;
    let state = connection.state();
    assert!(state.begin(true, false) && state.ends());
    state.finish();
    let flood = tokio::spawn(async move {
        let mut sent = 0;
        while peer.write_all(&[0; 16 * 1024]).await.is_ok() {
            sent += 16 * 1024;
        }
        sent
    });
    let (elapsed, _) = until_it_ends(&mut connection).await;
    assert!(elapsed < LINGER_TIME, "{elapsed:?}");
    drop(connection);
    let sent = flood.await.unwrap();
    assert!((MAX_DISCARDED..2 * MAX_DISCARDED).contains(&sent), "{sent}");
}

/// Reads all available input, like the dispatcher before it decodes.
async fn read_all(connection: &mut Connection<DuplexStream>) {
    poll_fn(|cx| {
        let mut bytes = [0; 1024];
        while let Poll::Ready(read) = Pin::new(&mut *connection).poll_read(cx, &mut ReadBuf::new(&mut bytes)) {
            read.unwrap();
        }
        Poll::Ready(())
    })
    .await;
}

/// Returns the bytes that the dispatcher reads in one turn, until it has to wait.
async fn read_once(connection: &mut Connection<DuplexStream>) -> usize {
    poll_fn(|cx| {
        let (mut bytes, mut read) = ([0; 1024], 0);
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut *connection).poll_read(cx, &mut buffer) {
                Poll::Ready(result) => result.unwrap(),
                Poll::Pending => return Poll::Ready(read),
            }
            assert!(!buffer.filled().is_empty());
            read += buffer.filled().len();
        }
    })
    .await
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn requests_behind_one_in_progress_are_left_unread() {
    let (mut connection, mut peer) = connect();
    let state = connection.state();
    tokio::spawn(async move { while peer.write_all(&REQUEST.repeat(100)).await.is_ok() {} });
    tokio::task::yield_now().await;
    let first = read_once(&mut connection).await;
    assert!((1..=READ_BYTES).contains(&u64::try_from(first).unwrap()), "{first}");
    assert!(state.begin(false, false));
    let mut behind = 0;
    for _ in 0..10 {
        tokio::task::yield_now().await;
        behind += read_once(&mut connection).await;
    }
    assert!((1..=READ_AHEAD_BYTES).contains(&u64::try_from(behind).unwrap()), "{behind}");
    state.finish();
    tokio::task::yield_now().await;
    assert!(read_once(&mut connection).await > 0, "the next ones follow");
}

#[tokio::test(start_paused = true)]
async fn a_completed_request_wakes_the_reader() {
    let (mut connection, mut peer) = connect();
    let state = connection.state();
    peer.write_all(&REQUEST.repeat(500)).await.unwrap();
    let mut rest = 500 * REQUEST.len() - read_once(&mut connection).await;
    assert!(state.begin(false, false));
    let finishes = async {
        sleep(Duration::from_millis(1)).await;
        state.finish();
    };
    let reads = poll_fn(|cx| {
        let mut bytes = [0; 1024];
        while rest > 0 {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut connection).poll_read(cx, &mut buffer) {
                Poll::Ready(result) => result.unwrap(),
                Poll::Pending => return Poll::Pending,
            }
            rest = rest.saturating_sub(buffer.filled().len());
        }
        Poll::Ready(())
    });
    let both = tokio::time::timeout(Duration::from_secs(1), async { tokio::join!(finishes, reads) });
    assert!(both.await.is_ok(), "the completed request wakes it");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_nothing_is_not_read_from() {
    let (mut connection, mut peer) = connect();
    peer.write_all(REQUEST).await.unwrap();
    let written = poll_fn(|cx| {
        while let Poll::Ready(written) = Pin::new(&mut connection).poll_write(cx, &[0; 1024]) {
            assert!(written.unwrap() > 0);
        }
        Poll::Ready(())
    });
    written.await;
    assert_eq!(read_once(&mut connection).await, 0);
    peer.read_exact(&mut [0; 1024]).await.unwrap();
    let written = poll_fn(|cx| Pin::new(&mut connection).poll_write(cx, &[0; 16]));
    written.await.unwrap();
    assert_eq!(read_once(&mut connection).await, REQUEST.len());
}
