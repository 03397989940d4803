//! How much of what a broker sends is in memory at a time.
//!
//! A broker pushes as many messages as the consumer has asked for, however large they are, and cannot be
//! told a number of bytes. So a connection that is metered is not read any further while too much of what
//! came over it is still under way; the broker waits at the other end.

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

/// What comes with every message besides its body, about.
const ENVELOPE_BYTES: u64 = 100;

/// Counts the bytes of one connection. Cloning gives another handle to the same count.
///
/// The bytes in memory are at most the limit, what one read brings, and one message, which is read to its
/// end even if it alone is larger than the limit.
#[derive(Debug, Clone)]
pub(crate) struct Meter(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    limit: u64,
    /// Bytes that were read.
    read: AtomicU64,
    /// Bytes of those that are not in memory any more.
    freed: AtomicU64,
    messages: AtomicUsize,
    reader: AtomicWaker,
}

/// A message that is under way; dropping it frees its bytes.
#[derive(Debug)]
pub(crate) struct Weight {
    meter: Meter,
    bytes: u64,
}

impl Meter {
    /// A meter that lets in so many bytes.
    pub(crate) fn new(limit: u64) -> Self {
        let (read, freed) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Counts { limit, read, freed, messages: AtomicUsize::new(0), reader: AtomicWaker::new() }))
    }

    /// Counts a message that has come.
    pub(crate) fn weigh(&self, body: &[u8]) -> Weight {
        self.0.messages.fetch_add(1, Ordering::SeqCst);
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX).saturating_add(ENVELOPE_BYTES);
        Weight { meter: self.clone(), bytes }
    }

    /// Reads on if no message is under way. What was read is then part of one that is larger than the
    /// limit, or was none: what holds the messages together is counted but never freed.
    pub(crate) fn go_on_if_idle(&self) {
        if self.is_full() && self.0.messages.load(Ordering::SeqCst) == 0 {
            self.0.freed.store(self.0.read.load(Ordering::SeqCst), Ordering::SeqCst);
            self.0.reader.wake();
        }
    }

    /// Whether nothing more is read.
    pub(crate) fn is_full(&self) -> bool {
        let read = self.0.read.load(Ordering::SeqCst);
        read.saturating_sub(self.0.freed.load(Ordering::SeqCst)) >= self.0.limit
    }

    fn count(&self, bytes: usize) {
        self.0.read.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Is ready when more may be read.
    fn poll_room(&self, context: &Context<'_>) -> Poll<()> {
        if !self.is_full() {
            return Poll::Ready(());
        }
        self.0.reader.register(context.waker());
        // It may have become free before the reader was known.
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

/// Makes connections that are metered.
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

    /// Reads until nothing more comes.
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
    fn no_more_is_read_than_the_limit_and_one_read_until_messages_are_done() {
        let mut stream = metered(1_000, 100_000);
        assert_eq!(read_all(&mut stream), 1_000);
        let meter = stream.meter.clone();
        let weight = meter.weigh(&[0; 400]);
        meter.go_on_if_idle();
        assert_eq!(read_all(&mut stream), 0, "one is under way");
        drop(weight);
        assert_eq!(read_all(&mut stream), 500, "as much as it was, with its envelope");
    }

    #[test]
    fn a_message_larger_than_the_limit_is_read_to_its_end() {
        let mut stream = metered(1_000, 10_500);
        let mut read = 0;
        for _ in 0..10 {
            read += read_all(&mut stream);
            stream.meter.go_on_if_idle();
        }
        assert_eq!(read + read_all(&mut stream), 10_500);
    }
}
