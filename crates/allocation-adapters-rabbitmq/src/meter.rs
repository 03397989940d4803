//! Limiting the memory of unacknowledged messages.
//!
//! A broker pushes as many messages as the prefetch allows, however large they are: RabbitMQ has no prefetch
//! in bytes. A metered connection is therefore read only while its messages in memory stay within a limit.
//! The broker waits at the other end.

use async_rs::Tokio;
use async_rs::traits::Reactor;
use futures_util::task::AtomicWaker;
use futures_util::{AsyncRead, AsyncWrite, Stream};
use std::future::Future;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// The approximate size of a message besides its body.
const ENVELOPE_BYTES: u64 = 100;

/// Counts the bytes of one connection. Clones are handles to the same count.
///
/// The bytes in memory are at most the limit, plus one read, plus one message. A message is read to its end
/// even if it alone exceeds the limit.
#[derive(Debug, Clone)]
pub(crate) struct Meter(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    limit: u64,
    /// The bytes read.
    read: AtomicU64,
    /// The bytes read that are no longer in memory.
    freed: AtomicU64,
    messages: AtomicUsize,
    reader: AtomicWaker,
}

/// The weight of an unacknowledged message; dropping it frees its bytes.
#[derive(Debug)]
pub(crate) struct Weight {
    meter: Meter,
    bytes: u64,
}

impl Meter {
    /// Returns a meter with room for `limit` bytes.
    pub(crate) fn new(limit: u64) -> Self {
        let (read, freed) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Counts { limit, read, freed, messages: AtomicUsize::new(0), reader: AtomicWaker::new() }))
    }

    /// Counts a received message.
    pub(crate) fn weigh(&self, body: &[u8]) -> Weight {
        self.0.messages.fetch_add(1, Ordering::SeqCst);
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX).saturating_add(ENVELOPE_BYTES);
        Weight { meter: self.clone(), bytes }
    }

    /// Reads on if no message is in memory.
    ///
    /// The bytes read then belong to a message larger than the limit, or to no message: protocol overhead
    /// is counted but never freed.
    pub(crate) fn resume_if_idle(&self) {
        if self.is_full() && self.0.messages.load(Ordering::SeqCst) == 0 {
            self.0.freed.store(self.0.read.load(Ordering::SeqCst), Ordering::SeqCst);
            self.0.reader.wake();
        }
    }

    /// Returns whether reading has stopped.
    pub(crate) fn is_full(&self) -> bool {
        let read = self.0.read.load(Ordering::SeqCst);
        read.saturating_sub(self.0.freed.load(Ordering::SeqCst)) >= self.0.limit
    }

    fn count(&self, bytes: usize) {
        self.0.read.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Is ready when the connection may be read.
    fn poll_room(&self, context: &Context<'_>) -> Poll<()> {
        if !self.is_full() {
            return Poll::Ready(());
        }
        self.0.reader.register(context.waker());
        // Room may have become free before the reader was registered.
        if self.is_full() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        let counts = &self.meter.0;
        counts.freed.fetch_add(self.bytes, Ordering::SeqCst);
        counts.messages.fetch_sub(1, Ordering::SeqCst);
        counts.reader.wake();
    }
}

/// Opens metered connections.
#[derive(Debug, Clone)]
pub(crate) struct MeteredReactor {
    pub(crate) tokio: Tokio,
    pub(crate) meter: Meter,
}

impl Reactor for MeteredReactor {
    type TcpStream = Metered<<Tokio as Reactor>::TcpStream>;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + Send + 'static>(
        &self,
        _socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Self::TcpStream, _>(io::Error::from(io::ErrorKind::Unsupported))
    }

    fn sleep(&self, time: Duration) -> Self::Sleep {
        self.tokio.sleep(time)
    }

    fn interval(&self, time: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.tokio.interval(time)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let (connect, meter) = (self.tokio.tcp_connect_addr(address), self.meter.clone());
        async move { Ok(Metered { stream: connect.await?, meter }) }
    }
}

/// A stream that is read only while its meter has room.
#[derive(Debug)]
pub(crate) struct Metered<S> {
    stream: S,
    meter: Meter,
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        ready!(self.meter.poll_room(context));
        let bytes = ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        self.meter.count(bytes);
        Poll::Ready(Ok(bytes))
    }

    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.meter.poll_room(context));
        let bytes = ready!(Pin::new(&mut self.stream).poll_read_vectored(context, into))?;
        self.meter.count(bytes);
        Poll::Ready(Ok(bytes))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::io::Cursor;
    use futures_util::{AsyncReadExt, FutureExt};

    fn metered(limit: u64, bytes: usize) -> Metered<Cursor<Vec<u8>>> {
        Metered { stream: Cursor::new(vec![7; bytes]), meter: Meter::new(limit) }
    }

    /// Reads until the stream is pending or ends.
    fn read_all(stream: &mut Metered<Cursor<Vec<u8>>>) -> usize {
        let (mut all, mut piece) = (0, [0; 10]);
        while let Some(read) = stream.read(&mut piece).now_or_never() {
            match read.unwrap() {
                0 => break,
                bytes => all += bytes,
            }
        }
        all
    }

    #[test]
    fn reading_stops_one_read_beyond_the_limit_until_messages_are_done() {
        let mut stream = metered(1_000, 100_000);
        assert_eq!(read_all(&mut stream), 1_000);
        let meter = stream.meter.clone();
        let weight = meter.weigh(&[0; 400]);
        meter.resume_if_idle();
        assert_eq!(read_all(&mut stream), 0, "one is under way");
        drop(weight);
        assert_eq!(read_all(&mut stream), 500, "as much as it was, with its envelope");
    }

    #[test]
    fn one_message_larger_than_the_limit_is_read_to_its_end() {
        let mut stream = metered(1_000, 10_500);
        let mut read = 0;
        for _ in 0..10 {
            read += read_all(&mut stream);
            stream.meter.resume_if_idle();
        }
        assert_eq!(read + read_all(&mut stream), 10_500);
    }
}
